//! What compilers and backends said when a build failed, as one message that one can act on: the line that failed, what it means,
//! what to do. All else is in the log.

mod backend;
mod compiler;
mod notes;

use std::fs;
use std::io::Write;
use std::path::Path;

use pymode_toolchain::cc::FailedCall;

use crate::library::Library;

pub(crate) use notes::of as notes;

/// The most characters of a line that are shown.
const LONGEST: usize = 300;

/// What is known of a failed build.
pub(crate) struct Evidence<'a> {
    /// Where `pymode cc` noted its last failure, if it failed.
    pub(crate) failure: &'a Path,
    /// All that backend and compilers said.
    pub(crate) log: &'a Path,
    /// The build tree, if it stays.
    pub(crate) tree: Option<&'a Path>,
}

/// Something that went wrong, in few lines, and the next step.
#[derive(Debug, Default, PartialEq, Eq)]
struct Cause {
    lines: Vec<String>,
    hint: Option<String>,
}

impl Evidence<'_> {
    /// The message. The call that failed is added to the log: it is long, and build systems that are told to be quiet hide it.
    pub(crate) fn explain(&self) -> String {
        let failed = last_failure(self.failure);
        let log = fs::read(self.log).unwrap_or_default();
        let cause = cause(failed.as_ref(), &String::from_utf8_lossy(&log));
        if let Some(failed) = failed {
            let note = format!("\nthe call that failed last: pymode {}\n", failed.command);
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

/// A compiler that failed is the reason, unless the backend says something else than that a compiler failed: compilers also fail
/// because they were asked something.
fn cause(failed: Option<&FailedCall>, log: &str) -> Cause {
    let backend = backend::words(log);
    match failed {
        Some(failed) if !backend.decides => {
            let mut cause = compiler::cause(failed);
            if let Some(words) = backend.lines.first().filter(|_| !backend.repeats) {
                cause
                    .lines
                    .push(format!("the backend's last words: {words}"));
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

/// What the compiler said when it failed last, if it did: for a wheel that came about all the same.
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

/// The library whose absence made a build fail, if it is one that can be built: by what the backend said in `log`, or else by the
/// last call that is noted in `failure`.
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
            "the backend's last words: RuntimeError: there is no moon"
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
