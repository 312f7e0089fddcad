//! `pymode run`: runs Python as `python` does.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use pymode_workerd::Room;

use crate::args::{Megabytes, Run};
use crate::failure::Failure;
use crate::job::Job;
use crate::python::Context;

pub(crate) fn run(args: &Run) -> Result<ExitCode, Failure> {
    let context = Context::open()?;
    let cwd = std::env::current_dir()?;
    let mut sites = args.site.clone();
    sites.extend(context.sites(&args.with)?);
    let file = match script(&args.python) {
        Some(script) => outside(&cwd, script)?,
        None => None,
    };
    let job = Job {
        args: &args.python,
        sites: &sites,
        cwd: &cwd,
        file,
        memory: args.memory.map(Megabytes::bytes),
        room: Room::default(),
    };
    job.run(&context, args.engine)
}

/// A script outside the current directory: the guest may read this file and no other beside it. Returns its path in the
/// guest, and its path here.
fn outside(cwd: &Path, script: &OsStr) -> Result<Option<(PathBuf, PathBuf)>, Failure> {
    let path = cwd.join(script);
    // Python reports a missing script itself.
    let Ok(real) = path.canonicalize() else {
        return Ok(None);
    };
    let is_outside = !real.starts_with(cwd.canonicalize()?) && real.is_file();
    Ok(is_outside.then(|| (without_dots(&path), real)))
}

/// Normalises a path by its text, as the guest's libc does.
/// `Path::components` keeps `..`, and `canonicalize` follows links, which the guest does not see.
fn without_dots(path: &Path) -> PathBuf {
    let mut clean = PathBuf::new();
    for part in path.components() {
        match part {
            std::path::Component::ParentDir => drop(clean.pop()),
            std::path::Component::CurDir => {}
            other => clean.push(other),
        }
    }
    clean
}

/// The script in Python's arguments: the first that is neither an option nor an option's value.
fn script(args: &[OsString]) -> Option<&OsStr> {
    let mut words = args.iter();
    while let Some(word) = words.next() {
        let text = word.to_str();
        let Some(flags) = text.and_then(|t| t.strip_prefix('-')) else {
            return Some(word);
        };
        if flags.is_empty() {
            return None;
        }
        if let Some(long) = flags.strip_prefix('-') {
            match long {
                "" => return words.next().map(OsString::as_os_str),
                "check-hash-based-pycs" => drop(words.next()),
                _ => {}
            }
            continue;
        }
        // In a cluster such as `-uc`, the first flag with a value takes the rest of the word, or the next word.
        let Some(at) = flags.find(['c', 'm', 'W', 'X']) else {
            continue;
        };
        if matches!(flags.as_bytes()[at], b'c' | b'm') {
            return None;
        }
        if at + 1 == flags.len() {
            words.next();
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(line: &str) -> Option<String> {
        let words: Vec<OsString> = line.split_whitespace().map(Into::into).collect();
        script(&words).map(|s| s.to_string_lossy().into_owned())
    }

    #[test]
    fn a_script_is_found_behind_options() {
        assert_eq!(found("a.py b.py").as_deref(), Some("a.py"));
        assert_eq!(
            found("-u -W error -X dev a.py -c x").as_deref(),
            Some("a.py")
        );
        assert_eq!(found("-Werror a.py").as_deref(), Some("a.py"));
        assert_eq!(found("-uX dev a.py").as_deref(), Some("a.py"));
        assert_eq!(
            found("--check-hash-based-pycs always a.py").as_deref(),
            Some("a.py")
        );
    }

    #[test]
    fn code_modules_and_stdin_are_no_scripts() {
        for line in [
            "",
            "-c code",
            "-uc code a.py",
            "-m module a.py",
            "-mmodule a.py",
            "-",
            "- a.py",
            "-V",
        ] {
            assert_eq!(found(line), None, "{line}");
        }
    }

    #[test]
    fn dots_are_taken_back_as_text() {
        assert_eq!(
            without_dots(Path::new("/a/b/../c/./d.py")),
            Path::new("/a/c/d.py")
        );
        assert_eq!(without_dots(Path::new("/../x")), Path::new("/x"));
    }
}
