//! One run of a program in a local workerd: its arguments, files and streams, and its end.

mod conversation;
mod cwd;
mod fault;
mod program;

use std::collections::{BTreeMap, HashMap};
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs;
use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use pymode_bundle::WorkerMode;
use pymode_bundle::program::ProgramRequest;
use pymode_bundle::wire;
use pymode_host::Exit;
use pymode_host::image::ImageWriter;
use pymode_host::program::HOME;
use pymode_toolchain::CacheError;

use crate::bundle::Bundle;
use crate::make::assemble::{BundleParts, Tree};
use crate::make::memory_view::image_module;
use crate::make::pack::{self, Exports, InvalidModule, PackError, Packed, Side};
use crate::make::python::{MEMORY_LIMIT, PackedFiles, SideFile};
use crate::make::rewritten::{self, Lookups};
use crate::make::stdlib::Omitted;
use crate::python::Python;
use crate::runtime::Runtime;
use crate::serve::{LocalWorkerd, ServeError};
use conversation::Conversation;
use cwd::{CwdError, Snapshot};

pub use cwd::Room;
pub use program::{Program, ProgramError};

/// Errors of running a program.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// A file of the bundle.
    #[error(transparent)]
    File(#[from] CacheError),
    /// A package that cannot be bundled.
    #[error(transparent)]
    Pack(#[from] PackError),
    /// Copying the current directory to the Worker and back.
    #[error(transparent)]
    Cwd(#[from] CwdError),
    /// workerd.
    #[error(transparent)]
    Serve(#[from] ServeError),
    /// Standard input or output.
    #[error("cannot {doing}: {source}")]
    Stream {
        /// A verb and a stream.
        doing: &'static str,
        /// Why.
        source: io::Error,
    },
    /// The Worker's answer is invalid.
    #[error("invalid answer of the Worker: {reason}")]
    Answer {
        /// Reason.
        reason: String,
    },
}

/// A run: a builder of its arguments, files and streams.
#[derive(Debug)]
pub struct Run<'a> {
    runtime: &'a Runtime,
    subject: Subject<'a>,
    args: Vec<OsString>,
    env: BTreeMap<OsString, OsString>,
    /// Mounts: path in the guest, and path here.
    mounts: Vec<(String, PathBuf)>,
    library_path: Vec<String>,
    files: BTreeMap<PathBuf, PathBuf>,
    cwd: Option<PathBuf>,
    room: Room,
    memory: u64,
    traces_loads: bool,
    streams: Streams,
}

/// The program to run.
#[derive(Debug)]
enum Subject<'a> {
    Python(&'a Python),
    Program(&'a Program),
}

/// The standard streams of a guest.
pub(crate) struct Streams {
    pub(crate) stdin: Box<dyn Read + Send>,
    pub(crate) stdout: Box<dyn Write + Send>,
    pub(crate) stderr: Box<dyn Write + Send>,
}

impl fmt::Debug for Streams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Streams").finish_non_exhaustive()
    }
}

impl Python {
    /// Prepares a run of Python.
    pub fn run(&self) -> Run<'_> {
        let mut run = Run::new(&self.runtime, Subject::Python(self));
        run.args(["python"])
            .env("PYTHONHOME", "/")
            .env("HOME", HOME)
            .env("PWD", "/");
        run
    }
}

impl Program {
    /// Prepares a run of this program. The first argument must be its name.
    pub fn run(&self) -> Run<'_> {
        Run::new(&self.runtime, Subject::Program(self))
    }
}

