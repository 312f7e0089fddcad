//! One program in C that does to many paths all that a program can do to a path (`programs/paths/main.c`): built and run by this
//! machine, and by guests over each file system that a guest can write to. All must tell the same.
//!
//! `programs/paths/differs.txt` lists what must differ: a line that begins with `#` gives the reason for the lines that follow, each of
//! which is what a guest says instead of what this machine says about the same call.

mod common;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::Arc;

use libtest_mimic::{Arguments, Failed, Trial};
use pymode_native::{Captured, Exit, Output};
use pymode_tests::Engine;
use pymode_toolchain::Cache;
use pymode_toolchain::cc::{self, Language};

use crate::common::{Built, Invocation, Once};

fn main() -> ExitCode {
    let built = Arc::new(Once::default());
    let memory = Engine::ALL.iter().map(|engine| {
        let built = Arc::clone(&built);
        Trial::test(format!("{}/paths/memory", engine.0), move || {
            compare(&built, |program| in_memory(program, *engine))
        })
    });
    let machine = Arc::clone(&built);
    let machine = Trial::test("wasmtime/paths/directory", move || {
        compare(&machine, in_a_directory)
    });
    let trials = memory.chain([machine]).collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn compare(built: &Once, says: impl FnOnce(&Path) -> Result<String, Failed>) -> Result<(), Failed> {
    let built = built.get(make)?;
    let said = says(&built.folder.path().join("paths.wasm"))?;
    let (mut expected, mut found) = (built.expected.lines(), said.lines());
    let mut wrong = Vec::new();
    loop {
        match (expected.next(), found.next()) {
            (None, None) => break,
            (expected, found) if expected == found => {}
            (expected, found) => wrong.push(format!(
                "expected: {}\n   found: {}",
                expected.unwrap_or_default(),
                found.unwrap_or_default()
            )),
        }
    }
    match wrong.len() {
        0 => Ok(()),
        count => Err(format!("{count} lines differ\n{}", wrong.join("\n")).into()),
    }
}

/// Builds the program for this machine and for guests, and has this machine say what it says.
fn make() -> Result<Built, Failed> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("programs/paths");
    let folder = tempfile::tempdir()?;
    let here = folder.path().join("here");
    let program = source.join("main.c");
    let compiled = Command::new("cc")
        .args(["-O1", "-w", "-o"])
        .arg(&here)
        .arg(&program)
        .status()?;
    if !compiled.success() {
        return Err("the program cannot be built".into());
    }
    let guest = folder.path().join("paths.wasm");
    let words = ["-O1", "-w", "-o"].map(Into::into);
    let words = words.into_iter().chain([guest.into(), program.into()]);
    if cc::run(Language::C, words) != ExitCode::SUCCESS {
        return Err("the program cannot be built for a guest".into());
    }
    let room = tempfile::tempdir()?;
    let output = Command::new(&here).arg(room.path()).output()?;
    let native = String::from_utf8(output.stdout)?;
    if !output.status.success() {
        return Err(format!("the program itself is wrong: here it says\n{native}").into());
    }
    let expected = with_differences(&native, &source.join("differs.txt"))?;
    Ok(Built { folder, expected })
}

/// Expected output of a guest. A difference that no longer exists is an error.
fn with_differences(native: &str, path: &Path) -> Result<String, Failed> {
    let text = std::fs::read_to_string(path)?;
    let lines = text.lines().filter(|line| !line.is_empty());
    let mut differs = BTreeMap::new();
    for line in lines.filter(|line| !line.starts_with('#')) {
        let (call, _) = line.split_once(": ").ok_or("a difference has no result")?;
        differs.insert(call, line);
    }
    let mut expected = String::new();
    for line in native.lines() {
        let call = line.split_once(": ").map_or(line, |(call, _)| call);
        let line = match differs.remove(call) {
            Some(other) if other == line => {
                return Err(format!("`{line}` does not differ: it can go").into());
            }
            Some(other) => other,
            None => line,
        };
        expected.push_str(line);
        expected.push('\n');
    }
    match differs.keys().next() {
        None => Ok(expected),
        Some(call) => Err(format!("`{call}` is not called").into()),
    }
}

/// In `/tmp`, which is in memory in every host.
fn in_memory(program: &Path, engine: Engine) -> Result<String, Failed> {
    let empty = tempfile::tempdir()?;
    let guest = Invocation {
        program,
        args: &["paths", "/tmp"],
        env: &[],
        folder: ("/site", empty.path()),
    };
    guest.says(engine)
}

/// In a directory of this machine.
fn in_a_directory(program: &Path) -> Result<String, Failed> {
    let folder = tempfile::tempdir()?;
    let room: PathBuf = folder.path().canonicalize()?;
    let out = Captured::new();
    let code = Cache::open()?.root().join("code");
    let mut run = pymode_native::Program::open(program, &code)?.run();
    run.arg("paths").arg(&room);
    run.stdout(Output::Capture(out.clone()));
    run.mount_read_write(&room, &room)?;
    match run.start()? {
        Exit::Code(0) => Ok(out.take_text()),
        exit => Err(format!("it ended with {exit:?} and said\n{}", out.take_text()).into()),
    }
}
