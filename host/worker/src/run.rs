//! `pymode run` and `pymode dl run` with `--engine workerd`: one program, from its frames to its frames (see [`crate::wire`]).

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use js_sys::Promise;

use pymode_host::Errno;
use pymode_host::vfs::{
    FileKind, FileSystem, Follow, GuestPath, MemFs, Mode, OpenHow, Opened, Permissions, Refusal,
    Stat, Vfs,
};
use pymode_host::wasi::Stdio;

use crate::bell::Bell;
use crate::boot::{self, Ended, Fault, Setup};
use crate::bundle::{self, Bundle};
use crate::loader;
use crate::pipe::Pipe;
use crate::platform::Worker;
use crate::stream::{Channel, Frames};
use crate::wire::{Kind, take};

/// What a file's name and bookkeeping take at most, in bytes.
const ENTRY: u64 = 1 << 10;

/// What was asked for.
#[derive(Default)]
struct Program {
    args: Vec<Vec<u8>>,
    env: Vec<(Vec<u8>, Vec<u8>)>,
    cwd: Option<Vec<u8>>,
    folders: Vec<Vec<u8>>,
    files: BTreeMap<Vec<u8>, Vec<u8>>,
}

/// The other side of a program: frames out, input as it is asked for.
#[derive(Clone)]
pub(crate) struct Terminal {
    pub(crate) frames: Frames,
    pub(crate) input: Pipe,
    pub(crate) bell: Bell,
}

impl Channel for Terminal {
    fn flush(&self) {
        self.frames.flush();
    }

    fn congestion(&self) -> Option<Promise> {
        self.frames.pause()
    }
}

/// Runs what `request` asks for, and answers while it runs.
pub(crate) async fn run(request: Vec<u8>, channel: Terminal) {
    let ended = match parse(&request) {
        Ok(program) => {
            drop(request);
            run_program(program, &channel).await
        }
        Err(message) => Ended::Fault(Fault::before(message)),
    };
    match ended {
        Ended::Exit(code) => channel.frames.put(Kind::Exit, &[&code.to_le_bytes()]),
        Ended::Fault(Fault { reason, trace }) => {
            let parts = [reason.as_bytes(), b"\0", trace.as_bytes()];
            channel.frames.put(Kind::Fault, &parts);
        }
    }
    channel.frames.end();
}

async fn run_program(program: Program, channel: &Terminal) -> Ended {
    let mut mounts: Vec<(Vec<u8>, Box<dyn FileSystem>)> = Vec::new();
    if let Some(path) = &program.cwd {
        // So much may come to what is there.
        let growth = bundle::with(|bundle| bundle.writable() as u64).unwrap_or_default();
        match fill(&program.folders, &program.files, growth) {
            Ok(system) => mounts.push((path.clone(), Box::new(system))),
            Err(errno) => {
                return Ended::Fault(Fault::before(format!(
                    "the files of `{}`: {errno}",
                    String::from_utf8_lossy(path)
                )));
            }
        }
    }
    let traces_loads = bundle::with(Bundle::traces_loads).unwrap_or_default();
    let setup = Setup {
        args: program.args,
        env: program.env,
        stdio: Stdio {
            stdin: channel.input.stream({
                let frames = channel.frames.clone();
                move || frames.put(Kind::WantStdin, &[])
            }),
            stdout: channel.frames.stream(Kind::Stdout),
            stderr: channel.frames.stream(Kind::Stderr),
        },
        bell: channel.bell.clone(),
        // Whoever runs a program is promised that there is none.
        has_network: false,
        channel: Some(Rc::new(channel.clone())),
        trace: traces_loads.then(|| channel.frames.stream(Kind::Stderr)),
        mounts,
    };
    let guest = match boot::boot(setup) {
        Ok(guest) => guest,
        Err(thrown) => return Ended::Fault(Fault::before(pymode_dylink_js::reason(&thrown))),
    };
    let ended = boot::run(&guest).await;
    if let Ended::Fault(_) = ended {
        for (path, key) in loader::seen(&guest) {
            let parts = [path.as_bytes(), b"\0", key.as_bytes()];
            channel.frames.put(Kind::Loaded, &parts);
        }
    }
    if let Some(path) = &program.cwd {
        let mut wasi = guest.wasi.borrow_mut();
        // The directory itself may be closed, too.
        let open = Mode::DIRECTORY;
        let _ = wasi.vfs().set_mode(GuestPath::absolute(path), Follow::Yes, open);
        let changes = Changes {
            root: path,
            frames: &channel.frames,
        };
        changes.report(wasi.vfs(), &program.folders, program.files);
    }
    ended
}

