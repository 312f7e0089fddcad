//! What a compiler said when a build failed, as one message that one can act on.

use std::fs;
use std::path::Path;

use pymode_toolchain::cc::FailedCall;

/// The most error lines that are shown; the log has them all.
const MOST_ERRORS: usize = 5;

/// Signs in a compiler's words, and what to do.
const SIGNS: &[(&str, &str)] = &[
    (
        "file not found",
        "the header belongs to a library that is not there; build the library first, or look for a build option that leaves it out",
    ),
    (
        "inline assembly",
        "inline assembly of another processor; look for a build option for plain C",
    ),
    (
        "invalid output constraint",
        "inline assembly of another processor; look for a build option for plain C",
    ),
    (
        "'fork'",
        "there are no processes in WASI; look for a build option that leaves this out",
    ),
    (
        "'pthread_create'",
        "there are no threads here; look for a build option that leaves this out",
    ),
    (
        "unable to find library -l",
        "the library is not there for wasm32-wasi; build it first, or look for a build option that leaves it out",
    ),
    (
        "unknown file type",
        "an object or library of this machine, not of wasm32-wasi",
    ),
];

/// The last failure that `pymode cc` recorded in `file`, if there is one: the lines that say what is wrong, the command,
/// and a hint.
pub(crate) fn of_compiler(file: &Path) -> Option<String> {
    let failed = FailedCall::parse(&fs::read_to_string(file).ok()?)?;
    let is_error = |line: &&str| line.contains("error:") || line.contains("error: ");
    let mut lines: Vec<&str> = failed
        .stderr
        .lines()
        .filter(is_error)
        .take(MOST_ERRORS)
        .collect();
    if lines.is_empty() {
        lines = failed.stderr.lines().rev().take(MOST_ERRORS).collect();
        lines.reverse();
    }
    let mut text: String = lines.iter().map(|line| format!("  {line}\n")).collect();
    text.push_str(&format!("  command: pymode {}", failed.command));
    if let Some((_, hint)) = SIGNS
        .iter()
        .find(|(sign, _)| lines.iter().any(|line| line.contains(sign)))
    {
        text.push_str(&format!("\n  hint: {hint}"));
    }
    Some(text)
}
