//! Diagnosis of a failed build: one message with the line that failed, its meaning, and the next step. The log has the rest.

mod backend;
mod compiler;
mod notes;

use std::fs;
use std::io::Write;
use std::path::Path;

use pymode_toolchain::cc::FailedCall;

use crate::library::Library;

pub(crate) use notes::of as notes;

/// Maximum number of characters shown of a line.
const LONGEST: usize = 300;

/// Evidence about a failed build.
pub(crate) struct Evidence<'a> {
    /// File in which `pymode cc` records its last failure, if there is one.
    pub(crate) failure: &'a Path,
    /// Output of the backend and the compilers.
    pub(crate) log: &'a Path,
    /// The build tree, if it is kept.
    pub(crate) tree: Option<&'a Path>,
}

/// A failure in a few lines, and the next step.
#[derive(Debug, Default, PartialEq, Eq)]
struct Cause {
    lines: Vec<String>,
    hint: Option<String>,
}

impl Evidence<'_> {
    /// Returns the message. The failed call is added to the log: it is long, and quiet build systems hide it.
    pub(crate) fn explain(&self) -> String {
        let failed = last_failure(self.failure);
        let log = fs::read(self.log).unwrap_or_default();
        let cause = cause(failed.as_ref(), &String::from_utf8_lossy(&log));
        if let Some(failed) = failed {
            let note = format!("\nlast failed call: pymode {}\n", failed.command);
            // A log that cannot be written must not hide the failure itself.
            if let Ok(mut file) = fs::OpenOptions::new().append(true).open(self.log) {
                let _ = file.write_all(note.as_bytes());
            }
        }
        let lines = cause.lines.iter().map(|line| shortened(line));
        let mut text: Vec<String> = lines.map(|line| format!("  {line}")).collect();
        text.push(format!("  log: {}", self.log.display()));
        if let Some(tree) = self.tree {
            text.push(format!("  build tree: {}", tree.display()));
        }
        text.extend(cause.hint.map(|hint| format!("  hint: {hint}")));
        text.join("\n")
    }
}

/// A failed compiler is the reason unless the backend gives another one: compilers also fail because a build probes them.
fn cause(failed: Option<&FailedCall>, log: &str) -> Cause {
    let backend = backend::words(log);
    match failed {
        Some(failed) if !backend.decides => {
            let mut cause = compiler::cause(failed);
            if let Some(words) = backend.lines.first().filter(|_| !backend.repeats) {
                cause
                    .lines
                    .push(format!("last line of the backend's output: {words}"));
                cause.hint = cause.hint.or_else(|| backend::hint(&backend.lines));
            }
            cause
        }
        _ => Cause {
            hint: backend::hint(&backend.lines),
            lines: backend.lines,
        },
    }
}

/// The compiler's last error, if there is one: for a wheel that was built all the same.
pub(crate) fn of_compiler(file: &Path) -> Option<String> {
    let cause = compiler::cause(&last_failure(file)?);
    let hint = cause.hint.map(|hint| format!("hint: {hint}"));
    let lines = cause.lines.iter().map(|line| shortened(line)).chain(hint);
    Some(
        lines
            .map(|line| format!("  {line}"))
            .collect::<Vec<_>>()
            .join("\n"),
    )
}

/// Returns the library whose absence made a build fail, if it can be built: from the backend's output in `log`, or else
/// from the call recorded in `failure`.
pub(crate) fn missing_library(failure: &Path, log: &Path) -> Option<Library> {
    let said = fs::read(log).unwrap_or_default();
    backend::missing_library(&String::from_utf8_lossy(&said))
        .or_else(|| compiler::missing_library(&last_failure(failure)?))
}

fn last_failure(file: &Path) -> Option<FailedCall> {
    FailedCall::parse(&fs::read_to_string(file).ok()?)
}

fn shortened(line: &str) -> String {
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{} …", &line[..end]),
        None => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(stderr: &str) -> FailedCall {
        FailedCall::parse(&format!("cc -c a.c\n{stderr}")).expect("two parts")
    }

    #[test]
    fn a_backend_that_only_passes_a_failure_on_is_not_heard() {
        let failed = failed("a.c:3:9: error: expected ';'\n");
        let said = cause(
            Some(&failed),
            "x\nerror: command '/bin/cc' failed with exit code 1\n",
        );
        assert_eq!(said.lines, ["a.c:3:9: error: expected ';'"]);
        let said = cause(Some(&failed), "x\nRuntimeError: there is no moon\n");
        assert_eq!(
            said.lines[1],
            "last line of the backend's output: RuntimeError: there is no moon"
        );
    }

    #[test]
    fn what_the_backend_decides_counts_more_than_a_compiler_that_was_asked() {
        let failed = failed("probe.c:1:1: error: unknown type name 'x'\n");
        let log = "../meson.build:3:0: ERROR: Dependency \"moon\" not found, tried pkgconfig\n\nA full log can be found at x\n";
        let said = cause(Some(&failed), log);
        assert!(said.lines[0].contains("Dependency \"moon\""), "{said:?}");
        assert!(said.hint.expect("a hint").contains("library"), "it is one");
    }

    #[test]
    fn a_long_line_is_cut() {
        assert_eq!(shortened("a"), "a");
        assert_eq!(shortened(&"ä".repeat(400)).chars().count(), LONGEST + 2);
    }
}
