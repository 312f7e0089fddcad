//! `pymode run` and `pymode dl run` with `--engine workerd`: runs one program (see [`pymode_bundle::wire`]).

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use js_sys::Promise;

use pymode_bundle::program::{Contents, ProgramRequest};
use pymode_bundle::wire::FrameKind;
use pymode_host::Errno;
use pymode_host::vfs::{
    FileKind, FileSystem, Follow, FsError, GuestPath, MemFs, Mode, OpenHow, OpenedFile,
    Permissions, Stat, Vfs,
};
use pymode_host::wasi::Stdio;

use crate::boot::{self, Ended, RawFailure, Setup};
use crate::bundle;
use crate::loader;
use crate::pipe::Pipe;
use crate::platform::Worker;
use crate::stream::{Channel, Frames};
use crate::wakeup::Wakeup;

/// Maximum size of a file's name and metadata, in bytes.
const ENTRY: u64 = 1 << 10;

fn has(contents: &Contents<'_>, path: &[u8], kind: FileKind) -> bool {
    match kind {
        FileKind::Directory => contents.folders.contains(&path),
        FileKind::RegularFile => contents.files.contains_key(path),
        FileKind::SymbolicLink => contents.links.contains_key(path),
        _ => false,
    }
}

/// Returns the permissions of a file in the client's directory once its content is there.
fn mode(contents: &Contents<'_>, path: &[u8], kind: FileKind) -> Mode {
    match contents.modes.get(path) {
        Some(mode) if has(contents, path, kind) => Mode::from_bits(*mode),
        _ => Mode::of_kind(kind),
    }
}

/// The client of a program: gets its frames, and sends input on demand.
#[derive(Clone)]
pub(crate) struct Terminal {
    pub(crate) frames: Frames,
    pub(crate) input: Pipe,
    pub(crate) wakeup: Wakeup,
}

impl Channel for Terminal {
    fn flush(&self) {
        self.frames.flush();
    }

    fn congestion(&self) -> Option<Promise> {
        self.frames.pause()
    }
}

/// Runs the program in `request`, and answers while it runs.
pub(crate) async fn run(request: Vec<u8>, channel: Terminal) {
    let ended = match ProgramRequest::from_bytes(&request) {
        Ok(program) => run_program(program, &channel).await,
        Err(error) => Ended::Failure(RawFailure::before(error.to_string())),
    };
    match ended {
        Ended::Exit(code) => channel.frames.put(FrameKind::Exit, &[&code.to_le_bytes()]),
        Ended::Failure(RawFailure { reason, trace }) => {
            let parts = [reason.as_bytes(), b"\0", trace.as_bytes()];
            channel.frames.put(FrameKind::Fault, &parts);
        }
    }
    channel.frames.end();
}

async fn run_program(program: ProgramRequest<'_>, channel: &Terminal) -> Ended {
    let mut mounts: Vec<(Vec<u8>, Box<dyn FileSystem>)> = Vec::new();
    if let Some(path) = program.cwd {
        // Maximum growth of the directory.
        let growth = bundle::settings().map_or(0, |settings| settings.writable);
        match fill(&program.contents, growth) {
            Ok(system) => mounts.push((path.to_vec(), Box::new(system))),
            Err(errno) => {
                return Ended::Failure(RawFailure::before(format!(
                    "the files of `{}`: {errno}",
                    String::from_utf8_lossy(path)
                )));
            }
        }
    }
    let traces_loads = bundle::settings().is_ok_and(|settings| settings.traces_loads);
    let setup = Setup {
        args: program.args.iter().map(|arg| arg.to_vec()).collect(),
        env: program.env.iter().map(owned).collect(),
        stdio: Stdio {
            stdin: channel.input.stream({
                let frames = channel.frames.clone();
                move || frames.put(FrameKind::WantStdin, &[])
            }),
            stdout: channel.frames.stream(FrameKind::Stdout),
            stderr: channel.frames.stream(FrameKind::Stderr),
        },
        wakeup: channel.wakeup.clone(),
        // The command promises that a program has no network.
        has_network: false,
        channel: Some(Rc::new(channel.clone())),
        trace: traces_loads.then(|| channel.frames.stream(FrameKind::Stderr)),
        mounts,
    };
    let guest = match boot::boot(setup) {
        Ok(guest) => guest,
        Err(thrown) => {
            return Ended::Failure(RawFailure::before(pymode_dylink_js::reason(&thrown)));
        }
    };
    let ended = boot::run(&guest).await;
    if let Ended::Failure(_) = ended {
        for (path, key) in loader::seen(&guest) {
            let parts = [path.as_bytes(), b"\0", key.as_bytes()];
            channel.frames.put(FrameKind::Loaded, &parts);
        }
    }
    if let Some(path) = program.cwd {
        let mut wasi = guest.wasi.borrow_mut();
        // The directory itself may be unreadable, too.
        let open = Mode::DIRECTORY;
        let _ = wasi
            .vfs()
            .set_mode(GuestPath::absolute(path), Follow::Yes, open);
        let changes = Changes {
            root: path,
            frames: &channel.frames,
        };
        changes.report(wasi.vfs(), &program.contents);
    }
    ended
}

