//! The tools that every step of the build needs: the cache, zig, and a clean environment for the commands that it runs.

use std::path::{Path, PathBuf};
use std::process::Command;

use pymode_toolchain::zig::{self, Zig};
use pymode_toolchain::{Cache, Reporter, Step};

use crate::error::Error;
use crate::source::RELEASED;

/// Environment variables that a command of the build inherits. There are no others, so that two machines build the
/// same: no `CFLAGS`, no `MAKEFLAGS`, no `PYTHONPATH`.
const INHERITED: &[&str] = &["PATH", "HOME", "TMPDIR"];

/// The tools of the build.
#[derive(Debug)]
pub(crate) struct BuildContext<'a> {
    pub(crate) cache: &'a Cache,
    pub(crate) reporter: &'a Reporter,
    pub(crate) zig: Zig,
}

impl<'a> BuildContext<'a> {
    pub(crate) fn open(cache: &'a Cache, reporter: &'a Reporter) -> Result<Self, Error> {
        // configure and make split their variables at blanks, and quoting does not help.
        if cache.root().to_string_lossy().contains(char::is_whitespace) {
            return Err(Error::BlankInPath {
                path: cache.root().to_path_buf(),
            });
        }
        Ok(Self {
            cache,
            reporter,
            zig: zig::provision(cache, reporter)?,
        })
    }

    /// Returns a command that inherits only what it needs of the caller's environment.
    pub(crate) fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        command.env_clear();
        for name in INHERITED {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        command
            .env("LC_ALL", "C")
            .env("SOURCE_DATE_EPOCH", RELEASED.to_string())
            .env("ZIG_GLOBAL_CACHE_DIR", self.zig.cache())
            .env("ZIG_LOCAL_CACHE_DIR", self.zig.cache());
        command
    }

    /// `make` with as many jobs as there are processors.
    pub(crate) fn make(&self, directory: &Path) -> Command {
        let jobs = std::thread::available_parallelism().map_or(1, usize::from);
        let mut command = self.command("make");
        command.arg(format!("-j{jobs}")).current_dir(directory);
        command
    }

    /// Runs a command. Its log stays in the cache, also after a failure.
    pub(crate) fn run(&self, title: &str, log: &str, command: Command) -> Result<(), Error> {
        Ok(Step::run(self.reporter, title, command, &self.log(log))?)
    }

    pub(crate) fn log(&self, name: &str) -> PathBuf {
        self.cache.root().join("logs").join(format!("{name}.log"))
    }

    /// `zig` with its first argument, as one word for a shell.
    pub(crate) fn zig(&self, tool: &str) -> String {
        format!("{} {tool}", self.zig.exe.display())
    }
}
