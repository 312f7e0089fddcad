//! Programs in C that use `<dlfcn.h>`: built by the driver and run in wasmtime, built by this machine's compiler and run with
//! its own `dlopen`. Both must say the same.
//!
//! A case is a folder of `conformance/c`: `main.c` is the program, each `libNAME.c` a library, whose first line may say
//! `/* needs: NAME NAME */`. Where WASI cannot do what this machine does, `differs.txt` says why in its first line, and then what the
//! program says instead.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use libtest_mimic::{Arguments, Failed, Trial};
use pymode_native::{Captured, Exit, Output, Program};
use pymode_toolchain::Cache;
use pymode_toolchain::cc::{self, Language};

/// Where the guest finds the libraries of a case.
const GUEST_FOLDER: &str = "/site/case";

fn main() -> ExitCode {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../conformance/c");
    let mut cases: Vec<PathBuf> = fs::read_dir(&folder)
        .expect("the folder of the cases is there")
        .map(|entry| entry.expect("the folder of the cases can be read").path())
        .filter(|path| path.join("main.c").is_file())
        .collect();
    cases.sort();
    let trials = cases.into_iter().map(|case| {
        let name = case.file_name().unwrap_or_default().to_string_lossy();
        Trial::test(format!("c/{name}"), move || run(&case))
    });
    libtest_mimic::run(&Arguments::from_args(), trials.collect()).exit_code()
}

fn run(case: &Path) -> Result<(), Failed> {
    let scratch = tempfile::tempdir()?;
    let (here, guest) = (scratch.path().join("here"), scratch.path().join("guest"));
    build(case, &here, |args| {
        Ok(Command::new("cc").args(args).status()?.success())
    })?;
    let output = Command::new(here.join("main"))
        .env("CASE", &here)
        .output()?;
    let native = String::from_utf8(output.stdout)?;
    if !output.status.success() {
        return Err(format!("the case itself is wrong: here it says\n{native}").into());
    }
    build(case, &guest, |args| {
        Ok(cc::run(Language::C, args) == ExitCode::SUCCESS)
    })?;
    let found = in_wasmtime(&guest)?;
    let expected = match fs::read_to_string(case.join("differs.txt")) {
        Ok(differs) => {
            let (_why, expected) = differs.split_once('\n').unwrap_or_default();
            if expected == native {
                return Err("it does not differ: `differs.txt` can go".into());
            }
            expected.to_string()
        }
        Err(_) => native,
    };
    if found == expected {
        return Ok(());
    }
    Err(format!("--- expected\n{expected}--- found\n{found}---").into())
}

/// Builds a case with a compiler that takes gcc's words.
fn build(
    case: &Path,
    into: &Path,
    compile: impl Fn(Vec<OsString>) -> Result<bool, Failed>,
) -> Result<(), Failed> {
    let mut libraries = Vec::new();
    sources(case, &mut libraries)?;
    // First without what they need, so that each is there to be linked with: some need each other.
    for with_needs in [false, true] {
        for source in &libraries {
            let output = into.join(source.strip_prefix(case)?).with_extension("so");
            let folder = output.parent().unwrap_or(into);
            fs::create_dir_all(folder)?;
            let mut args: Vec<OsString> = ["-O1", "-shared", "-fPIC", "-Wl,--no-as-needed", "-o"]
                .map(Into::into)
                .into();
            args.extend([output.clone().into(), source.into()]);
            if with_needs {
                let mut search = OsString::from("-L");
                search.push(folder);
                args.extend([search, "-Wl,-rpath,$ORIGIN".into()]);
                args.extend(needs(source)?.iter().map(|name| format!("-l{name}").into()));
            }
            if !compile(args)? {
                return Err(format!("`{}` cannot be built", source.display()).into());
            }
        }
    }
    let mut args: Vec<OsString> = vec!["-O1".into(), case.join("main.c").into()];
    args.extend(["-o".into(), into.join("main").into()]);
    args.extend(["-rdynamic".into(), "-ldl".into()]);
    if !compile(args)? {
        return Err("`main` cannot be built".into());
    }
    Ok(())
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) -> Result<(), Failed> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    paths.sort();
    for path in paths {
        if path.is_dir() {
            sources(&path, found)?;
        } else if path.extension().is_some_and(|extension| extension == "c")
            && path.file_stem().is_some_and(|stem| stem != "main")
        {
            found.push(path);
        }
    }
    Ok(())
}

/// What a library needs, by its first line.
fn needs(source: &Path) -> Result<Vec<String>, Failed> {
    let text = fs::read_to_string(source)?;
    let line = text.lines().next().unwrap_or_default();
    let needs = line
        .strip_prefix("/* needs: ")
        .and_then(|rest| rest.strip_suffix(" */"));
    let names = needs.into_iter().flat_map(str::split_whitespace);
    Ok(names.map(String::from).collect())
}

fn in_wasmtime(guest: &Path) -> Result<String, Failed> {
    let out = Captured::new();
    let program = Program::open(&guest.join("main"), &Cache::open()?.root().join("code"))?;
    let mut run = program.run();
    run.args(["main"])
        .env("CASE", GUEST_FOLDER)
        .stdout(Output::Capture(out.clone()));
    run.mount_read_only(GUEST_FOLDER, guest)?;
    let exit = run.start()?;
    let said = out.take_text();
    match exit {
        Exit::Code(0) => Ok(said),
        Exit::Code(code) => Err(format!("it ended with {code} and said\n{said}").into()),
        fault => Err(format!("{fault:?}\nit said\n{said}").into()),
    }
}
