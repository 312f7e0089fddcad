//! Diagnosis of a compiler's or linker's output: the first line with an error, and a hint.

use pymode_toolchain::cc::FailedCall;

use super::Cause;
use crate::check::hint_for;
use crate::headers;
use crate::library::Library;

const ASSEMBLY: &str = "WebAssembly cannot run assembly of another processor; look for a build option that uses plain C";
const VECTORS: &str = "WebAssembly cannot run vector instructions of another processor; look for a build option that uses plain C";
const FORTRAN: &str =
    "there is no Fortran compiler for wasm32-wasi; look for a build option that uses plain C";

/// Patterns in a compiler's output, each with a hint. The first match counts.
const SIGNS: &[(&str, &str)] = &[
    ("in asm", ASSEMBLY),
    ("inline assembly", ASSEMBLY),
    ("invalid instruction", ASSEMBLY),
    ("Unexpected token in operand", ASSEMBLY),
    ("unknown directive", ASSEMBLY),
    ("only meant to be used on x86", VECTORS),
    (
        "is not supported on this target",
        "WebAssembly lacks this feature of another processor; look for a build option that uses plain C",
    ),
    (
        "needs target feature",
        "the vector instructions are not enabled; look for a build option that uses plain C",
    ),
    ("f95-cpp-input", FORTRAN),
    ("f77-cpp-input", FORTRAN),
    (
        "unknown file type",
        "the object or library is for this machine, not for wasm32-wasi; build it with `pymode cc`",
    ),
    (
        "lacks a true mmap",
        "mapped memory is not supported on WASI; look for a build option that reads files instead",
    ),
    (
        "lacks signal support",
        "signals are not supported on WASI; look for a build option that leaves this out",
    ),
    (
        "_WASI_EMULATED_",
        "not supported on WASI; look for a build option that leaves this out",
    ),
];

/// The first error, the number of further errors, and the next step.
pub(super) fn cause(failed: &FailedCall) -> Cause {
    let stderr: Vec<&str> = failed.stderr.lines().collect();
    let errors: Vec<usize> = (0..stderr.len())
        .filter(|&at| stderr[at].contains("error:"))
        .collect();
    let Some(&first) = errors.first() else {
        let last = stderr.iter().rev().find(|line| !line.trim().is_empty());
        return Cause {
            lines: vec![
                last.map_or("the compiler failed without a message", |line| line.trim())
                    .to_owned(),
            ],
            hint: None,
        };
    };
    let mut line = without_compilers_path(stderr[first].trim()).to_owned();
    if let Some(includer) = includer(&stderr[..first]) {
        line.push_str(&format!(" (included from {includer})"));
    }
    let mut lines = vec![line];
    match errors.len() - 1 {
        0 => {}
        1 => lines.push("and 1 more error".to_owned()),
        more => lines.push(format!("and {more} more errors")),
    }
    Cause {
        lines,
        hint: hint(stderr[first]),
    }
}

/// The package's line that included the header of the next error: `In file included from a.c:1:`.
fn includer<'l>(before: &[&'l str]) -> Option<&'l str> {
    let chain = before.iter().rev().map_while(|line| {
        line.trim_start()
            .strip_prefix("In file included from ")
            .map(|place| place.trim_end_matches(':'))
    });
    let is_compilers = |place: &&str| place.contains("/ziglang/lib/");
    let place = chain.into_iter().find(|place| !is_compilers(place))?;
    Some(place.strip_prefix("./").unwrap_or(place))
}

/// Shortens an error in one of the compiler's own headers to the header's name: its directory is no help.
fn without_compilers_path(line: &str) -> &str {
    let Some((place, _)) = line.split_once(": ") else {
        return line;
    };
    match (place.contains("/ziglang/lib/"), place.rfind('/')) {
        (true, Some(slash)) => &line[slash + 1..],
        _ => line,
    }
}

/// Returns the library whose absence made a call fail, if it can be built.
pub(super) fn missing_library(failed: &FailedCall) -> Option<Library> {
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

/// Returns the next step for a compiler's error, if one is known.
fn hint(line: &str) -> Option<String> {
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
            Some(hint) => format!("`{name}`: {hint}"),
            None => format!(
                "`{name}` is not declared and may not be supported on WASI; look for a build option that leaves it out"
            ),
        });
    }
    if let Some((_, hint)) = SIGNS.iter().find(|(sign, _)| line.contains(sign)) {
        return Some((*hint).to_owned());
    }
    refusal(line).then(|| {
        "the package's source refuses the platform wasm32-wasi; look for a build option that leaves this part out, or for a version that supports it".to_owned()
    })
}

/// Returns `true` if the source itself raises the error: clang shows `#error "text"` as `error: "text"`.
fn refusal(line: &str) -> bool {
    line.split_once("error: ")
        .is_some_and(|(_, said)| said.starts_with('"'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cause(stderr: &str) -> Cause {
        let failed = FailedCall::parse(&format!("cc -c a.c\n{stderr}")).expect("two parts");
        super::cause(&failed)
    }

    fn hint(line: &str) -> String {
        cause(line).hint.unwrap_or_default()
    }

    #[test]
    fn one_line_says_what_failed() {
        let said = cause(
            "a.c: In\na.c:3:9: error: call to undeclared function 'fork'; ISO C99\nnote: x\nb: error: y\n",
        );
        assert_eq!(
            said.lines,
            [
                "a.c:3:9: error: call to undeclared function 'fork'; ISO C99",
                "and 1 more error"
            ]
        );
        assert!(
            said.hint
                .expect("a hint")
                .contains("`fork`: processes are not supported on WASI"),
            "named"
        );
        assert_eq!(cause("a: no\n\n").lines, ["a: no"]);
    }

    #[test]
    fn what_is_missing_is_named() {
        assert!(
            hint("a.c:1:1: error: use of undeclared identifier 'frobnicate'")
                .starts_with("`frobnicate` is not declared")
        );
        for asm in [
            "invalid output constraint '=a' in asm",
            "invalid instruction",
            "Unexpected token in operand: %",
        ] {
            assert!(
                hint(&format!("a.c:1:1: error: {asm}")).contains("assembly of another processor"),
                "{asm}"
            );
        }
        assert!(
            hint("error: invalid value 'f95-cpp-input' in '-x f95-cpp-input'").contains("Fortran")
        );
        assert!(
            hint("a.h:7:6: error: \"needs to be ported\"")
                .starts_with("the package's source refuses")
        );
        assert_eq!(hint("x.c:1:1: error: expected ';'"), "");
    }

    #[test]
    fn the_packages_line_is_named_that_brought_a_header() {
        let said = cause(
            "In file included from a.c:1:\nIn file included from b.h:3:\nIn file included from /c/ziglang/lib/x.h:9:\n/c/ziglang/lib/signal.h:2:2: error: \"wasm lacks signal support; x\"\n",
        );
        assert!(
            said.lines[0].starts_with("signal.h:2:2: error: ")
                && said.lines[0].ends_with("(included from b.h:3)"),
            "{said:?}"
        );
        assert!(
            said.hint
                .expect("a hint")
                .contains("signals are not supported"),
            "which"
        );
    }
}
