//! Programs in C and C++ that load modules: built by the driver and run on either engine, and built by this machine's compiler
//! and run here. The output must be the same.

mod common;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::Arc;

use libtest_mimic::{Arguments, Failed, Trial};
use pymode_native::{Exit, GuestFailure};
use pymode_tests::{Engine, Pymode};
use pymode_toolchain::cc::{self, Language};

use crate::common::{Built, Invocation, Once};

/// A module that the program loads, and the library that the module needs.
struct Case {
    name: &'static str,
    library: Source,
    module: Source,
}

/// A file in `programs/`, and its language.
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
    let mut trials = Vec::new();
    for case in CASES {
        let built = Arc::new(Once::default());
        for engine in Engine::ALL {
            let built = Arc::clone(&built);
            let name = format!("{}/programs/{}", engine.0, case.name);
            trials.push(Trial::test(name, move || run(case, &built, *engine)));
        }
    }
    for engine in Engine::ALL {
        let name = |name| format!("{}/programs/{name}", engine.0);
        trials.push(Trial::test(name("uncaught"), || uncaught(*engine)));
        trials.push(Trial::test(name("command"), || command(*engine)));
        trials.push(Trial::test(name("linked"), || linked(*engine)));
    }
    trials.push(Trial::test("programs/faults", faults));
    trials.push(Trial::test("programs/traces", traces));
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn run(case: &Case, built: &Once, engine: Engine) -> Result<(), Failed> {
    let built = built.get(|| make(case))?;
    let guest = built.folder.path().join("guest");
    let got = Invocation {
        program: &guest.join("main"),
        args: &["main", "/site/module.so"],
        env: &[],
        folder: ("/site", &guest),
    }
    .says(engine)?;
    if got != built.expected {
        return Err(format!("expected\n{}\nbut got\n{got}", built.expected).into());
    }
    Ok(())
}

/// Builds a case for this machine and for the guest, and runs it on this machine for the expected output.
fn make(case: &Case) -> Result<Built, Failed> {
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
        return Err(format!("invalid case: unexpected output on this machine:\n{expected}").into());
    }
    build(case, &guest, |language, args| {
        Ok(cc::run(language, args) == ExitCode::SUCCESS)
    })?;
    Ok(Built { folder, expected })
}

/// An uncaught exception ends the program, and nothing else.
fn uncaught(engine: Engine) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let source = folder.path().join("throws.cpp");
    std::fs::write(&source, "int main() { throw 1; }\n")?;
    let program = folder.path().join("throws.wasm");
    let words: [OsString; 3] = [source.into(), "-o".into(), program.clone().into()];
    if cc::run(Language::Cxx, words) != ExitCode::SUCCESS {
        return Err("could not build the program".into());
    }
    let guest = Invocation {
        program: &program,
        args: &["throws"],
        env: &[],
        folder: ("/site", folder.path()),
    };
    match guest.run(engine)?.0 {
        Exit::Failure(fault) if fault.reason == GuestFailure::UNCAUGHT => Ok(()),
        other => Err(format!("it ended with {other:?}").into()),
    }
}

