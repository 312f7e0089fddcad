//! C programs, and some in C++, that use `<dlfcn.h>`: built by the driver and run on either engine, and built by this machine's
//! compiler and run with its own `dlopen`. The output must be the same.
//!
//! A case is a folder of `loader/conformance/c`: `main.c` or `main.cpp` is the program, each `libNAME.c` or `libNAME.cpp` a
//! library. The first line of either may be `/* needs: NAME NAME */`: then it is linked with these libraries. `links.txt` lists
//! symbolic links and their targets. If WASI cannot do what this machine does, `differs.txt` gives the reason in its first line,
//! and then the expected output.

mod common;

use std::borrow::Cow;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::Arc;

use libtest_mimic::{Arguments, Failed, Trial};
use pymode_tests::Engine;
use pymode_toolchain::cc::{self, Language};

use crate::common::{Built, Invocation, Once};

/// Directory of a case's libraries in the guest.
const GUEST_FOLDER: &str = "/site/case";

fn main() -> ExitCode {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../loader/conformance/c");
    let mut cases: Vec<PathBuf> = fs::read_dir(&folder)
        .expect("the folder of the cases exists")
        .map(|entry| entry.expect("the folder of the cases can be read").path())
        .filter(|path| program(path).is_file())
        .collect();
    cases.sort();
    let cases: Vec<Arc<Case>> = cases
        .into_iter()
        .map(|path| Arc::new(Case::new(path)))
        .collect();
    let trials = Engine::ALL.iter().flat_map(|engine| {
        cases.iter().map(move |case| {
            let case = Arc::clone(case);
            let name = format!("{}/c/{}", engine.0, case.name());
            Trial::test(name, move || case.run(*engine))
        })
    });
    libtest_mimic::run(&Arguments::from_args(), trials.collect()).exit_code()
}

/// A case, which is built once for all engines.
struct Case {
    folder: PathBuf,
    built: Once,
}

impl Case {
    fn new(folder: PathBuf) -> Case {
        Case {
            folder,
            built: Once::default(),
        }
    }

    fn name(&self) -> Cow<'_, str> {
        self.folder
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
    }

    fn run(&self, engine: Engine) -> Result<(), Failed> {
        let built = self.built.get(|| make(&self.folder))?;
        let guest = built.folder.path().join("guest");
        let found = Invocation {
            program: &guest.join("main"),
            // It lies beside its libraries.
            args: &["/site/case/main"],
            env: &[("CASE", GUEST_FOLDER)],
            folder: (GUEST_FOLDER, &guest),
        }
        .says(engine)?;
        if found == built.expected {
            return Ok(());
        }
        Err(format!("--- expected\n{}--- found\n{found}---", built.expected).into())
    }
}

/// Builds a case for this machine and for the guest, and runs it on this machine for the expected output.
fn make(case: &Path) -> Result<Built, Failed> {
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
        .env("CASE", &here)
        .output()?;
    let native = String::from_utf8(output.stdout)?;
    if !output.status.success() {
        return Err(format!("invalid case: unexpected output on this machine:\n{native}").into());
    }
    build(case, &guest, |language, args| {
        Ok(cc::run(language, args) == ExitCode::SUCCESS)
    })?;
    let expected = match fs::read_to_string(case.join("differs.txt")) {
        Ok(differs) => {
            let (_why, expected) = differs.split_once('\n').unwrap_or_default();
            if expected == native {
                return Err("the output does not differ: delete `differs.txt`".into());
            }
            expected.to_string()
        }
        Err(_) => native,
    };
    Ok(Built { folder, expected })
}

/// Builds a case with a compiler that accepts gcc's arguments.
fn build(
    case: &Path,
    into: &Path,
    compile: impl Fn(Language, Vec<OsString>) -> Result<bool, Failed>,
) -> Result<(), Failed> {
    fs::create_dir_all(into)?;
    let mut libraries = Vec::new();
    sources(case, &mut libraries)?;
    // First without their dependencies, so that each exists when the others link: some need each other.
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
            if !compile(language(source), args)? {
                return Err(format!("could not build `{}`", source.display()).into());
            }
        }
    }
    make_links(case, into)?;
    let program = program(case);
    let mut args: Vec<OsString> = vec!["-O1".into(), program.clone().into()];
    args.extend(["-o".into(), into.join("main").into()]);
    match needs(&program)?[..] {
        [] => args.extend(["-rdynamic".into(), "-ldl".into()]),
        // What is linked lends what is asked for.
        ref names => {
            let mut search = OsString::from("-L");
            search.push(into);
            args.extend([search, "-Wl,--no-as-needed,-rpath,$ORIGIN".into()]);
            args.extend(names.iter().map(|name| format!("-l{name}").into()));
        }
    }
    if !compile(language(&program), args)? {
        return Err("could not build `main`".into());
    }
    Ok(())
}

/// Makes the links that `links.txt` names, each on a line, and what it holds.
fn make_links(case: &Path, into: &Path) -> Result<(), Failed> {
    let links = fs::read_to_string(case.join("links.txt")).unwrap_or_default();
    for line in links.lines() {
        let (link, to) = line.split_once(' ').ok_or("a link leads somewhere")?;
        let link = into.join(link);
        fs::create_dir_all(link.parent().unwrap_or(into))?;
        std::os::unix::fs::symlink(to, link)?;
    }
    Ok(())
}

/// The source of a case's program.
fn program(case: &Path) -> PathBuf {
    let names = ["main.c", "main.cpp"].map(|name| case.join(name));
    let [c, cxx] = names;
    if c.is_file() { c } else { cxx }
}

fn language(source: &Path) -> Language {
    match source.extension() {
        Some(extension) if extension == "cpp" => Language::Cxx,
        _ => Language::C,
    }
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) -> Result<(), Failed> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    paths.sort();
    for path in paths {
        if path.is_dir() {
            sources(&path, found)?;
        } else if { path.extension() }
            .is_some_and(|extension| extension == "c" || extension == "cpp")
            && path.file_stem().is_some_and(|stem| stem != "main")
        {
            found.push(path);
        }
    }
    Ok(())
}

/// The dependencies of a library, in its first line.
fn needs(source: &Path) -> Result<Vec<String>, Failed> {
    let text = fs::read_to_string(source)?;
    let line = text.lines().next().unwrap_or_default();
    let needs = line
        .strip_prefix("/* needs: ")
        .and_then(|rest| rest.strip_suffix(" */"));
    let names = needs.into_iter().flat_map(str::split_whitespace);
    Ok(names.map(String::from).collect())
}
