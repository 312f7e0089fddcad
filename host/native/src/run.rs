//! One run of a program: what it is given, and how it ends.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use pymode_dylink_wasmtime::StoreData as _;
use pymode_host::dl::{self, LIBRARY_PATH};
use pymode_host::vfs::{DevFs, FileSystem, ImageFs, MemFs, Vfs};
use pymode_host::wasi::{self, Stdio, Wasi};
use pymode_host::{Exit, Platform};
use wasmtime::{Store, StoreLimitsBuilder};

use crate::engine::THREAD_STACK;
use crate::error::Error;
use crate::failure::guest_failure;
use crate::guest::GuestProcess;
use crate::host_dir::{DirectoryAccess, HostDir};
use crate::mapped::Mapped;
use crate::platform::{self, NativePlatform};
use crate::program::Program;
use crate::stdio::{Output, Stdin};

/// Default size of `/tmp` in bytes.
const TMP_LIMIT: u64 = 512 << 20;

/// Maximum number of modules that a guest loads in its life. wasmtime frees instances with the whole store, so a closed library
/// still counts; each takes about two kilobytes.
const INSTANCES: usize = 1 << 20;

/// A run of a program: set its arguments, files and streams, then start it.
///
/// The guest sees `/`, which is the image or empty, a `/tmp` in memory, a small `/dev`, and what is mounted; nothing else of this machine. Its environment is empty
/// but for what it is given.
pub struct Run {
    program: Program,
    pub(crate) image: Option<ImageFs<Mapped>>,
    args: Vec<Vec<u8>>,
    env: Vec<(Vec<u8>, Vec<u8>)>,
    mounts: Vec<(Vec<u8>, HostDir)>,
    library_path: Vec<String>,
    stdin: Stdin,
    stdout: Output,
    stderr: Output,
    memory_limit: Option<usize>,
    tmp_limit: u64,
    traces_loads: bool,
}

impl Run {
    pub(crate) fn new(program: Program) -> Run {
        Run {
            program,
            image: None,
            args: Vec::new(),
            env: Vec::new(),
            mounts: Vec::new(),
            library_path: vec![LIBRARY_PATH.into()],
            stdin: Stdin::default(),
            stdout: Output::default(),
            stderr: Output::default(),
            memory_limit: None,
            tmp_limit: TMP_LIMIT,
            traces_loads: false,
        }
    }

    /// Adds an argument. The first one of a [`Program`] is its own name; Python has it already.
    pub fn arg(&mut self, arg: impl AsRef<OsStr>) -> &mut Run {
        self.args.push(arg.as_ref().as_bytes().to_vec());
        self
    }

    /// Adds arguments.
    pub fn args(&mut self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> &mut Run {
        for arg in args {
            self.arg(arg);
        }
        self
    }

    /// Sets a variable of the guest's environment.
    pub fn env(&mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> &mut Run {
        let name = name.as_ref().as_bytes();
        self.env.retain(|(there, _)| there != name);
        self.env
            .push((name.to_vec(), value.as_ref().as_bytes().to_vec()));
        self
    }

    pub(crate) fn env_get(&self, name: &str) -> Option<&[u8]> {
        let found = self.env.iter().find(|(there, _)| there == name.as_bytes());
        found.map(|(_, value)| &value[..])
    }

    /// Mounts a directory or a single file of this machine at an absolute path of the guest, for reading only.
    ///
    /// # Errors
    /// When it cannot be opened, or `at` is not an absolute path.
    pub fn mount_read_only(
        &mut self,
        at: impl AsRef<OsStr>,
        host: &Path,
    ) -> Result<&mut Run, Error> {
        self.mount(at.as_ref(), host, DirectoryAccess::ReadOnly)
    }

    /// Mounts a directory or a single file of this machine at an absolute path of the guest, for reading and writing.
    ///
    /// # Errors
    /// When it cannot be opened, or `at` is not an absolute path.
    pub fn mount_read_write(
        &mut self,
        at: impl AsRef<OsStr>,
        host: &Path,
    ) -> Result<&mut Run, Error> {
        self.mount(at.as_ref(), host, DirectoryAccess::ReadWrite)
    }

    fn mount(
        &mut self,
        at: &OsStr,
        host: &Path,
        access: DirectoryAccess,
    ) -> Result<&mut Run, Error> {
        let refuse = |reason| {
            Err(Error::MountPoint {
                path: at.to_string_lossy().into_owned(),
                reason,
            })
        };
        let path = at.as_bytes();
        if !path.starts_with(b"/") || path.contains(&0) {
            return refuse("expected an absolute path");
        }
        if path.iter().all(|&byte| byte == b'/') {
            return refuse("the root is the image's");
        }
        if path.split(|&byte| byte == b'/').any(|name| name == b"..") {
            return refuse("it contains `..`");
        }
        let dir = HostDir::open(host, access).map_err(Error::file("open", host))?;
        self.mounts.push((path.to_vec(), dir));
        Ok(self)
    }

    /// Gives the guest a directory of this machine, for reading and writing, at the same absolute path, as its current directory.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn cwd(&mut self, dir: &Path) -> Result<&mut Run, Error> {
        let dir: PathBuf = dir.canonicalize().map_err(Error::file("open", dir))?;
        self.mount_read_write(&dir, &dir)?;
        Ok(self.env("PWD", &dir))
    }

    /// Lets the guest's `dlopen` find libraries in a directory of this machine when it is asked for them without a path. It is
    /// mounted for reading only, and searched after those that were given before.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn library(&mut self, dir: &Path) -> Result<&mut Run, Error> {
        let at = format!("/library/{}", self.library_path.len());
        self.mount_read_only(&at, dir)?;
        self.library_path.push(at);
        Ok(self)
    }