/// `pymode dl run`: the current directory, the library path, arguments and the exit code.
fn command(engine: Engine) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let (here, libraries) = (folder.path().join("here"), folder.path().join("libraries"));
    std::fs::create_dir_all(&libraries)?;
    std::fs::create_dir_all(&here)?;
    std::fs::write(here.join("word.txt"), "word\n")?;
    // A call of `dlopen` is enough to need it.
    compile("command/main.c", &here.join("main.wasm"), &[])?;
    let twice = libraries.join("libtwice.so");
    compile("command/twice.c", &twice, &["-shared"])?;
    std::fs::copy(twice, here.join("libhere.so"))?;

    let run = |libraries: &[&str]| {
        let mut command = Pymode::find()?.command();
        command
            .current_dir(&here)
            .args(["dl", "run", "--engine", engine.0])
            .args(["--path", "../libraries", "main.wasm"])
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

/// A program that is linked with libraries starts if they are all there and have what they had; else it says what is missing.
fn linked(engine: Engine) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let at = |name: &str| folder.path().join(name);
    compile("linked/upper.c", &at("libupper.so"), &["-shared"])?;
    compile("linked/shift.c", &at("libshift.so"), &["-shared"])?;
    let [upper, shift] = [at("libupper.so"), at("libshift.so")];
    let words = [
        "-Wl,-rpath,$ORIGIN/lib",
        &*upper.to_string_lossy(),
        &*shift.to_string_lossy(),
    ];
    compile("linked/main.c", &at("main.wasm"), &words)?;
    let run = || {
        let mut command = Pymode::find()?.command();
        command
            .current_dir(folder.path())
            .args(["dl", "run", "--engine", engine.0, "main.wasm"]);
        command.output().map_err(|error| error.to_string())
    };
    let missing = |words: &[&str]| -> Result<(), Failed> {
        let bad = run()?;
        let stderr = String::from_utf8_lossy(&bad.stderr);
        let is_named = words.iter().all(|word| stderr.contains(word));
        if bad.status.code() != Some(127) || !bad.stdout.is_empty() || !is_named {
            return Err(format!("{bad:?}").into());
        }
        Ok(())
    };
    missing(&[
        "error while loading shared libraries: ",
        "cannot find `libupper.so`, needed by `main.wasm`",
        "cannot find `libshift.so`, needed by `main.wasm`",
    ])?;
    std::fs::create_dir(at("lib"))?;
    std::fs::rename(&upper, at("lib/libupper.so"))?;
    compile("linked/other.c", &at("lib/libshift.so"), &["-shared"])?;
    missing(&["function `shift` (i32) -> i32, needed by `"])?;
    std::fs::rename(&shift, at("lib/libshift.so"))?;
    let good = run()?;
    if !good.status.success() || good.stdout != b"AB, 2\n" {
        return Err(format!("{good:?}").into());
    }
    Ok(())
}

