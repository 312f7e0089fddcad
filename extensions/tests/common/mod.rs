//! Shared parts of the test programs, which are their own compilers and work in temporary directories.
#![allow(dead_code, reason = "each test program uses its part")]

pub(crate) mod project;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use libtest_mimic::{Arguments, Failed, Trial};
use pymode_toolchain::cc::{self, Language};

pub(crate) type Tested = Result<(), Failed>;

/// Runs trials, or acts as the compiler when called as `… cc ARGS`.
pub(crate) fn main(trials: Vec<Trial>) -> ExitCode {
    let mut args = std::env::args_os().skip(1);
    match args.next().as_deref().and_then(|first| first.to_str()) {
        Some("cc") => cc::run(Language::C, args),
        Some("c++") => cc::run(Language::Cxx, args),
        Some("ar") => cc::ar(args),
        Some("ranlib") => cc::ranlib(args),
        _ => libtest_mimic::run(&Arguments::from_args(), trials).exit_code(),
    }
}

/// A directory with these files.
pub(crate) fn tree(files: &[(&str, &str)]) -> Result<tempfile::TempDir, Failed> {
    let dir = tempfile::tempdir()?;
    for (name, text) in files {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap_or(dir.path()))?;
        fs::write(path, text)?;
    }
    Ok(dir)
}

/// Compiles and links in `dir`, with this program as the compiler.
pub(crate) fn compile(dir: &Path, line: &str) -> Result<(), Failed> {
    let output = Command::new(std::env::current_exe()?)
        .args(line.split_whitespace())
        .current_dir(dir)
        .output()?;
    match output.status.success() {
        true => Ok(()),
        false => Err(format!(
            "`{line}` failed:\n{}",
            String::from_utf8_lossy(&output.stderr)
        )
        .into()),
    }
}

/// A side module of one source.
pub(crate) fn side_module(
    name: &str,
    source: &str,
) -> Result<(tempfile::TempDir, PathBuf), Failed> {
    let dir = tree(&[("m.c", source)])?;
    compile(dir.path(), &format!("cc -O2 -shared m.c -o {name}"))?;
    let path = dir.path().join(name);
    Ok((dir, path))
}

pub(crate) fn is(holds: bool, what: &str) -> Tested {
    if holds {
        Ok(())
    } else {
        Err(format!("not so: {what}").into())
    }
}

pub(crate) fn contains(text: &str, wanted: &[&str]) -> Tested {
    match wanted.iter().find(|wanted| !text.contains(**wanted)) {
        None => Ok(()),
        Some(missing) => Err(format!("`{missing}` is not in:\n{text}").into()),
    }
}
