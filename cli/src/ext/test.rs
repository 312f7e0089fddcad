//! `pymode ext test`: runs a package's own tests in the guest.

use std::path::Path;
use std::process::ExitCode;

use pymode_ext::{Files, Outcome, Spec, Suite};
use pymode_workerd::Room;
use serde::Serialize;
use walkdir::WalkDir;

use crate::args::{Engine, Megabytes};
use crate::failure::Failure;
use crate::job::Job;
use crate::python::Context;

/// Files that the guest writes in its working directory, which is temporary.
const FILES: Files<'_> = Files {
    report: ".pymode-outcome.json",
    running: ".pymode-running",
};

/// Maximum size of the copy of a suite in a Worker. Its memory is this machine's.
const ROOM: Room = Room {
    bytes: 1 << 30,
    entries: 200_000,
};

/// Arguments of the command.
pub(crate) struct TestRun<'a> {
    pub(crate) spec: &'a str,
    pub(crate) engine: Engine,
    pub(crate) memory: Megabytes,
    /// File for the result.
    pub(crate) report: Option<&'a Path>,
    /// Arguments of the test runner.
    pub(crate) args: &'a [String],
}

pub(crate) fn test(run: &TestRun<'_>) -> Result<ExitCode, Failure> {
    let spec: Spec = run.spec.parse().map_err(Failure::usage)?;
    let context = Context::open()?;
    let suite = context.builder()?.suite(&spec)?;
    // The suite's folder is shared, and tests write to their working directory.
    let scratch = tempfile::tempdir()?;
    copy(&suite.dir, scratch.path()).map_err(|e| Failure::file("copy", &suite.dir, &e))?;
    let job = Job {
        args: &suite.args(run.args, Some(&FILES)),
        sites: &suite.site,
        cwd: scratch.path(),
        file: None,
        memory: Some(run.memory.bytes()),
        room: ROOM,
    };
    let code = job.run(&context, run.engine)?;
    let outcome = Outcome::read(&scratch.path().join(FILES.report));
    if outcome.is_none()
        && let Ok(name) = std::fs::read_to_string(scratch.path().join(FILES.running))
        && !name.is_empty()
    {
        eprintln!("error: the suite ended during `{name}`");
    }
    if let Some(path) = run.report {
        write_report(path, &suite, outcome)?;
    }
    Ok(code)
}

/// Content of the `--report` file.
#[derive(Serialize)]
struct Report<'s> {
    package: &'s str,
    build_milliseconds: Option<u64>,
    wheel_bytes: u64,
    /// Reason why these are not the package's own tests, if they are not.
    proof: Option<&'s str>,
    /// `None` if the guest ended before it wrote a result.
    outcome: Option<Outcome>,
}

fn write_report(path: &Path, suite: &Suite, outcome: Option<Outcome>) -> Result<(), Failure> {
    let milliseconds = |time: std::time::Duration| u64::try_from(time.as_millis()).ok();
    let report = Report {
        package: &suite.what,
        build_milliseconds: suite.build_time.and_then(milliseconds),
        wheel_bytes: std::fs::metadata(&suite.wheel.path)?.len(),
        proof: suite.proof.as_deref(),
        outcome,
    };
    let text = serde_json::to_string_pretty(&report).map_err(std::io::Error::from)?;
    std::fs::write(path, text).map_err(|e| Failure::file("write", path, &e))
}

fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    for entry in WalkDir::new(from) {
        let entry = entry?;
        let target = to.join(
            entry
                .path()
                .strip_prefix(from)
                .expect("the walk begins there"),
        );
        if entry.file_type().is_dir() {
            std::fs::create_dir_all(&target)?;
        } else {
            std::fs::copy(entry.path(), &target)?;
        }
    }
    Ok(())
}