fn parse(mut request: &[u8]) -> Result<Program, String> {
    let mut program = Program::default();
    while let Some((kind, content)) = take(&mut request).map_err(|e| e.to_string())? {
        let pair = |separator: u8| {
            let at = content.iter().position(|byte| *byte == separator);
            let at = at.ok_or_else(|| format!("a {kind:?} without its separator"))?;
            Ok::<_, String>((content[..at].to_vec(), content[at + 1..].to_vec()))
        };
        match kind {
            Kind::Arg => program.args.push(content.to_vec()),
            Kind::Env => program.env.push(pair(b'=')?),
            Kind::Cwd => program.cwd = Some(content.to_vec()),
            Kind::Folder => program.folders.push(content.to_vec()),
            Kind::File => program.files.extend([pair(0)?]),
            _ => return Err(format!("a {kind:?} has no place in a request")),
        }
    }
    if request.is_empty() {
        Ok(program)
    } else {
        Err("the request is cut short".to_owned())
    }
}

/// A file system in memory with these files, and room for `growth` more bytes.
fn fill(
    folders: &[Vec<u8>],
    files: &BTreeMap<Vec<u8>, Vec<u8>>,
    growth: u64,
) -> Result<MemFs, Errno> {
    let errno = |refusal| match refusal {
        Refusal::Errno(errno) => errno,
        Refusal::Leaves { .. } => Errno::NotCapable,
    };
    let bytes: u64 = files.values().map(|bytes| bytes.len() as u64).sum();
    let entries = (files.len() + folders.len()) as u64;
    let mut system = MemFs::new(Arc::new(Worker), bytes + entries * ENTRY + growth);
    for folder in folders {
        system
            .create_dir(folder, Mode::DIRECTORY)
            .map_err(errno)?;
    }
    let how = OpenHow {
        write: true,
        create: true,
        exclusive: true,
        ..OpenHow::READ
    };
    for (path, bytes) in files {
        let Opened::File(mut file) = system.open(path, &how).map_err(errno)? else {
            return Err(Errno::IsDir);
        };
        let mut done = 0;
        while done < bytes.len() {
            done += file.write_at(done as u64, &bytes[done..])?;
        }
    }
    Ok(system)
}

/// What the program has made of the current directory.
struct Changes<'a> {
    root: &'a [u8],
    frames: &'a Frames,
}

impl Changes<'_> {
    fn report(&self, vfs: &mut Vfs, folders: &[Vec<u8>], mut before: BTreeMap<Vec<u8>, Vec<u8>>) {
        let mut gone: Vec<Vec<u8>> = folders.to_vec();
        self.walk(vfs, &mut Vec::new(), &mut before, &mut gone);
        // Files before the directories that hold them, inner directories before outer ones.
        for path in before.into_keys().chain(gone.into_iter().rev()) {
            self.frames.put(Kind::Removed, &[&path]);
        }
    }

    /// The guest has ended: what it forbade itself to read is there all the same, and must not be taken for removed.
    fn open_up(&self, vfs: &mut Vfs, path: &[u8], stat: &Stat) {
        let all = Permissions {
            read: true,
            write: true,
            execute: stat.kind == FileKind::Directory,
        };
        if stat.kind != FileKind::SymbolicLink && !stat.mode.allows(all) {
            let mode = Mode::from_bits(stat.mode.bits() | 0o700);
            // It is in memory and the guest's own: nothing can forbid it.
            let _ = vfs.set_mode(GuestPath::absolute(path), Follow::No, mode);
        }
    }

    fn walk(
        &self,
        vfs: &mut Vfs,
        below: &mut Vec<u8>,
        before: &mut BTreeMap<Vec<u8>, Vec<u8>>,
        gone: &mut Vec<Vec<u8>>,
    ) {
        let here = [self.root, b"/", below].concat();
        let Ok(entries) = vfs.read_dir(GuestPath::absolute(&here)) else {
            return;
        };
        for entry in entries {
            let len = below.len();
            if len > 0 {
                below.push(b'/');
            }
            below.extend_from_slice(&entry.name);
            let path = [self.root, b"/", below].concat();
            let stat = vfs.stat(GuestPath::absolute(&path), Follow::No);
            if let Ok(stat) = stat {
                self.open_up(vfs, &path, &stat);
            }
            match stat.map(|stat| stat.kind) {
                Ok(FileKind::Directory) => {
                    let known = gone.len();
                    gone.retain(|folder| folder != below);
                    if gone.len() == known {
                        self.frames.put(Kind::Folder, &[below]);
                    }
                    self.walk(vfs, below, before, gone);
                }
                Ok(FileKind::RegularFile) => {
                    let was = before.remove(&*below);
                    if let Ok((bytes, _)) = vfs.read_file(&path)
                        && was.as_ref() != Some(&bytes)
                    {
                        self.frames.put(Kind::File, &[below, b"\0", &bytes]);
                    }
                }
                _ => {}
            }
            below.truncate(len);
        }
    }
}