impl<'a> Run<'a> {
    fn new(runtime: &'a Runtime, subject: Subject<'a>) -> Run<'a> {
        Run {
            runtime,
            subject,
            args: Vec::new(),
            env: BTreeMap::new(),
            mounts: Vec::new(),
            library_path: Vec::new(),
            files: BTreeMap::new(),
            cwd: None,
            room: Room::default(),
            memory: MEMORY_LIMIT,
            traces_loads: false,
            streams: Streams {
                stdin: Box::new(io::stdin()),
                stdout: Box::new(io::stdout()),
                stderr: Box::new(io::stderr()),
            },
        }
    }

    /// Adds arguments.
    pub fn args(&mut self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> &mut Self {
        self.args
            .extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        self
    }

    /// Sets a variable of the guest's environment.
    pub fn env(&mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> &mut Self {
        self.env
            .insert(name.as_ref().to_owned(), value.as_ref().to_owned());
        self
    }

    /// Puts a directory of this machine on the path that Python imports from.
    pub fn site(&mut self, dir: &Path) -> &mut Self {
        let path = self.env.entry("PYTHONPATH".into()).or_default();
        let before = path.as_bytes().split(|byte| *byte == b':');
        let number = before.filter(|path| path.starts_with(b"/site/")).count();
        let at = format!("/site/{number}");
        if !path.is_empty() {
            path.push(":");
        }
        path.push(&at);
        self.mount(&at, dir)
    }

    /// Adds a directory of this machine to the end of the guest's library path.
    pub fn library(&mut self, dir: &Path) -> &mut Self {
        let at = format!("/library/{}", self.library_path.len() + 1);
        self.library_path.push(at.clone());
        self.mount(&at, dir)
    }

    /// Shows the guest a copy of a directory of this machine at an absolute path, for reading only.
    pub fn mount(&mut self, at: &str, dir: &Path) -> &mut Self {
        self.mounts.push((at.to_owned(), dir.to_path_buf()));
        self
    }

    /// Shows the guest one more file of this machine, at an absolute path.
    pub fn file(&mut self, at: &Path, file: &Path) -> &mut Self {
        self.files.insert(at.to_path_buf(), file.to_path_buf());
        self
    }

    /// Sets the guest's current directory to a copy of a directory, at the same path. Changes are applied when it has ended.
    pub fn cwd(&mut self, dir: &Path) -> &mut Self {
        self.cwd = Some(dir.to_path_buf());
        self
    }

    /// Sets the maximum size of the copied directory.
    pub fn room(&mut self, room: Room) -> &mut Self {
        self.room = room;
        self
    }

    /// Sets the maximum memory of the guest in bytes. The default is that of production, [`MEMORY_LIMIT`].
    pub fn memory_limit(&mut self, bytes: u64) -> &mut Self {
        self.memory = bytes;
        self
    }

    /// Sets the guest's standard input. The default is this process's.
    pub fn stdin(&mut self, stdin: impl Read + Send + 'static) -> &mut Self {
        self.streams.stdin = Box::new(stdin);
        self
    }

    /// Sets the guest's standard output. The default is this process's.
    pub fn stdout(&mut self, stdout: impl Write + Send + 'static) -> &mut Self {
        self.streams.stdout = Box::new(stdout);
        self
    }

    /// Sets the guest's standard error. The default is this process's.
    pub fn stderr(&mut self, stderr: impl Write + Send + 'static) -> &mut Self {
        self.streams.stderr = Box::new(stderr);
        self
    }

    /// Traces the loader on the guest's standard error: searched paths, bindings, calls of constructors, and unloading.
    pub fn trace_loads(&mut self) -> &mut Self {
        self.traces_loads = true;
        self
    }

    /// Runs the program to its end.
    ///
    /// # Errors
    /// When it cannot be started, or its answer is incomplete. A failure of the program itself is an [`Exit`].
    pub fn start(&mut self) -> Result<Exit, RunError> {
        let scratch = tempfile::Builder::new()
            .prefix("run-")
            .tempdir_in(self.runtime.scratch())
            .map_err(CacheError::io("create", self.runtime.scratch()))?;
        let read = |dir| cwd::read(dir, self.room);
        let cwd = self.cwd.as_deref().map(read).transpose()?;
        let mut trees = self.trees(scratch.path())?;
        let mut loose = match &cwd {
            Some(cwd) => {
                let sides = cwd.sides.iter();
                let files = sides.map(|side| SideFile::write(side, scratch.path()));
                files.collect::<Result<_, _>>()?
            }
            None => Vec::new(),
        };
        let found = trees.iter().flat_map(|tree| &tree.files.sides);
        let sides = found.chain(&loose);
        let sides = sides.map(|side| (side.key.clone(), side.file.clone()));
        let sides: HashMap<String, PathBuf> = sides.collect();
        let main = match self.subject {
            Subject::Python(python) => python.interpreter.main(self.memory, &Exports::All)?,
            Subject::Program(program) => program.main(scratch.path(), self.memory)?,
        };
        // A trace shows the resolution, so each symbol is always resolved.
        if !self.traces_loads {
            let asks = match self.subject {
                Subject::Python(_) => Lookups::Init,
                Subject::Program(_) => Lookups::Anything,
            };
            let cache = &self.runtime.cache;
            rewritten::rewrite(cache, &main.wasm, asks, &mut trees, &mut loose)?;
        }
        let parts = BundleParts {
            code: &self.runtime.code,
            main,
            trees,
            loose,
            memory: self.memory,
            refused: cwd.as_ref().map_or(Vec::new(), |cwd| cwd.refused.clone()),
            library_path: self.library_path.clone(),
            traces_loads: self.traces_loads,
            mode: WorkerMode::Run,
            development: true,
            environment: BTreeMap::new(),
        };
        let bundle = Bundle::new(&parts)?;
        let workerd = LocalWorkerd::start(
            &self.runtime.workerd,
            &bundle,
            &scratch.path().join("bundle"),
        )?;
        let request = self.request(cwd.as_ref());
        let answer = workerd.open(wire::RUN, &request)?;
        let mut conversation = Conversation {
            workerd: &workerd,
            bundle: &bundle,
            main: &parts.main,
            streams: &mut self.streams,
            cwd,
            sides,
            loaded: HashMap::new(),
        };
        conversation.read(answer)
    }

    /// Returns the directory trees of the guest: Python's standard library, directories, and single files.
    fn trees(&self, dir: &Path) -> Result<Vec<Tree>, RunError> {
        let mut trees = Vec::new();
        if let Subject::Python(python) = self.subject {
            trees.push(Tree {
                what: "standard library".into(),
                path: "/".into(),
                files: python.interpreter.library(&Omitted::default())?,
            });
        }
        for (number, (at, mounted)) in self.mounts.iter().enumerate() {
            // A missing directory gets the same message as a missing file.
            fs::read_dir(mounted).map_err(CacheError::io("open", mounted))?;
            trees.push(Tree {
                what: mounted.to_string_lossy().into_owned(),
                path: at.clone(),
                files: PackedFiles::write(
                    &pack::directory(mounted)?,
                    &dir.join(format!("mount-{number}")),
                )?,
            });
        }
        for (number, (folder, packed)) in self.single_files()?.into_iter().enumerate() {
            trees.push(Tree {
                what: folder.clone(),
                path: folder,
                files: PackedFiles::write(&packed, &dir.join(format!("file-{number}")))?,
            });
        }
        Ok(trees)
    }

    /// Returns one image for each directory with single files.
    fn single_files(&self) -> Result<BTreeMap<String, Packed>, RunError> {
        let mut folders: BTreeMap<String, (ImageWriter, Vec<Side>, Vec<InvalidModule>)> =
            BTreeMap::new();
        for (at, file) in &self.files {
            let unnamed = || PackError::Name { path: at.clone() };
            let folder = at.parent().and_then(Path::to_str).ok_or_else(unnamed)?;
            let name = at.file_name().and_then(OsStr::to_str).ok_or_else(unnamed)?;
            let bytes = fs::read(file).map_err(CacheError::io("read", file))?;
            let (bytes, mut side) = pack::file(bytes);
            let (writer, sides, refused) = folders.entry(folder.to_owned()).or_default();
            match &mut side {
                Some(side) => side.paths.push(name.to_owned()),
                None => refused.extend(InvalidModule::at(name, &bytes)),
            }
            writer.file(name, bytes).map_err(PackError::from)?;
            sides.extend(side);
        }
        let pack = |(folder, (writer, sides, refused)): (String, (ImageWriter, _, _))| {
            let carrier = image_module(&writer.finish().map_err(PackError::from)?);
            let packed = Packed {
                carrier,
                sides,
                refused,
            };
            Ok((folder, packed))
        };
        folders.into_iter().map(pack).collect()
    }

    fn request(&mut self, cwd: Option<&Snapshot>) -> Vec<u8> {
        if let Some(cwd) = cwd {
            self.env.insert("PWD".into(), cwd.root.clone().into());
        }
        let variables = self.env.iter();
        ProgramRequest {
            args: self.args.iter().map(|arg| arg.as_bytes()).collect(),
            env: variables
                .map(|(name, value)| (name.as_bytes(), value.as_bytes()))
                .collect(),
            cwd: cwd.map(|cwd| cwd.root.as_os_str().as_bytes()),
            contents: cwd.map(Snapshot::contents).unwrap_or_default(),
        }
        .to_bytes()
    }
}