/// Every failure has the same message and the same exit code on both engines.
fn faults() -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let at = |name: &str| folder.path().join(name);
    compile("faults/main.c", &at("main.wasm"), &[])?;
    compile("faults/alien.c", &at("alien.wasm"), &[])?;
    compile("faults/library.c", &at("library.so"), &["-shared"])?;
    compile("faults/lonely.c", &at("lonely.so"), &["-shared"])?;
    compile(
        "faults/constructor.c",
        &at("constructor.so"),
        &["-O1", "-shared"],
    )?;
    let library = std::fs::read(at("library.so"))?;
    std::fs::write(at("cut.so"), &library[..library.len() / 2])?;
    let said = |engine: &Engine, words: &[&str]| {
        let mut command = Pymode::find()?.command();
        command
            .current_dir(folder.path())
            .args(["dl", "run", "--engine", engine.0])
            .args(words);
        let output = command.output().map_err(|error| error.to_string())?;
        let stderr = String::from_utf8_lossy(&output.stderr);
        // The maximum call depth depends on the engine.
        let lines: Vec<String> = stderr
            .lines()
            .filter(|line| !line.starts_with("  and "))
            .map(str::to_owned)
            .collect();
        Ok::<_, String>((output.status.code(), lines.join("\n")))
    };
    let main = |how| ["main.wasm", how, "./library.so"];
    let faults: &[(&[&str], i32, &str)] = &[
        (&main("exit"), 7, ""),
        (&main("abort"), 134, "\n  in main.wasm!abort+0x"),
        (&main("divide"), 134, "\n  in main.wasm!main+0x"),
        (
            &main("outside"),
            134,
            "out of bounds memory access\n  in main.wasm!main+0x",
        ),
        (
            &main("null"),
            134,
            "uninitialized element\n  in main.wasm!main+0x",
        ),
        (
            &main("slot"),
            134,
            "out of bounds table access\n  in main.wasm!main+0x",
        ),
        (&main("deep"), 134, "\n  in main.wasm!deeper+0x"),
        (&main("divides"), 134, "./library.so!inner+0x"),
        (
            &main("other"),
            134,
            "indirect call type mismatch\n  in main.wasm!main+0x",
        ),
        (
            &main("other"),
            134,
            "hint: look at the call in the innermost function",
        ),
        (&main("nothing"), 3, "undefined symbol `nothing`"),
        (
            &["main.wasm", "lonely", "./lonely.so"],
            3,
            "\n      reached from its export `lonely`",
        ),
        (&["main.wasm", "folder", "./"], 3, "cannot find `"),
        (&["main.wasm", "cut", "./cut.so"], 3, "it is cut short"),
        (
            &["main.wasm", "program", "./main.wasm"],
            3,
            "it is not a side module",
        ),
        (
            &["main.wasm", "anything", "./constructor.so"],
            3,
            "/constructor.so!__wasm_call_ctors+0x",
        ),
        (&["nowhere.wasm"], 1, "cannot read `nowhere.wasm`"),
        (&["library.so"], 1, "exports no function `_start`"),
        (&["alien.wasm"], 1, "`elsewhere.thing`"),
    ];
    for &(words, code, part) in faults {
        let [native, worker] = [&Engine::ALL[0], &Engine::ALL[1]].map(|engine| said(engine, words));
        let (native, worker) = (native?, worker?);
        if native != worker || native.0 != Some(code) || !native.1.contains(part) {
            return Err(
                format!("{words:?}\n--- wasmtime\n{native:?}\n--- workerd\n{worker:?}").into(),
            );
        }
    }
    let nowhere: &[&str] = &["--path", "nowhere", "main.wasm", "exit"];
    let [native, worker] = [&Engine::ALL[0], &Engine::ALL[1]].map(|engine| said(engine, nowhere));
    match native? == worker? {
        true => Ok(()),
        false => Err("the messages for a missing folder differ".into()),
    }
}

/// The loader's trace is the same on both engines, although a Worker fetches modules first.
fn traces() -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let at = |name: &str| folder.path().join(name);
    std::fs::write(at("word.txt"), "word\n")?;
    compile("command/main.c", &at("main.wasm"), &[])?;
    compile("command/twice.c", &at("libtwice.so"), &["-shared"])?;
    let trace = |engine: &Engine| {
        let mut command = Pymode::find()?.command();
        command
            .current_dir(folder.path())
            .env("PYMODE_DL_DEBUG", "1")
            .args(["dl", "run", "--engine", engine.0])
            .args(["main.wasm", "./libtwice.so", "nowhere.so"]);
        let output = command.output().map_err(|error| error.to_string())?;
        Ok::<_, String>(String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (native, worker) = (trace(&Engine::ALL[0])?, trace(&Engine::ALL[1])?);
    let parts = [
        "libtwice.so: found",
        "dlsym twice = slot",
        "find nowhere.so",
    ];
    if native != worker || !parts.iter().all(|part| native.contains(part)) {
        return Err(format!("--- wasmtime\n{native}\n--- workerd\n{worker}").into());
    }
    Ok(())
}

/// Builds a file in `programs/` with the driver.
fn compile(source: &str, output: &Path, more: &[&str]) -> Result<(), Failed> {
    let programs = Path::new(env!("CARGO_MANIFEST_DIR")).join("programs");
    let mut words: Vec<OsString> = vec![programs.join(source).into(), "-o".into()];
    words.push(output.into());
    words.extend(more.iter().map(OsString::from));
    match cc::run(Language::C, words) == ExitCode::SUCCESS {
        true => Ok(()),
        false => Err(Failed::from(format!("could not build `{source}`"))),
    }
}

/// Builds program, library and module with a compiler that accepts gcc's arguments.
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
            false => Err(Failed::from(format!("could not build `{output}`"))),
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
