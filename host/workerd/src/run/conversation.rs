//! The exchange with a program that runs in a Worker.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs;
use std::io::{Read, Write};
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

use pymode_bundle::names::{MAIN, file};
use pymode_bundle::wire::{self, FrameKind, UnknownFrameKind, put, take};
use pymode_host::{Exit, GuestFailure};
use pymode_toolchain::CacheError;

use super::cwd::Snapshot;
use super::fault::fault;
use super::{RunError, Streams};
use crate::bundle::Bundle;
use crate::make::assemble::Main;
use crate::make::stub;
use crate::serve::LocalWorkerd;
use crate::symbols::Symbols;

/// Size of a chunk of standard input.
const CHUNK: usize = 1 << 16;

pub(crate) struct Conversation<'a> {
    pub(crate) workerd: &'a LocalWorkerd,
    pub(crate) bundle: &'a Bundle,
    pub(crate) main: &'a Main,
    pub(crate) streams: &'a mut Streams,
    pub(crate) cwd: Option<Snapshot>,
    /// The side modules by key. The guest sees stubs, and may copy them.
    pub(crate) sides: HashMap<String, PathBuf>,
    /// Paths of loaded modules in the guest, by key.
    pub(crate) loaded: HashMap<String, String>,
}

impl Conversation<'_> {
    pub(crate) fn read(&mut self, mut answer: impl Read) -> Result<Exit, RunError> {
        let mut received = Vec::new();
        let mut buffer = vec![0; CHUNK];
        loop {
            let count = answer
                .read(&mut buffer)
                .map_err(|error| self.workerd.no_answer(error.to_string()))?;
            if count == 0 {
                return Err(self.workerd.no_answer("it ended early".to_owned()).into());
            }
            received.extend_from_slice(&buffer[..count]);
            let mut rest = &received[..];
            while let Some((kind, content)) =
                take(&mut rest).map_err(|UnknownFrameKind(kind)| RunError::Answer {
                    reason: UnknownFrameKind(kind).to_string(),
                })?
            {
                if let Some(exit) = self.frame(kind, content)? {
                    return Ok(exit);
                }
            }
            let taken = received.len() - rest.len();
            received.drain(..taken);
        }
    }

    fn frame(&mut self, kind: FrameKind, content: &[u8]) -> Result<Option<Exit>, RunError> {
        match kind {
            FrameKind::Stdout => write(
                &mut self.streams.stdout,
                content,
                "write to standard output",
            )?,
            FrameKind::Stderr => {
                write(&mut self.streams.stderr, content, "write to standard error")?
            }
            FrameKind::WantStdin => self.give_input()?,
            FrameKind::Folder
            | FrameKind::File
            | FrameKind::Link
            | FrameKind::Mode
            | FrameKind::Removed => self.change(kind, content)?,
            FrameKind::Loaded => {
                let (path, key) = pair(content).ok_or_else(|| broken("a module without a key"))?;
                self.loaded.insert(text(key), text(path));
            }
            FrameKind::Exit => {
                let code = content.try_into().map(u32::from_le_bytes);
                return code
                    .map(|code| Some(Exit::Code(code)))
                    .map_err(|_| broken("an exit code of another length"));
            }
            FrameKind::Fault => {
                let (message, trace) =
                    pair(content).ok_or_else(|| broken("a fault without a trace"))?;
                return Ok(Some(Exit::Failure(
                    self.fault(&text(message), &text(trace)),
                )));
            }
            FrameKind::Arg | FrameKind::Env | FrameKind::Cwd | FrameKind::Stdin => {
                return Err(broken("it sends a frame for the Worker"));
            }
        }
        Ok(None)
    }

    fn give_input(&mut self) -> Result<(), RunError> {
        let mut buffer = vec![0; CHUNK];
        let read = self.streams.stdin.read(&mut buffer);
        let count = read.map_err(|source| RunError::Stream {
            doing: "read standard input",
            source,
        })?;
        let mut message = Vec::new();
        put(&mut message, FrameKind::Stdin, &[&buffer[..count]]);
        self.workerd.post(wire::STDIN, &message)?;
        Ok(())
    }

    fn change(&mut self, kind: FrameKind, content: &[u8]) -> Result<(), RunError> {
        let cwd = self
            .cwd
            .as_ref()
            .ok_or_else(|| broken("it changes a directory that it does not have"))?;
        let path = |bytes: &[u8]| PathBuf::from(OsString::from_vec(bytes.to_vec()));
        match kind {
            FrameKind::Folder => cwd.make_folder(&path(content))?,
            FrameKind::Removed => cwd.remove(&path(content))?,
            FrameKind::Link => {
                let (name, target) =
                    pair(content).ok_or_else(|| broken("a link without a name"))?;
                cwd.link(&path(name), &path(target))?;
            }
            FrameKind::Mode => {
                let (name, mode) =
                    pair(content).ok_or_else(|| broken("permissions without a name"))?;
                let mode = <[u8; 4]>::try_from(mode);
                let mode = mode.map_err(|_| broken("permissions are not four bytes"))?;
                cwd.set_mode(&path(name), u32::from_le_bytes(mode))?;
            }
            _ => {
                let (name, bytes) = pair(content).ok_or_else(|| broken("a file without a name"))?;
                let name = path(name);
                let side = stub::stub_hash(bytes);
                match side.and_then(|hash| self.sides.get(&stub::key(hash))) {
                    // The user gets the module that a copied stub stands for.
                    Some(side) => {
                        let whole = fs::read(side).map_err(CacheError::io("read", side))?;
                        let module = stub::stamp(&whole).map_or(&whole[..], |(module, _)| module);
                        cwd.write(&name, module)?;
                    }
                    None => cwd.write(&name, bytes)?,
                }
            }
        }
        Ok(())
    }

    /// Translates a failure. Functions of an unreadable module have no names.
    fn fault(&self, message: &str, trace: &str) -> GuestFailure {
        fault(message, trace, |name| {
            if name == MAIN {
                let mut symbols = Symbols::of(&fs::read(&self.main.wasm).ok()?);
                let named = self
                    .main
                    .names
                    .as_ref()
                    .and_then(|path| fs::read(path).ok());
                if let Some(named) = named {
                    symbols.named_as(Symbols::of(&named));
                }
                return Some((self.main.name.clone(), symbols));
            }
            let path = self.loaded.get(file::key_of_side(name)?)?;
            let content = self.bundle.called(name)?.content().ok()?;
            Some((path.clone(), Symbols::of(&content)))
        })
    }
}

/// Splits content at the first NUL byte.
fn pair(content: &[u8]) -> Option<(&[u8], &[u8])> {
    wire::pair(content, 0)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn write(to: &mut impl Write, bytes: &[u8], doing: &'static str) -> Result<(), RunError> {
    to.write_all(bytes)
        .and_then(|()| to.flush())
        .map_err(|source| RunError::Stream { doing, source })
}

fn broken(reason: &str) -> RunError {
    RunError::Answer {
        reason: reason.to_owned(),
    }
}
