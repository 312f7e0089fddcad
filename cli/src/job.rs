//! One run of Python to its end, on either engine, with this process's standard streams.

use std::ffi::OsStr;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use pymode_workerd::Room;

use crate::args::Engine;
use crate::failure::Failure;
use crate::python::Workshop;

/// What Python is to run, and what it may see.
pub(crate) struct Job<'a, A> {
    /// What follows `python` on a command line.
    pub(crate) args: &'a [A],
    /// Directories to import from.
    pub(crate) sites: &'a [PathBuf],
    /// The current directory, readable and writable.
    pub(crate) cwd: &'a Path,
    /// One more file: where the guest sees it, and where it is.
    pub(crate) file: Option<(PathBuf, PathBuf)>,
    /// How much memory Python may use, in bytes; what the engine has for it when nothing is said.
    pub(crate) memory: Option<u64>,
    /// How large the current directory may be where a copy of it is made.
    pub(crate) room: Room,
}

impl<A: AsRef<OsStr>> Job<'_, A> {
    /// Runs it, and says on stderr what it died of.
    pub(crate) fn run(&self, workshop: &Workshop, engine: Engine) -> Result<ExitCode, Failure> {
        match engine {
            Engine::Wasmtime => self.natively(workshop),
            Engine::Workerd => self.in_a_worker(workshop),
        }
    }

    fn natively(&self, workshop: &Workshop) -> Result<ExitCode, Failure> {
        use pymode_native::Exit;
        let python = workshop.native()?;
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
        if let Exit::Fault(fault) = &exit {
            tell(fault);
        }
        Ok(ExitCode::from(exit.code()))
    }

    fn in_a_worker(&self, workshop: &Workshop) -> Result<ExitCode, Failure> {
        use pymode_workerd::Exit;
        let python = workshop.worker()?;
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
        if let Exit::Fault(fault) = &exit {
            tell(fault);
        }
        Ok(ExitCode::from(exit.code()))
    }
}

/// Whether the loader is to tell what it does, as `LD_DEBUG=all` has it elsewhere.
pub(crate) fn traces_loads() -> bool {
    std::env::var_os("PYMODE_DL_DEBUG").is_some_and(|value| !value.is_empty() && value != "0")
}

/// Says what a program died of.
pub(crate) fn tell(fault: &impl fmt::Display) {
    eprintln!("error: {fault}");
}