    /// Sets the guest's standard input.
    pub fn stdin(&mut self, stdin: Stdin) -> &mut Run {
        self.stdin = stdin;
        self
    }

    /// Sets the guest's standard output.
    pub fn stdout(&mut self, stdout: Output) -> &mut Run {
        self.stdout = stdout;
        self
    }

    /// Sets the guest's standard error.
    pub fn stderr(&mut self, stderr: Output) -> &mut Run {
        self.stderr = stderr;
        self
    }

    /// Sets the maximum size of the guest's memory in bytes. The default is 4 GiB, the whole address space.
    pub fn memory_limit(&mut self, bytes: usize) -> &mut Run {
        self.memory_limit = Some(bytes);
        self
    }

    /// Sets the maximum size of `/tmp` in bytes.
    pub fn tmp_limit(&mut self, bytes: u64) -> &mut Run {
        self.tmp_limit = bytes;
        self
    }

    /// Tells on the guest's standard error what the loader does: where it looks for libraries, what it binds to what, which
    /// functions it calls, what it unloads.
    pub fn trace_loads(&mut self) -> &mut Run {
        self.traces_loads = true;
        self
    }

    /// Runs the program to its end, on a thread with a stack of its own.
    ///
    /// # Errors
    /// When it could not even be started. What happens to it after that is an [`Exit`].
    pub fn start(self) -> Result<Exit, Error> {
        let thread = std::thread::Builder::new()
            .name("guest".into())
            .stack_size(THREAD_STACK);
        let guest = thread
            .spawn(move || self.run_here())
            .map_err(|source| Error::Thread { source })?;
        match guest.join() {
            Ok(exit) => exit,
            // A bug of ours, and its message has been shown: let it be one of the caller's.
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }

    fn run_here(self) -> Result<Exit, Error> {
        let program = self.program.clone();
        let memory_limit = self.memory_limit;
        let mut store = Store::new(program.engine(), self.guest()?);
        store.limiter(|guest| &mut guest.limits);
        let ended = program.start(&mut store).and_then(|started| {
            let main = started.main();
            store.data_mut().memory = main.get_memory(&mut store, "memory");
            let module = program.main_module(main, started.imports());
            store.data_mut().linkage().set_main(module);
            started.run(&mut store)
        });
        Ok(match ended {
            Ok(()) => Exit::Code(0),
            Err(error) => match error.downcast_ref::<wasi::Exit>() {
                Some(exit) => Exit::Code(exit.code),
                None => {
                    let linkage = store.data_mut().linkage();
                    Exit::Failure(guest_failure(&error, &program, linkage, memory_limit))
                }
            },
        })
    }

    /// Creates the guest's state.
    fn guest(self) -> Result<GuestProcess, Error> {
        let machine: Arc<dyn Platform> = Arc::new(NativePlatform::new());
        let tmp = || MemFs::new(Arc::clone(&machine), self.tmp_limit);
        let root: Box<dyn FileSystem> = match self.image {
            Some(image) => Box::new(image),
            None => Box::new(MemFs::new(Arc::clone(&machine), 0)),
        };
        let variables = self.env.iter();
        let origin = dl::origin(
            self.args.first().map(Vec::as_slice),
            variables.map(|(name, value)| (&**name, &**value)),
        );
        let mut vfs = Vfs::new(root);
        vfs.mount(b"/tmp", Box::new(tmp()));
        vfs.mount(b"/dev", Box::new(DevFs::new(Arc::clone(&machine))));
        for (path, dir) in self.mounts {
            vfs.mount(&path, Box::new(dir));
        }
        let stdio = Stdio {
            stdin: self.stdin.stream(),
            stdout: self.stdout.stream(io::stdout()),
            stderr: self.stderr.stream(io::stderr()),
        };
        let mut wasi = Wasi::new(vfs, Arc::clone(&machine), stdio);
        // New files of the guest are as those of the user who runs it.
        wasi.umask(platform::mask().bits());
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        for arg in self.args {
            wasi.arg(&arg[..]).map_err(|_| Error::Text {
                text: text(&arg),
                reason: "it contains a NUL byte",
            })?;
        }
        for (name, value) in self.env {
            wasi.env(&name, &value).map_err(|_| Error::Text {
                text: text(&name),
                reason: "the name is empty or contains `=`, or there is a NUL byte",
            })?;
        }
        let limits = StoreLimitsBuilder::new().instances(INSTANCES);
        let limits = match self.memory_limit {
            Some(bytes) => limits.memory_size(bytes),
            None => limits,
        };
        let mut guest = GuestProcess::new(
            wasi,
            limits.build(),
            origin,
            self.library_path,
            self.program.code().clone(),
        );
        if self.traces_loads {
            guest.trace = Some(self.stderr.stream(io::stderr()));
        }
        Ok(guest)
    }
}
