//! The benchmark cases and their environment.

mod build;
mod dlopen;
mod interpreter;
mod library;
mod linker;
mod start;
mod v8_dlopen;
mod v8_linker;
mod worker;
mod world;

use std::error::Error;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use pymode_python::Built;
use pymode_toolchain::{Cache, Reporter};

use crate::pair::{Sample, measure};

/// The result of a case, or the reason why it could not run.
pub(crate) type Outcome = Result<Vec<Sample>, Box<dyn Error>>;

/// A case: its name and its function.
pub(crate) type Case = (&'static str, fn(&Bench) -> Outcome);

/// Every case.
pub(crate) const CASES: &[Case] = &[
    ("start", start::start),
    ("interpreter", interpreter::interpreter),
    ("dlopen", dlopen::dlopen),
    ("build", build::build),
    ("worker-start", worker::start),
    ("worker-request", worker::request),
    ("worker-dlopen", worker::dlopen),
    ("worker-import", worker::import),
    ("worker-wait", worker::wait),
    ("linker", linker::linker),
    ("v8-dlopen", v8_dlopen::v8_dlopen),
    ("v8-linker", v8_linker::v8_linker),
];

/// The environment of a case.
pub(crate) struct Bench {
    /// The measured command.
    pub(crate) pymode: PathBuf,
    /// The interpreter under test, and the native one as baseline.
    pub(crate) python: Built,
    /// Number of measured pairs.
    pub(crate) runs: usize,
    cache: Cache,
    reporter: Reporter,
}

impl Bench {
    pub(crate) fn open(pymode: Option<PathBuf>, runs: usize) -> Result<Self, Box<dyn Error>> {
        let pymode = match pymode {
            Some(path) => path,
            None => std::env::current_exe()?.with_file_name("pymode"),
        };
        if !pymode.is_file() {
            return Err(format!(
                "no such file: `{}`\n  hint: run `cargo build --release -p pymode`",
                pymode.display()
            )
            .into());
        }
        let reporter = Reporter::stderr();
        let cache = Cache::open()?.with_reporter(&reporter);
        Ok(Self {
            pymode,
            python: pymode_python::build(&cache, &reporter, pymode_python::Options::default())?,
            runs,
            cache,
            reporter,
        })
    }

    /// `pymode run`, to be given arguments.
    pub(crate) fn guest(&self) -> Command {
        let mut command = Command::new(&self.pymode);
        command.arg("run");
        command
    }

    /// The native Python without arguments.
    pub(crate) fn native(&self) -> Command {
        Command::new(&self.python.native)
    }

    /// Times two commands in turn.
    pub(crate) fn commands(
        &self,
        case: &str,
        (subject, mut run_subject): (&str, Command),
        (baseline, mut run_baseline): (&str, Command),
    ) -> Result<Sample, Box<dyn Error>> {
        let pairs = measure(
            self.runs,
            || finish(&mut run_subject),
            || finish(&mut run_baseline),
        )?;
        Ok(Sample {
            case: case.into(),
            subject: subject.into(),
            baseline: baseline.into(),
            pairs,
        })
    }
}

fn finish(command: &mut Command) -> Result<(), String> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|e| format!("could not start `{}`: {e}", command.get_program().display()))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!(
        "{command:?} ended with {}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    ))
}
