//! Diagnosis of a build backend's output: the reason given by the backend or by the build system that it runs.

use crate::library::Library;

/// Patterns in a backend's output, each with a hint. The first match counts.
const SIGNS: &[(&str, &str)] = &[
    (
        "ortran",
        "there is no Fortran compiler for wasm32-wasi; look for a build option that uses plain C",
    ),
    (
        "Could NOT find Threads",
        "threads are not supported on WASI; look for a build option that leaves them out",
    ),
    (
        "Could NOT find",
        "the library is not available for wasm32-wasi; look for a build option that leaves it out",
    ),
    (
        "Dependency ",
        "the library is not available for wasm32-wasi; look for a build option that leaves it out",
    ),
    (
        "cannot run C compiled programs",
        "its `configure` ignores `CONFIG_SITE` and builds for this machine; look for a build option that does not run it",
    ),
    (
        "not recognized",
        "its `config.sub` does not know WebAssembly; look for a version of the package with a newer one",
    ),
    (
        "No module named",
        "the build imports a module that `[build-system] requires` does not name; add it there in a source tree of the package",
    ),
    (
        "No such file or directory: '",
        "install the program that the build starts, or look for an sdist that holds the file",
    ),
    (
        "not supported",
        "the package refuses the platform `wasi`; look for a build option or a version that supports it",
    ),
    (
        "nsupported platform",
        "the package refuses the platform `wasi`; look for a build option or a version that supports it",
    ),
];

/// Patterns of messages that only report a failed command.
const REPEATS: &[&str] = &[
    "returned non-zero exit status",
    "failed with exit code",
    "failed with exit status",
    "subcommand failed",
    "could not compile",
    "CompileError",
    "LinkError",
    "Compilation failed",
    "Build failed",
    "build failed",
    "CMake build failed",
    "make: ***",
    "Caused by:",
];

/// Messages in a backend's output.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Words {
    /// The reason, in one or a few lines.
    pub(super) lines: Vec<String>,
    /// `true` if this ended the build, even if a compiler failed before.
    pub(super) decides: bool,
    /// `true` if it only reports that a command failed.
    pub(super) repeats: bool,
}

/// Returns the reason that the log of a failed backend gives.
pub(super) fn words(log: &str) -> Words {
    let lines: Vec<&str> = log.lines().map(str::trim_end).collect();
    if let Some(lines) = configure(&lines)
        .or_else(|| cmake(&lines))
        .or_else(|| meson(&lines))
    {
        return Words {
            lines,
            decides: true,
            repeats: false,
        };
    }
    let repeats = |line: &str| REPEATS.iter().any(|sign| line.contains(sign));
    let line = rust(&lines).or_else(|| lines.iter().rev().find(|line| !line.is_empty()).copied());
    Words {
        lines: line.iter().map(|line| line.trim().to_owned()).collect(),
        decides: false,
        repeats: line.is_none_or(repeats),
    }
}

/// Messages of build systems about an unknown pkg-config package: the text before its name and the text after it.
const ABSENT: &[(&str, &str)] = &[
    // meson
    ("ERROR: Dependency \"", "\" not found"),
    ("ERROR: Dependency lookup for ", " with method"),
    // pkg-config itself, and tools that call it
    ("No package '", "' found"),
    ("Package ", " was not found in the pkg-config search path"),
    ("Package '", "' not found"),
];

/// Returns the missing library by its pkg-config name, if it can be built.
pub(super) fn missing_library(log: &str) -> Option<Library> {
    let name = |line: &str| {
        ABSENT.iter().find_map(|(before, after)| {
            let (name, _) = line.split_once(before)?.1.split_once(after)?;
            Library::with_package(name)
        })
    };
    log.lines().rev().find_map(name)
}

/// Returns the next step, if one is known.
pub(super) fn hint(words: &[String]) -> Option<String> {
    let has = |sign: &str| words.iter().any(|line| line.contains(sign));
    let (_, hint) = SIGNS.iter().find(|(sign, _)| has(sign))?;
    Some((*hint).to_owned())
}

/// ``configure: error: in `DIR':``, followed by the reason.
fn configure(lines: &[&str]) -> Option<Vec<String>> {
    let said = lines.iter().rev().find_map(|line| {
        let at = line.find("configure: error: ")?;
        Some(&line[at..])
    })?;
    Some(vec![said.to_owned()])
}

