//! One run of Python on either engine, with this process's standard streams.

use std::ffi::OsStr;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use pymode_workerd::Room;

use crate::args::Engine;
use crate::failure::Failure;
use crate::python::Context;

/// Arguments and resources of a run.
pub(crate) struct Job<'a, A> {
    /// The arguments after `python` on a command line.
    pub(crate) args: &'a [A],
    /// Directories to import from.
    pub(crate) sites: &'a [PathBuf],
    /// The current directory, readable and writable.
    pub(crate) cwd: &'a Path,
    /// One more file: its path in the guest, and its path here.
    pub(crate) file: Option<(PathBuf, PathBuf)>,
    /// Maximum memory of Python in bytes. `None` is the engine's default.
    pub(crate) memory: Option<u64>,
    /// Maximum size of the current directory where it is copied.
    pub(crate) room: Room,
}

impl<A: AsRef<OsStr>> Job<'_, A> {
    /// Runs Python, and reports a failure on stderr.
    pub(crate) fn run(&self, context: &Context, engine: Engine) -> Result<ExitCode, Failure> {
        match engine {
            Engine::Wasmtime => self.natively(context),
            Engine::Workerd => self.in_a_worker(context),
        }
    }

    fn natively(&self, context: &Context) -> Result<ExitCode, Failure> {
        use pymode_native::Exit;
        let python = context.native()?;
        let mut run = python.run();
        run.cwd(self.cwd)?;
        for site in self.sites {
            run.site(site)?;
        }
        if let Some((at, file)) = &self.file {
            run.mount_read_only(at.clone(), file)?;
        }
        if let Some(memory) = self.memory {
            run.memory_limit(usize::try_from(memory).unwrap_or(usize::MAX));
        }
        run.args(self.args);
        if traces_loads() {
            run.trace_loads();
        }
        let exit = run.start()?;
        if let Exit::Failure(fault) = &exit {
            report_failure(fault);
        }
        Ok(ExitCode::from(exit.code()))
    }

    fn in_a_worker(&self, context: &Context) -> Result<ExitCode, Failure> {
        use pymode_workerd::Exit;
        let python = context.worker()?;
        let mut run = python.run();
        run.cwd(self.cwd).room(self.room).args(self.args);
        if let Some(memory) = self.memory {
            run.memory_limit(memory);
        }
        for site in self.sites {
            run.site(site);
        }
        if let Some((at, file)) = &self.file {
            run.file(at, file);
        }
        if traces_loads() {
            run.trace_loads();
        }
        let exit = run.start()?;
        if let Exit::Failure(fault) = &exit {
            report_failure(fault);
        }
        Ok(ExitCode::from(exit.code()))
    }
}

/// Returns `true` if the loader should trace its work, like `LD_DEBUG=all`.
pub(crate) fn traces_loads() -> bool {
    std::env::var_os("PYMODE_DL_DEBUG").is_some_and(|value| !value.is_empty() && value != "0")
}

/// Prints the reason why a program failed.
pub(crate) fn report_failure(fault: &impl fmt::Display) {
    eprintln!("error: {fault}");
}
