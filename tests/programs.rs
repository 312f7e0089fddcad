//! Programs in C and C++ that load modules: built by the driver and run in wasmtime, built by this machine's compiler and
//! run by this machine. Both must say the same.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use libtest_mimic::{Arguments, Failed, Trial};
use pymode_native::{Captured, Exit, Output, Program};
use pymode_tests::Pymode;
use pymode_toolchain::cc::{self, Language};
use pymode_toolchain::{Cache, Talk, libcxx, zig};

/// A module that the program loads, and the library that the module needs.
struct Case {
    name: &'static str,
    library: Source,
    module: Source,
}

/// A file below `programs/` and what it is written in.
struct Source {
    path: &'static str,
    language: Language,
}

const CASES: &[Case] = &[
    Case {
        name: "cxx",
        library: Source {
            path: "cxx/shapes.cpp",
            language: Language::Cxx,
        },
        module: Source {
            path: "cxx/module.cpp",
            language: Language::Cxx,
        },
    },
    Case {
        name: "close",
        library: Source {
            path: "close/library.cpp",
            language: Language::Cxx,
        },
        module: Source {
            path: "close/module.cpp",
            language: Language::Cxx,
        },
    },
    Case {
        name: "jump",
        library: Source {
            path: "jump/frames.cpp",
            language: Language::Cxx,
        },
        module: Source {
            path: "jump/module.c",
            language: Language::C,
        },
    },
];

fn main() -> ExitCode {
    let trials = CASES
        .iter()
        .map(|case| Trial::test(format!("wasmtime/programs/{}", case.name), || run(case)))
        .chain([
            Trial::test("wasmtime/programs/uncaught", uncaught),
            Trial::test("wasmtime/programs/command", command),
        ])
        .collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn run(case: &Case) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let (here, guest) = (folder.path().join("here"), folder.path().join("guest"));
    build(case, &here, |language, args| {
        let compiler = match language {
            Language::C => "cc",
            Language::Cxx => "c++",
        };
        Ok(Command::new(compiler).args(args).status()?.success())
    })?;
    let output = Command::new(here.join("main"))
        .arg(here.join("module.so"))
        .output()?;
    let expected = String::from_utf8(output.stdout)?;
    if !output.status.success() {
        return Err(format!("the case itself is wrong: here it says\n{expected}").into());
    }

    build(case, &guest, |language, args| {
        Ok(cc::run(language, args) == ExitCode::SUCCESS)
    })?;
    let got = in_wasmtime(&guest, folder.path())?;
    if got != expected {
        return Err(format!("expected\n{expected}\nbut got\n{got}").into());
    }
    Ok(())
}

/// An exception that nobody catches ends the program, and nothing else.
fn uncaught() -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let source = folder.path().join("throws.cpp");
    std::fs::write(&source, "int main() { throw 1; }\n")?;
    let program = folder.path().join("throws.wasm");
    let words: [OsString; 3] = [source.into(), "-o".into(), program.clone().into()];
    if cc::run(Language::Cxx, words) != ExitCode::SUCCESS {
        return Err("the program cannot be built".into());
    }
    let run = Program::open(&program, &Cache::open()?.root().join("code"))?.run();
    match run.start()? {
        Exit::Fault(fault) if fault.reason.contains("exception") => Ok(()),
        other => Err(format!("it ended with {other:?}").into()),
    }
}

