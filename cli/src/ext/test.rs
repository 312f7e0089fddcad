//! `pymode ext test`: a package's own tests, in the guest.

use std::path::Path;
use std::process::ExitCode;

use pymode_ext::{Outcome, Spec, Suite};
use serde::Serialize;

use crate::args::Engine;
use crate::failure::Failure;
use crate::job::Job;
use crate::python::Workshop;

/// Where the guest writes how it ended: in its working directory, which is thrown away.
const REPORT: &str = ".pymode-outcome.json";

pub(crate) fn test(
    spec: &str,
    engine: Engine,
    report: Option<&Path>,
    args: &[String],
) -> Result<ExitCode, Failure> {
    let spec: Spec = spec.parse().map_err(Failure::usage)?;
    let workshop = Workshop::open()?;
    let suite = workshop.builder()?.suite(&spec)?;
    // The suite's folder is shared by all who test this version, and tests write where they stand.
    let scratch = tempfile::tempdir()?;
    copy(&suite.dir, scratch.path()).map_err(|e| Failure::file("copy", &suite.dir, &e))?;
    let job = Job {
        args: &suite.args(args, Some(REPORT)),
        sites: &suite.site,
        cwd: scratch.path(),
        file: None,
    };
    let code = job.run(&workshop, engine)?;
    if let Some(path) = report {
        write_report(path, &suite, Outcome::read(&scratch.path().join(REPORT)))?;
    }
    Ok(code)
}

/// What `--report` holds.
#[derive(Serialize)]
struct Report<'s> {
    package: &'s str,
    build_milliseconds: Option<u64>,
    wheel_bytes: u64,
    /// None when the guest ended before it could say.
    outcome: Option<Outcome>,
}

fn write_report(path: &Path, suite: &Suite, outcome: Option<Outcome>) -> Result<(), Failure> {
    let milliseconds = |time: std::time::Duration| u64::try_from(time.as_millis()).ok();
    let report = Report {
        package: &suite.what,
        build_milliseconds: suite.build_time.and_then(milliseconds),
        wheel_bytes: std::fs::metadata(&suite.wheel.path)?.len(),
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