/// `CMake Error at FILE:LINE (COMMAND):` and the indented lines below it.
fn cmake(lines: &[&str]) -> Option<Vec<String>> {
    let at = lines.iter().position(|line| line.contains("CMake Error"))?;
    let text = lines[at + 1..]
        .iter()
        .skip_while(|line| line.is_empty())
        .take_while(|line| line.starts_with(' '));
    let text: Vec<&str> = text.map(|line| line.trim()).collect();
    let head = lines[at].trim_start();
    Some(vec![
        format!("{head} {}", text.join(" ")).trim_end().to_owned(),
    ])
}

/// `../meson.build:3:0: ERROR: TEXT`
fn meson(lines: &[&str]) -> Option<Vec<String>> {
    let is_error = |line: &&&str| line.contains(": ERROR: ") && line.contains("meson.build:");
    Some(vec![lines.iter().rfind(is_error)?.trim().to_owned()])
}

/// `error[E0425]: TEXT` of rustc or `error: TEXT` of cargo, without the summary at the end.
fn rust<'l>(lines: &[&'l str]) -> Option<&'l str> {
    let is_cargos = lines
        .iter()
        .any(|line| line.trim_start().starts_with("Compiling "));
    let is_error = |line: &&&str| line.starts_with("error[") || line.starts_with("error: ");
    let summary =
        |line: &str| line.contains("could not compile") || line.contains("aborting due to");
    let mut errors = lines.iter().filter(is_error).filter(|line| !summary(line));
    if is_cargos {
        errors.next().copied()
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(log: &str) -> String {
        words(log).lines.join("\n")
    }

    #[test]
    fn the_reason_is_found_among_the_words() {
        assert_eq!(
            said(
                "checking build\nchecking whether we are cross compiling... configure: error: in `/x':\nconfigure: error: cannot run C compiled programs.\nIf you meant to\nTraceback\nCalledProcessError: x"
            ),
            "configure: error: cannot run C compiled programs."
        );
        assert_eq!(
            said(
                "-- x\nCMake Error at CMakeLists.txt:4 (find_package):\n  Could not find\n  Moon.\n\n-- Configuring incomplete\n*** CMake configuration failed"
            ),
            "CMake Error at CMakeLists.txt:4 (find_package): Could not find Moon."
        );
        assert_eq!(
            said("../meson.build:1:0: ERROR: Unknown compiler(s): [['gfortran']]\n\nA full log\n"),
            "../meson.build:1:0: ERROR: Unknown compiler(s): [['gfortran']]"
        );
        assert_eq!(
            said(
                "   Compiling a\nerror[E0425]: cannot find value `x`\n --> src/lib.rs:1:1\nerror: could not compile `a`\n"
            ),
            "error[E0425]: cannot find value `x`"
        );
        assert_eq!(
            said("Traceback\n  x\nRuntimeError: no\n\n"),
            "RuntimeError: no"
        );
        assert_eq!(said("\n"), "");
    }

    #[test]
    fn who_passes_a_failure_on_is_known() {
        assert!(words("error: command 'cc' failed with exit code 1").repeats);
        assert!(words("ninja: build stopped: subcommand failed.").repeats);
        assert!(!words("RuntimeError: the moon").repeats);
    }

    #[test]
    fn a_library_is_missed_by_the_name_that_pkg_config_has_for_it() {
        let missed = |log: &str| missing_library(log).map(|library| library.name);
        let log = "../meson.build:98:13: ERROR: Dependency \"libxslt\" not found (tried pkg-config)\n\nA full log\n";
        assert_eq!(missed(log), Some("libxslt"));
        let log = "Package libxml-2.0 was not found in the pkg-config search path.\n";
        assert_eq!(missed(log), Some("libxml2"));
        assert_eq!(missed("No package 'moon' found"), None);
    }

    #[test]
    fn there_is_a_next_step() {
        let hint = |line: &str| hint(&[line.to_owned()]).unwrap_or_default();
        assert!(hint("x ERROR: Unknown compiler(s): [['gfortran']]").contains("no Fortran"));
        assert!(hint("platform wasi is not supported").contains("refuses the platform"));
        assert!(hint("ModuleNotFoundError: No module named 'moon'").contains("requires"));
        assert_eq!(hint("RuntimeError: x"), "");
    }
}
