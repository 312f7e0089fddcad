//! Programs with threads, in C and C++ (`programs/threads/`): built and run by this machine, and by guests on both engines. All must
//! write the same.

mod common;

use std::path::Path;
use std::process::{Command, ExitCode};
use std::sync::Arc;

use libtest_mimic::{Arguments, Failed, Trial};
use pymode_tests::Engine;
use pymode_toolchain::cc::{self, Language};

use crate::common::{Built, Invocation, Once};

struct Case {
    name: &'static str,
    source: &'static str,
    language: Language,
    compiler: &'static str,
    flags: &'static [&'static str],
}

const CASES: &[Case] = &[
    Case {
        name: "c",
        source: "main.c",
        language: Language::C,
        compiler: "cc",
        flags: &["-O1", "-pthread"],
    },
    Case {
        // Without `-pthread`: that it starts a thread is enough, as with glibc.
        name: "cxx",
        source: "main.cpp",
        language: Language::Cxx,
        compiler: "c++",
        flags: &["-O1", "-std=c++20"],
    },
];

fn main() -> ExitCode {
    let mut trials = Vec::new();
    for case in CASES {
        let built = Arc::new(Once::default());
        for engine in Engine::ALL {
            let built = Arc::clone(&built);
            let name = format!("{}/threads/{}", engine.0, case.name);
            trials.push(Trial::test(name, move || compare(case, &built, *engine)));
        }
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn compare(case: &'static Case, built: &Once, engine: Engine) -> Result<(), Failed> {
    let built = built.get(|| make(case))?;
    let empty = tempfile::tempdir()?;
    let guest = Invocation {
        program: &built.folder.path().join("threads.wasm"),
        args: &["threads"],
        env: &[],
        folder: ("/site", empty.path()),
    };
    let found = guest.says(engine)?;
    if found != built.expected {
        return Err(format!("expected:\n{}\nfound:\n{found}", built.expected).into());
    }
    Ok(())
}

fn make(case: &Case) -> Result<Built, Failed> {
    let program = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("programs/threads")
        .join(case.source);
    let folder = tempfile::tempdir()?;
    let here = folder.path().join("here");
    let compiled = Command::new(case.compiler)
        .args(case.flags)
        .arg("-o")
        .arg(&here)
        .arg(&program)
        .status()?;
    if !compiled.success() {
        return Err("the program cannot be built".into());
    }
    let guest = folder.path().join("threads.wasm");
    let flags = case.flags.iter().map(Into::into);
    let words = flags.chain(["-o".into(), guest.into(), program.into()]);
    if cc::run(case.language, words) != ExitCode::SUCCESS {
        return Err("the program cannot be built for a guest".into());
    }
    let output = Command::new(&here).output()?;
    let expected = String::from_utf8(output.stdout)?;
    if !output.status.success() {
        return Err(format!("the program itself is wrong: here it says\n{expected}").into());
    }
    Ok(Built { folder, expected })
}
