//! Runs every case on every engine, and each package's own test suite.

use std::path::Path;
use std::process::ExitCode;

use libtest_mimic::{Failed, Trial};
use pymode_tests::{Engine, Pymode, judge, load_all};

/// Packages whose upstream suites must pass in the guest.
const UPSTREAM: &[&str] = &["markupsafe", "simplejson"];

fn main() -> ExitCode {
    pymode_tests::run(trials)
}

fn trials(pymode: &Pymode) -> Vec<Trial> {
    let mut trials = Vec::new();
    for (name, case) in load_all(&Path::new(env!("CARGO_MANIFEST_DIR")).join("cases")) {
        let case = std::sync::Arc::new(case);
        let engines = if case.verb.is_empty() {
            Engine::ALL
        } else {
            &[Engine("command")]
        };
        for &engine in engines {
            let (pymode, case) = (pymode.clone(), case.clone());
            trials.push(Trial::test(format!("{}/{name}", engine.0), move || {
                let folder = tempfile::tempdir()?;
                // The command sees the real path: a temporary folder may be behind a symbolic link.
                let path = folder.path().canonicalize()?;
                let output = pymode.run(&case, engine, &path)?;
                judge(&case, &output, &path).map_err(Failed::from)
            }));
        }
    }
    for &engine in Engine::ALL {
        for &package in UPSTREAM {
            let pymode = pymode.clone();
            trials.push(Trial::test(
                format!("{}/upstream/{package}", engine.0),
                move || upstream(&pymode, engine, package),
            ));
        }
    }
    trials
}

/// Runs `pymode ext test`, which fails unless the C speedups were loaded from a `.wasm` and a test ran.
fn upstream(pymode: &Pymode, engine: Engine, package: &str) -> Result<(), Failed> {
    let output = pymode
        .command()
        .args(["ext", "test", package, "--engine", engine.0])
        .output()?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!(
        "{}\n{}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
    .into())
}
