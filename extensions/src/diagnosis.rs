//! What compilers and backends said when a build failed, as one message that one can act on.

use std::fs;
use std::path::Path;

use pymode_toolchain::cc::FailedCall;

use crate::check::hint_for;
use crate::headers;
use crate::library::Library;

/// The most error lines that are shown; the log has them all.
const MOST_ERRORS: usize = 5;

/// Signs in a compiler's words, and what to do.
const SIGNS: &[(&str, &str)] = &[
    (
        "inline assembly",
        "inline assembly of another processor; look for a build option for plain C",
    ),
    (
        "invalid output constraint",
        "inline assembly of another processor; look for a build option for plain C",
    ),
    (
        "in asm",
        "inline assembly of another processor; look for a build option for plain C",
    ),
    (
        "only meant to be used on x86",
        "vector instructions of another processor; look for a build option for plain C",
    ),
    (
        "is not supported on this target",
        "a feature of another processor; look for a build option for plain C",
    ),
    (
        "needs target feature",
        "vector instructions that are not turned on; look for a build option for plain C",
    ),
    (
        "unknown file type",
        "an object or library of this machine, not of wasm32-wasi",
    ),
    (
        "_WASI_EMULATED_",
        "WASI lacks it; look for a build option that leaves this out",
    ),
];

/// Signs in a backend's words.
const BACKEND_SIGNS: &[(&str, &str)] = &[
    (
        "gfortran",
        "there is no Fortran compiler for wasm32-wasi; look for a build option for plain C",
    ),
    (
        "Fortran compiler",
        "there is no Fortran compiler for wasm32-wasi; look for a build option for plain C",
    ),
    (
        "Could NOT find Threads",
        "there are no threads here; look for a build option that leaves them out",
    ),
    (
        "Could NOT find",
        "the library is not there for wasm32-wasi; look for a build option that leaves it out",
    ),
    (
        "Dependency lookup for",
        "the library is not there for wasm32-wasi; look for a build option that leaves it out",
    ),
    (
        "not supported",
        "the package itself refuses the platform, which is `wasi`",
    ),
];

/// The last failure that `pymode cc` recorded in `file`, if there is one: the lines that say what is wrong, the command,
/// and a hint.
pub(crate) fn of_compiler(file: &Path) -> Option<String> {
    let failed = FailedCall::parse(&fs::read_to_string(file).ok()?)?;
    Some(told(&failed))
}

fn told(failed: &FailedCall) -> String {
    let mut lines: Vec<&str> = failed
        .stderr
        .lines()
        .filter(|line| line.contains("error:"))
        .take(MOST_ERRORS)
        .collect();
    if lines.is_empty() {
        lines = failed.stderr.lines().rev().take(MOST_ERRORS).collect();
        lines.reverse();
    }
    let mut text: String = lines.iter().map(|line| format!("  {line}\n")).collect();
    text.push_str(&format!("  command: pymode {}", failed.command));
    if let Some(hint) = lines.iter().find_map(|line| hint_of(line)) {
        text.push_str(&format!("\n  hint: {hint}"));
    }
    text
}

/// The library whose absence made the last call fail that is noted in `file`, if it is one that can be built.
pub(crate) fn missing_library(file: &Path) -> Option<Library> {
    let failed = FailedCall::parse(&fs::read_to_string(file).ok()?)?;
    failed.stderr.lines().find_map(|line| {
        missing_header(line)
            .and_then(Library::with_header)
            .or_else(|| missing_archive(line).and_then(Library::with_archive))
    })
}

/// `x.c:1:10: fatal error: 'yaml.h' file not found`
fn missing_header(line: &str) -> Option<&str> {
    let (before, _) = line.split_once("' file not found")?;
    Some(before.rsplit_once('\'')?.1)
}

/// `wasm-ld: error: unable to find library -lyaml`
fn missing_archive(line: &str) -> Option<&str> {
    let name = line.split_once("unable to find library -l")?.1;
    Some(name.split_whitespace().next().unwrap_or(name))
}

/// The next step for a compiler's error, if one is known.
fn hint_of(line: &str) -> Option<String> {
    if let Some(header) = missing_header(line) {
        return Some(headers::hint(header));
    }
    if let Some(name) = missing_archive(line) {
        return Some(headers::hint_of_archive(name));
    }
    let undeclared = ["undeclared function '", "undeclared identifier '"];
    let missing = undeclared
        .iter()
        .find_map(|sign| line.split_once(sign)?.1.split_once('\''));
    if let Some((name, _)) = missing {
        return Some(match hint_for(name) {
            Some(hint) => hint.to_owned(),
            None => format!(
                "`{name}` is not declared: WASI's C library may lack it; look for a build option that leaves it out"
            ),
        });
    }
    let sign = SIGNS.iter().find(|(sign, _)| line.contains(sign));
    sign.map(|(_, hint)| (*hint).to_owned())
}

/// The end of a backend's log: its last words, which may say more than the last compiler that failed, since a failure may have
/// been a question; and a hint.
pub(crate) fn of_backend(tail: &str) -> String {
    let Some(last) = tail.lines().rev().find(|line| !line.trim().is_empty()) else {
        return String::new();
    };
    let mut text = format!("  the backend's last words: {}", last.trim());
    let hint = BACKEND_SIGNS.iter().find(|(sign, _)| tail.contains(sign));
    if let Some((_, hint)) = hint {
        text.push_str(&format!("\n  hint: {hint}"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named() {
        let told = |stderr: &str| {
            told(&FailedCall::parse(&format!("cc -c a.c\n{stderr}")).expect("two parts"))
        };
        let said =
            told("a.c: In\na.c:3:9: error: call to undeclared function 'fork'; ISO C99\nnote: x\n");
        assert!(
            said.starts_with("  a.c:3:9: error: call to undeclared function 'fork'"),
            "{said}"
        );
        assert!(
            said.contains("hint: there are no processes in WASI") && !said.contains("note: x"),
            "{said}"
        );
        let said = told("a.c:1:1: error: use of undeclared identifier 'frobnicate'\n");
        assert!(
            said.contains("hint: `frobnicate` is not declared"),
            "{said}"
        );
        let said = told("a.c:1:1: error: invalid output constraint '=a' in asm\n");
        assert!(said.contains("hint: inline assembly"), "{said}");
        assert!(!told("x.c:1:1: error: expected ';'\n").contains("hint:"));
    }

    #[test]
    fn a_backends_last_words_are_told() {
        let said = of_backend("a\nERROR: Unknown compiler(s): [['gfortran']]\n\n");
        assert!(
            said.contains("last words: ERROR: Unknown")
                && said.contains("hint: there is no Fortran"),
            "{said}"
        );
        assert_eq!(of_backend("\n"), "");
    }
}
