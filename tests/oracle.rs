//! Scripts of `oracle/`: the native Python, built from the same source, says what must come out, and Python in the guest says the
//! same on either engine. A line that differs is named, with both.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::{Arc, OnceLock};

use libtest_mimic::{Failed, Trial};
use pymode_tests::{Engine, Pymode};
use pymode_toolchain::Cache;

fn main() -> ExitCode {
    pymode_tests::run(trials)
}

fn trials(pymode: &Pymode) -> Vec<Trial> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("oracle");
    let mut scripts: Vec<PathBuf> = fs::read_dir(&folder)
        .expect("the folder of the scripts is there")
        .map(|entry| entry.expect("the folder of the scripts can be read").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "py"))
        .collect();
    scripts.sort();
    let mut trials = Vec::new();
    for script in scripts {
        let stem = script.file_stem().expect("it ends in .py");
        let name = stem.to_string_lossy().into_owned();
        let expected = Arc::new(OnceLock::new());
        for engine in Engine::ALL {
            let (pymode, script, expected) =
                (pymode.clone(), script.clone(), Arc::clone(&expected));
            let trial = move || {
                let expected = expected.get_or_init(|| natively(&script)).clone()?;
                compare(&expected, &in_the_guest(&pymode, *engine, &script)?)
            };
            trials.push(Trial::test(format!("{}/oracle/{name}", engine.0), trial));
        }
    }
    trials
}

/// Returns the output of the native Python in the cache.
fn natively(script: &Path) -> Result<String, String> {
    let failed = |error: &dyn std::fmt::Display| error.to_string();
    let cache = Cache::open().map_err(|error| failed(&error))?;
    let reporter = pymode_toolchain::Reporter::quiet();
    let built = pymode_python::build(&cache, &reporter, pymode_python::Options::default())
        .map_err(|error| failed(&error))?;
    let mut command = Command::new(built.native);
    // The locale and the zone of this machine are not the guest's.
    command
        .arg("-I")
        .arg(script)
        .env_clear()
        .env("LC_ALL", "C.UTF-8")
        .env("TZ", "UTC");
    text_of(command).map_err(|error| failed(&error))
}

fn in_the_guest(pymode: &Pymode, engine: Engine, script: &Path) -> Result<String, String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    fs::copy(script, folder.path().join("main.py")).map_err(|error| error.to_string())?;
    let mut command = pymode.command();
    command
        .args(["run", "--engine", engine.0, "main.py"])
        .current_dir(folder.path());
    text_of(command)
}

fn text_of(mut command: Command) -> Result<String, String> {
    let output = command.output().map_err(|error| error.to_string())?;
    let stderr = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        return Err(format!("{:?}: {}\n{stderr}", command, output.status));
    }
    String::from_utf8(output.stdout).map_err(|error| error.to_string())
}

fn compare(expected: &str, found: &str) -> Result<(), Failed> {
    let (wanted, got) = (expected.lines().count(), found.lines().count());
    let mut report: Vec<String> = expected
        .lines()
        .zip(found.lines())
        .filter(|(wanted, got)| wanted != got)
        .map(|(wanted, got)| format!("native: {wanted}\n guest: {got}"))
        .collect();
    if wanted != got {
        report.push(format!(
            "the native one says {wanted} lines, the guest {got}"
        ));
    }
    if wanted == 0 {
        report.push("the script says nothing".into());
    }
    match report.len() {
        0 => Ok(()),
        count => {
            report.truncate(40);
            Err(format!("{count} differences\n{}", report.join("\n")).into())
        }
    }
}
