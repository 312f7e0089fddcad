//! `pymode ext test`: a package's own tests, in the guest.

use std::path::Path;
use std::process::ExitCode;

use pymode_ext::{Files, Outcome, Spec, Suite};
use pymode_workerd::Room;
use serde::Serialize;

use crate::args::{Engine, Megabytes};
use crate::failure::Failure;
use crate::job::Job;
use crate::python::Workshop;

/// What the guest writes in its working directory, which is thrown away.
const FILES: Files<'_> = Files {
    report: ".pymode-outcome.json",
    running: ".pymode-running",
};

/// How much of a suite a Worker is given a copy of, and the memory that it is in is this machine's.
const ROOM: Room = Room {
    bytes: 1 << 30,
    entries: 200_000,
};

/// What is asked for.
pub(crate) struct Order<'a> {
    pub(crate) spec: &'a str,
    pub(crate) engine: Engine,
    pub(crate) memory: Megabytes,
    /// The file to write how it went to.
    pub(crate) report: Option<&'a Path>,
    /// What the test runner gets.
    pub(crate) args: &'a [String],
}

pub(crate) fn test(order: &Order<'_>) -> Result<ExitCode, Failure> {
    let spec: Spec = order.spec.parse().map_err(Failure::usage)?;
    let workshop = Workshop::open()?;
    let suite = workshop.builder()?.suite(&spec)?;
    // The suite's folder is shared by all who test this version, and tests write where they stand.
    let scratch = tempfile::tempdir()?;
    copy(&suite.dir, scratch.path()).map_err(|e| Failure::file("copy", &suite.dir, &e))?;
    let job = Job {
        args: &suite.args(order.args, Some(&FILES)),
        sites: &suite.site,
        cwd: scratch.path(),
        file: None,
        memory: Some(order.memory.bytes()),
        room: ROOM,
    };
    let code = job.run(&workshop, order.engine)?;
    let outcome = Outcome::read(&scratch.path().join(FILES.report));
    if outcome.is_none()
        && let Ok(name) = std::fs::read_to_string(scratch.path().join(FILES.running))
        && !name.is_empty()
    {
        eprintln!("error: the suite did not come to its end; it ended in `{name}`");
    }
    if let Some(path) = order.report {
        write_report(path, &suite, outcome)?;
    }
    Ok(code)
}

/// What `--report` holds.
#[derive(Serialize)]
struct Report<'s> {
    package: &'s str,
    build_milliseconds: Option<u64>,
    wheel_bytes: u64,
    /// Why these are not the package's own tests, if they are not.
    proof: Option<&'s str>,
    /// None when the guest ended before it could say.
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
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
