//! The allocator of programs that `pymode cc` links, on either engine: `programs/allocator/main.c` holds it against a model, and
//! against the memory that it has.

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};
use pymode_tests::{Engine, Pymode};
use pymode_toolchain::cc::{self, Language};
use tempfile::TempDir;
use wasmparser::{KnownCustom, Name, Parser, Payload};

/// Modes of the program, and how much memory in MB it has.
const CASES: &[(&str, &str, &[&str])] = &[
    ("random", "96", &["random", "1", "60000"]),
    ("budget", "64", &["budget"]),
    ("library", "96", &["library", "./liballocator.so"]),
];

fn main() -> ExitCode {
    let folder = match build() {
        Ok(folder) => folder,
        Err(failed) => {
            eprintln!("{}", failed.message().unwrap_or_default());
            return ExitCode::FAILURE;
        }
    };
    let mut trials = Vec::new();
    for engine in Engine::ALL {
        for (name, memory, args) in CASES {
            let here = folder.path().to_owned();
            let name = format!("{}/allocator/{name}", engine.0);
            trials.push(Trial::test(name, move || run(*engine, &here, memory, args)));
        }
    }
    let program = folder.path().join("main.wasm");
    trials.push(Trial::test("allocator/alone", move || is_alone(&program)));
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// Fails if the program contains libc's allocator, too.
fn is_alone(program: &Path) -> Result<(), Failed> {
    let wasm = std::fs::read(program)?;
    let mut names = Vec::new();
    for payload in Parser::new(0).parse_all(&wasm) {
        let Payload::CustomSection(section) = payload? else {
            continue;
        };
        let KnownCustom::Name(subsections) = section.as_known() else {
            continue;
        };
        for subsection in subsections {
            if let Name::Function(functions) = subsection? {
                for function in functions {
                    names.push(function?.name);
                }
            }
        }
    }
    if !names.contains(&"dlmalloc") {
        return Err("the program has no dlmalloc, or no function names".into());
    }
    let foreign = |name: &&&str| name.starts_with("c.malloc.") || name.starts_with("heap.");
    match names.iter().find(foreign) {
        None => Ok(()),
        Some(name) => Err(format!("`{name}` is linked").into()),
    }
}

fn build() -> Result<TempDir, Failed> {
    let folder = tempfile::tempdir()?;
    // With builtins the compiler removes blocks that are not read; `-g` keeps the names of functions.
    let main: &[&str] = &["-O1", "-g", "-fno-builtin"];
    compile("main.c", &folder.path().join("main.wasm"), main)?;
    let library = folder.path().join("liballocator.so");
    compile("library.c", &library, &["-shared"])?;
    Ok(folder)
}

fn compile(source: &str, output: &Path, more: &[&str]) -> Result<(), Failed> {
    let programs = Path::new(env!("CARGO_MANIFEST_DIR")).join("programs/allocator");
    let mut words: Vec<OsString> = vec![programs.join(source).into(), "-o".into()];
    words.push(output.into());
    words.extend(more.iter().map(OsString::from));
    match cc::run(Language::C, words) == ExitCode::SUCCESS {
        true => Ok(()),
        false => Err(Failed::from(format!("`{source}` cannot be built"))),
    }
}

fn run(engine: Engine, here: &Path, memory: &str, args: &[&str]) -> Result<(), Failed> {
    let mut command = Pymode::find()?.command();
    command
        .current_dir(here)
        .args(["dl", "run", "--engine", engine.0, "--memory", memory])
        .arg("main.wasm")
        .args(args);
    let output = command.output()?;
    match output.status.success() && output.stdout == b"ok\n" {
        true => Ok(()),
        false => Err(Failed::from(format!("{output:?}"))),
    }
}