fn owned((name, value): &(&[u8], &[u8])) -> (Vec<u8>, Vec<u8>) {
    (name.to_vec(), value.to_vec())
}

/// Creates a file system in memory with these files, and room for `growth` more bytes.
fn fill(contents: &Contents<'_>, growth: u64) -> Result<MemFs, Errno> {
    let errno = |refusal| match refusal {
        FsError::Errno(errno) => errno,
        FsError::Leaves { .. } => Errno::NotCapable,
    };
    let Contents {
        folders,
        files,
        links,
        modes,
    } = contents;
    let bytes = files.values().chain(links.values());
    let bytes: u64 = bytes.map(|bytes| bytes.len() as u64).sum();
    let entries = (files.len() + folders.len() + links.len()) as u64;
    let mut system = MemFs::new(Arc::new(Worker), bytes + entries * ENTRY + growth);
    for folder in folders {
        system.create_dir(folder, Mode::DIRECTORY).map_err(errno)?;
    }
    let how = OpenHow {
        write: true,
        create: true,
        exclusive: true,
        ..OpenHow::READ
    };
    for (path, bytes) in files {
        let OpenedFile::File(mut file) = system.open(path, &how).map_err(errno)? else {
            return Err(Errno::IsDir);
        };
        let mut done = 0;
        while done < bytes.len() {
            done += file.write_at(done as u64, &bytes[done..])?;
        }
    }
    for (path, target) in links {
        system.symlink(target, path).map_err(errno)?;
    }
    // Inner ones first: an outer directory may become unreadable.
    for (path, mode) in modes.iter().rev() {
        system
            .set_mode(path, Follow::No, Mode::from_bits(*mode))
            .map_err(errno)?;
    }
    Ok(system)
}

/// Changes that the program made to the current directory.
struct Changes<'a> {
    root: &'a [u8],
    frames: &'a Frames,
}

impl Changes<'_> {
    fn report(&self, vfs: &mut Vfs, before: &Contents<'_>) {
        let mut seen = BTreeMap::new();
        self.walk(vfs, &mut Vec::new(), &mut seen);
        let is_gone = |path: &[u8], kind| seen.get(path).is_none_or(|stat| stat.kind != kind);
        let files = before
            .files
            .keys()
            .map(|path| (*path, FileKind::RegularFile));
        let links = before
            .links
            .keys()
            .map(|path| (*path, FileKind::SymbolicLink));
        // Files before the directories that hold them, inner directories before outer ones.
        let folders = before.folders.iter().rev();
        let folders = folders.map(|path| (*path, FileKind::Directory));
        for (path, kind) in files.chain(links).chain(folders) {
            if is_gone(path, kind) {
                self.frames.put(FrameKind::Removed, &[path]);
            }
        }
        // A directory's path is a prefix of the paths in it, so it comes first.
        for (path, stat) in &seen {
            self.report_content(vfs, path, stat.kind, before);
        }
        // Last, and inner ones first: permissions may forbid other changes.
        for (path, stat) in seen.iter().rev() {
            if stat.kind != FileKind::SymbolicLink && stat.mode != mode(before, path, stat.kind) {
                let parts = [&path[..], b"\0", &stat.mode.bits().to_le_bytes()];
                self.frames.put(FrameKind::Mode, &parts);
            }
        }
    }

    fn report_content(&self, vfs: &mut Vfs, path: &[u8], kind: FileKind, before: &Contents<'_>) {
        let whole = [self.root, b"/", path].concat();
        match kind {
            FileKind::Directory if !has(before, path, kind) => {
                self.frames.put(FrameKind::Folder, &[path]);
            }
            FileKind::RegularFile => {
                if let Ok((bytes, _)) = vfs.read_file(&whole)
                    && before.files.get(path) != Some(&&bytes[..])
                {
                    self.frames.put(FrameKind::File, &[path, b"\0", &bytes]);
                }
            }
            FileKind::SymbolicLink => {
                if let Ok(target) = vfs.read_link(GuestPath::absolute(&whole))
                    && before.links.get(path) != Some(&&target[..])
                {
                    self.frames.put(FrameKind::Link, &[path, b"\0", &target]);
                }
            }
            _ => {}
        }
    }

    /// Makes a file readable. The guest has ended, and its unreadable files must not look removed.
    fn open_up(&self, vfs: &mut Vfs, path: &[u8], stat: &Stat) {
        let all = Permissions {
            read: true,
            write: true,
            execute: stat.kind == FileKind::Directory,
        };
        if stat.kind != FileKind::SymbolicLink && !stat.mode.allows(all) {
            let mode = Mode::from_bits(stat.mode.bits() | 0o700);
            // It is in memory and owned by the guest, so this cannot fail.
            let _ = vfs.set_mode(GuestPath::absolute(path), Follow::No, mode);
        }
    }

    fn walk(&self, vfs: &mut Vfs, below: &mut Vec<u8>, seen: &mut BTreeMap<Vec<u8>, Stat>) {
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
            if let Ok(stat) = vfs.stat(GuestPath::absolute(&path), Follow::No) {
                self.open_up(vfs, &path, &stat);
                seen.insert(below.clone(), stat);
                if stat.kind == FileKind::Directory {
                    self.walk(vfs, below, seen);
                }
            }
            below.truncate(len);
        }
    }
}
