//! One run of Python in a local workerd: what it is given, and how it ends.

use std::collections::{BTreeMap, HashMap};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, Read, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use pymode_host::image::ImageWriter;
use pymode_toolchain::CacheError;

use crate::bundle::{Bundle, Mode, Parts, Tree};
use crate::cwd::{self, CwdError, Room, Snapshot};
use crate::pack::{self, Exports, PackError, Packed, Side};
use crate::python::{Files, MEMORY_LIMIT, Python};
use crate::serve::{LocalWorkerd, ServeError};
use crate::stdlib::LeftOut;
use crate::window::image_module;
use crate::wire::{Kind, UnknownKind, put, take};

/// How much of standard input is sent at once.
const CHUNK: usize = 1 << 16;

/// Why a program could not be run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// A file of the bundle.
    #[error(transparent)]
    File(#[from] CacheError),
    /// A package that cannot be bundled.
    #[error(transparent)]
    Pack(#[from] PackError),
    /// The current directory cannot be given to a Worker, or not be brought up to date after it.
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
    /// The Worker does not keep to what was agreed.
    #[error("the Worker's answer makes no sense: {reason}")]
    Answer {
        /// What is wrong with it.
        reason: String,
    },
}

/// How a program ended.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Exit {
    /// By itself, with this code.
    Code(u32),
    /// By a fault in it: the engine's words.
    Fault(String),
}

impl Exit {
    /// The code for this process to end with; 134 for a fault, as of a program that aborted.
    #[must_use]
    pub fn code(&self) -> u8 {
        match self {
            // As the kernel does it: the low 8 bits.
            Exit::Code(code) => *code as u8,
            Exit::Fault(_) => 134,
        }
    }
}

/// A run of Python that is yet to be told what follows `python` on the command line.
#[derive(Debug)]
pub struct Run<'a> {
    python: &'a Python,
    args: Vec<OsString>,
    env: BTreeMap<OsString, OsString>,
    sites: Vec<PathBuf>,
    files: BTreeMap<PathBuf, PathBuf>,
    cwd: Option<PathBuf>,
    room: Room,
    memory: u64,
}

impl Python {
    /// A run of Python.
    pub fn run(&self) -> Run<'_> {
        let env =
            [("PYTHONHOME", "/"), ("PWD", "/")].map(|(name, value)| (name.into(), value.into()));
        Run {
            python: self,
            args: vec!["python".into()],
            env: env.into(),
            sites: Vec::new(),
            files: BTreeMap::new(),
            cwd: None,
            room: Room::default(),
            memory: MEMORY_LIMIT,
        }
    }
}

