//! Runs a program in a guest on either engine, through the libraries that the command uses.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};

use libtest_mimic::Failed;
use pymode_native::{Captured, Output};
use pymode_tests::Engine;
use pymode_toolchain::{Cache, Reporter, libcxx, zig};
use pymode_workerd::{Exit, Runtime};
use tempfile::TempDir;

/// A program, its arguments, and the files that it may see.
pub(crate) struct Invocation<'a> {
    pub(crate) program: &'a Path,
    pub(crate) args: &'a [&'a str],
    pub(crate) env: &'a [(&'a str, &'a str)],
    /// A directory, and its path in the guest.
    pub(crate) folder: (&'a str, &'a Path),
}

impl Invocation<'_> {
    /// Runs the program. Returns its exit status and standard output.
    pub(crate) fn run(&self, engine: Engine) -> Result<(Exit, String), Failed> {
        match engine.0 {
            "wasmtime" => self.natively(),
            _ => self.in_a_worker(),
        }
    }

    /// The standard output of a program that must succeed.
    pub(crate) fn says(&self, engine: Engine) -> Result<String, Failed> {
        match self.run(engine)? {
            (Exit::Code(0), said) => Ok(said),
            (Exit::Failure(fault), said) => Err(format!("{fault}\nit said\n{said}").into()),
            (exit, said) => {
                Err(format!("it ended with {} and printed\n{said}", exit.code()).into())
            }
        }
    }

    fn natively(&self) -> Result<(Exit, String), Failed> {
        let out = Captured::new();
        let code = Cache::open()?.root().join("code");
        let program = pymode_native::Program::open(self.program, &code)?;
        let mut run = program.run();
        run.args(self.args).stdout(Output::Capture(out.clone()));
        for (name, value) in self.env {
            run.env(name, value);
        }
        let (at, folder) = self.folder;
        run.mount_read_only(at, folder)?;
        let library = cxx_library()?;
        run.mount_read_only(format!("/lib/{}", libcxx::MODULE), &library)?;
        Ok((run.start()?, out.take_text()))
    }

    fn in_a_worker(&self) -> Result<(Exit, String), Failed> {
        let out = SharedBuffer::default();
        let program = pymode_workerd::Program::open(runtime()?, self.program)?;
        let mut run = program.run();
        run.args(self.args).stdout(out.clone());
        for (name, value) in self.env {
            run.env(name, value);
        }
        let (at, folder) = self.folder;
        run.mount(at, folder);
        let at = Path::new("/lib").join(libcxx::MODULE);
        run.file(&at, &cxx_library()?);
        let exit = run.start()?;
        let said = out.0.lock().map_err(|error| error.to_string())?;
        Ok((exit, String::from_utf8(said.clone())?))
    }
}

/// A built case, for all engines.
pub(crate) struct Built {
    pub(crate) folder: TempDir,
    /// Expected output.
    pub(crate) expected: String,
}

/// A case that is built by the first engine that needs it.
#[derive(Default)]
pub(crate) struct Once(OnceLock<Result<Built, String>>);

impl Once {
    pub(crate) fn get(
        &self,
        build: impl FnOnce() -> Result<Built, Failed>,
    ) -> Result<&Built, Failed> {
        let built = self.0.get_or_init(|| {
            build().map_err(|failed| failed.message().unwrap_or_default().to_owned())
        });
        Ok(built.as_ref()?)
    }
}

/// A stream that keeps its content.
#[derive(Clone, Default)]
struct SharedBuffer(Arc<Mutex<Vec<u8>>>);

impl Write for SharedBuffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut said = self.0.lock().map_err(|_| io::ErrorKind::Other)?;
        said.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The Worker's code and a workerd, built once for all cases.
fn runtime() -> Result<&'static Runtime, Failed> {
    static RUNTIME: OnceLock<Result<Runtime, String>> = OnceLock::new();
    let runtime = RUNTIME.get_or_init(|| {
        let reporter = Reporter::stderr();
        let open = || {
            Ok(Runtime::open(
                &Cache::open()?.with_reporter(&reporter),
                &reporter,
            )?)
        };
        open().map_err(|error: Box<dyn std::error::Error>| error.to_string())
    });
    Ok(runtime.as_ref()?)
}

/// The C++ library, which is in `/lib` in every host.
fn cxx_library() -> Result<PathBuf, Failed> {
    let reporter = Reporter::stderr();
    let cache = Cache::open()?.with_reporter(&reporter);
    let library = libcxx::provision(&cache, &reporter, &zig::provision(&cache, &reporter)?)?;
    Ok(library.module())
}