/// `pymode dl run`: the current directory, the library path, arguments and the exit code.
fn command() -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let (here, libraries) = (folder.path().join("here"), folder.path().join("libraries"));
    std::fs::create_dir_all(&libraries)?;
    std::fs::create_dir_all(&here)?;
    std::fs::write(here.join("word.txt"), "word\n")?;
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("programs/command");
    let build = |source: &str, output: &Path, more: &[&str]| {
        let mut words: Vec<OsString> = vec![sources.join(source).into(), "-o".into()];
        words.push(output.into());
        words.extend(more.iter().map(OsString::from));
        match cc::run(Language::C, words) == ExitCode::SUCCESS {
            true => Ok(()),
            false => Err(Failed::from(format!("`{source}` cannot be built"))),
        }
    };
    // That it calls `dlopen` is enough.
    build("main.c", &here.join("main.wasm"), &[])?;
    build("twice.c", &libraries.join("libtwice.so"), &["-shared"])?;
    std::fs::copy(libraries.join("libtwice.so"), here.join("libhere.so"))?;

    let run = |libraries: &[&str]| {
        let mut command = Pymode::find()?.command();
        command
            .current_dir(&here)
            .args(["dl", "run", "--path", "../libraries", "main.wasm"])
            .args(libraries);
        command.output().map_err(|error| error.to_string())
    };
    let good = run(&["libtwice.so", "./libhere.so"])?;
    let said = String::from_utf8_lossy(&good.stdout);
    if !good.status.success() || said != "word, 2 arguments\nlibtwice.so: 42\n./libhere.so: 42\n" {
        return Err(format!("{good:?}").into());
    }
    let bad = run(&["libhere.so"])?;
    let said = String::from_utf8_lossy(&bad.stderr);
    if bad.status.code() != Some(3) || !said.contains("cannot find `libhere.so`") {
        return Err(format!("{bad:?}").into());
    }
    Ok(())
}

/// Builds program, library and module with a compiler that takes gcc's words.
fn build(
    case: &Case,
    into: &Path,
    compile: impl Fn(Language, Vec<OsString>) -> Result<bool, Failed>,
) -> Result<(), Failed> {
    std::fs::create_dir_all(into)?;
    let source = |path: &str| {
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("programs")
            .join(path)
    };
    let step = |language, output: &str, source: PathBuf, more: &[OsString]| {
        let mut args: Vec<OsString> = vec!["-O2".into(), source.into(), "-o".into()];
        args.push(into.join(output).into());
        args.extend_from_slice(more);
        match compile(language, args)? {
            true => Ok(()),
            false => Err(Failed::from(format!("`{output}` cannot be built"))),
        }
    };
    step(
        Language::C,
        "main",
        source("main.c"),
        &["-rdynamic".into(), "-ldl".into()],
    )?;
    let shared = ["-shared".into(), "-fPIC".into()];
    step(
        case.library.language,
        "liblibrary.so",
        source(case.library.path),
        &shared,
    )?;
    let mut words = OsString::from("-L");
    words.push(into);
    let needs = [words, "-llibrary".into(), "-Wl,-rpath,$ORIGIN".into()];
    step(
        case.module.language,
        "module.so",
        source(case.module.path),
        &[&shared[..], &needs].concat(),
    )
}

/// What the program says as a guest, with the C++ library where every host has it.
fn in_wasmtime(guest: &Path, scratch: &Path) -> Result<String, Failed> {
    let talk = Talk::stderr();
    let cache = Cache::open()?.with_talk(&talk);
    let library = libcxx::provision(&cache, &talk, &zig::provision(&cache, &talk)?)?.module();
    let lib = scratch.join("lib");
    std::fs::create_dir_all(&lib)?;
    std::fs::copy(library, lib.join(libcxx::MODULE))?;

    let out = Captured::new();
    let program = Program::open(&guest.join("main"), &cache.root().join("code"))?;
    let mut run = program.run();
    run.args(["main", "/site/module.so"])
        .stdout(Output::Capture(out.clone()));
    run.mount_read_only("/site", guest)?;
    run.mount_read_only("/lib", &lib)?;
    let exit = run.start()?;
    let said = out.take_text();
    match exit {
        Exit::Code(0) => Ok(said),
        Exit::Code(code) => Err(format!("it ended with {code} and said\n{said}").into()),
        fault => Err(format!("{fault:?}\nit said\n{said}").into()),
    }
}