impl Run<'_> {
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
        self.sites.push(dir.to_path_buf());
        self
    }

    /// Shows the guest one more file of this machine, at an absolute path.
    pub fn file(&mut self, at: &Path, file: &Path) -> &mut Self {
        self.files.insert(at.to_path_buf(), file.to_path_buf());
        self
    }

    /// Gives the guest a copy of a directory as its current one, at the same path. What it changes is changed there when it
    /// has ended.
    pub fn cwd(&mut self, dir: &Path) -> &mut Self {
        self.cwd = Some(dir.to_path_buf());
        self
    }

    /// How large the directory may be that is copied.
    pub fn room(&mut self, room: Room) -> &mut Self {
        self.room = room;
        self
    }

    /// How much memory the guest may use, in bytes; by default what it has in production, [`MEMORY_LIMIT`].
    pub fn memory_limit(&mut self, bytes: u64) -> &mut Self {
        self.memory = bytes;
        self
    }

    /// Runs the program to its end, with this process's standard streams.
    ///
    /// # Errors
    /// When it could not be started, or its answer breaks off. What happens to the program itself is an [`Exit`].
    pub fn start(&mut self) -> Result<Exit, RunError> {
        let scratch = tempfile::Builder::new()
            .prefix("run-")
            .tempdir_in(self.python.scratch())
            .map_err(CacheError::io("create", self.python.scratch()))?;
        let read = |dir| cwd::read(dir, self.room);
        let cwd = self.cwd.as_deref().map(read).transpose()?;
        let trees = self.trees(scratch.path())?;
        let loose = match &cwd {
            Some(cwd) => write_sides(&cwd.sides, scratch.path())?,
            None => Vec::new(),
        };
        let found = trees.iter().flat_map(|tree| &tree.files.sides);
        let sides: HashMap<String, PathBuf> = found.chain(&loose).cloned().collect();
        let bundle = Bundle::new(&Parts {
            code: &self.python.code,
            main: self.python.main(self.memory, &Exports::All)?,
            trees,
            loose,
            mode: Mode::Run,
            development: true,
            environment: BTreeMap::new(),
        })?;
        let workerd = LocalWorkerd::start(
            &self.python.workerd,
            &bundle,
            &scratch.path().join("bundle"),
        )?;
        let request = self.request(cwd.as_ref());
        let answer = workerd.open("/run", &request)?;
        let mut conversation = Conversation {
            workerd: &workerd,
            cwd,
            sides,
        };
        conversation.hear(answer)
    }

    /// What the guest sees: the standard library, the sites, and single files.
    fn trees(&mut self, dir: &Path) -> Result<Vec<Tree>, RunError> {
        let mut trees = vec![Tree {
            what: "standard library".into(),
            path: "/".into(),
            files: self.python.library(&LeftOut::default())?,
        }];
        let mut path: Vec<OsString> = self
            .env
            .get(OsStr::new("PYTHONPATH"))
            .cloned()
            .into_iter()
            .collect();
        for (number, site) in self.sites.iter().enumerate() {
            let at = format!("/site/{number}");
            path.push(at.clone().into());
            trees.push(Tree {
                what: site.to_string_lossy().into_owned(),
                path: at,
                files: Files::write(&pack::directory(site)?, &dir.join(format!("site-{number}")))?,
            });
        }
        if !path.is_empty() {
            self.env
                .insert("PYTHONPATH".into(), path.join(OsStr::new(":")));
        }
        for (number, (folder, packed)) in self.single_files()?.into_iter().enumerate() {
            trees.push(Tree {
                what: folder.clone(),
                path: folder,
                files: Files::write(&packed, &dir.join(format!("file-{number}")))?,
            });
        }
        Ok(trees)
    }

    /// One image for each directory that holds single files.
    fn single_files(&self) -> Result<BTreeMap<String, Packed>, RunError> {
        let mut folders: BTreeMap<String, (ImageWriter, Vec<Side>)> = BTreeMap::new();
        for (at, file) in &self.files {
            let unnamed = || PackError::Name { path: at.clone() };
            let folder = at.parent().and_then(Path::to_str).ok_or_else(unnamed)?;
            let name = at.file_name().and_then(OsStr::to_str).ok_or_else(unnamed)?;
            let bytes = fs::read(file).map_err(CacheError::io("read", file))?;
            let (bytes, side) = pack::file(bytes);
            let (writer, sides) = folders.entry(folder.to_owned()).or_default();
            writer.file(name, bytes).map_err(PackError::from)?;
            sides.extend(side);
        }
        let pack = |(folder, (writer, sides)): (String, (ImageWriter, Vec<Side>))| {
            let carrier = image_module(&writer.finish().map_err(PackError::from)?);
            Ok((folder, Packed { carrier, sides }))
        };
        folders.into_iter().map(pack).collect()
    }

    fn request(&mut self, cwd: Option<&Snapshot>) -> Vec<u8> {
        let mut request = Vec::new();
        if let Some(cwd) = cwd {
            self.env.insert("PWD".into(), cwd.root.clone().into());
            put(&mut request, Kind::Cwd, &[cwd.root.as_os_str().as_bytes()]);
            for folder in &cwd.folders {
                put(&mut request, Kind::Folder, &[folder.as_os_str().as_bytes()]);
            }
            for (path, bytes) in &cwd.files {
                put(
                    &mut request,
                    Kind::File,
                    &[path.as_os_str().as_bytes(), b"\0", bytes],
                );
            }
        }
        for arg in &self.args {
            put(&mut request, Kind::Arg, &[arg.as_bytes()]);
        }
        for (name, value) in &self.env {
            put(
                &mut request,
                Kind::Env,
                &[name.as_bytes(), b"=", value.as_bytes()],
            );
        }
        request
    }
}

fn write_sides(sides: &[Side], dir: &Path) -> Result<Vec<(String, PathBuf)>, CacheError> {
    let write = |side: &Side| {
        let path = dir.join(format!("side-{}.wasm", side.key));
        fs::write(&path, &side.wasm).map_err(CacheError::io("write", &path))?;
        Ok((side.key.clone(), path))
    };
    sides.iter().map(write).collect()
}

/// What goes back and forth while a program runs.
struct Conversation<'a> {
    workerd: &'a LocalWorkerd,
    cwd: Option<Snapshot>,
    /// The side modules by key: the guest sees their skeletons, and may copy one.
    sides: HashMap<String, PathBuf>,
}

impl Conversation<'_> {
    fn hear(&mut self, mut answer: impl Read) -> Result<Exit, RunError> {
        let mut received = Vec::new();
        let mut buffer = vec![0; CHUNK];
        loop {
            let count = answer
                .read(&mut buffer)
                .map_err(|error| self.workerd.no_answer(error.to_string()))?;
            if count == 0 {
                return Err(self.workerd.no_answer("it broke off".to_owned()).into());
            }
            received.extend_from_slice(&buffer[..count]);
            let mut rest = &received[..];
            while let Some((kind, content)) =
                take(&mut rest).map_err(|UnknownKind(kind)| RunError::Answer {
                    reason: UnknownKind(kind).to_string(),
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

    fn frame(&mut self, kind: Kind, content: &[u8]) -> Result<Option<Exit>, RunError> {
        match kind {
            Kind::Stdout => write(
                &mut io::stdout().lock(),
                content,
                "write to standard output",
            )?,
            Kind::Stderr => write(&mut io::stderr().lock(), content, "write to standard error")?,
            Kind::WantStdin => self.give_input()?,
            Kind::Folder | Kind::File | Kind::Removed => self.change(kind, content)?,
            Kind::Exit => {
                let code = content.try_into().map(u32::from_le_bytes);
                return code
                    .map(|code| Some(Exit::Code(code)))
                    .map_err(|_| broken("an exit code of another length"));
            }
            Kind::Fault => {
                return Ok(Some(Exit::Fault(
                    String::from_utf8_lossy(content).into_owned(),
                )));
            }
            Kind::Arg | Kind::Env | Kind::Cwd | Kind::Stdin => {
                return Err(broken("it sends what only we send"));
            }
        }
        Ok(None)
    }

    fn give_input(&self) -> Result<(), RunError> {
        let mut buffer = vec![0; CHUNK];
        let read = io::stdin().lock().read(&mut buffer);
        let count = read.map_err(|source| RunError::Stream {
            doing: "read standard input",
            source,
        })?;
        let mut message = Vec::new();
        put(&mut message, Kind::Stdin, &[&buffer[..count]]);
        self.workerd.post("/stdin", &message)?;
        Ok(())
    }

    fn change(&mut self, kind: Kind, content: &[u8]) -> Result<(), RunError> {
        let cwd = self
            .cwd
            .as_ref()
            .ok_or_else(|| broken("it changes a directory that it was not given"))?;
        let path = |bytes: &[u8]| PathBuf::from(OsString::from_vec(bytes.to_vec()));
        match kind {
            Kind::Folder => cwd.make_folder(&path(content))?,
            Kind::Removed => cwd.remove(&path(content))?,
            _ => {
                let end = content
                    .iter()
                    .position(|byte| *byte == 0)
                    .ok_or_else(|| broken("a file without a name"))?;
                let (name, bytes) = (path(&content[..end]), &content[end + 1..]);
                match crate::skeleton::key(bytes).and_then(|key| self.sides.get(key)) {
                    // What the guest took for a side module, the user shall have as one.
                    Some(side) => {
                        let whole = fs::read(side).map_err(CacheError::io("read", side))?;
                        cwd.write(&name, &whole)?;
                    }
                    None => cwd.write(&name, bytes)?,
                }
            }
        }
        Ok(())
    }
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
