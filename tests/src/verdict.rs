//! Compares a result with the expected one.

use std::fmt::Write;
use std::path::Path;
use std::process::Output;

use crate::Case;

/// Compares `output` and the files in `folder` with `case`.
///
/// # Errors
///
/// Every difference, followed by both streams.
pub fn judge(case: &Case, output: &Output, folder: &Path) -> Result<(), String> {
    let stdout = String::from_utf8_lossy(&output.stdout);
    let stderr = String::from_utf8_lossy(&output.stderr);
    let mut differences = Vec::new();
    if output.status.code() != Some(case.code) {
        differences.push(format!(
            "ended with {}, expected exit code {}",
            output.status, case.code
        ));
    }
    if let Some(wanted) = &case.stdout
        && stdout.trim_end() != wanted.trim_end()
    {
        differences.push(format!("expected stdout\n{wanted}"));
    }
    for (stream, text, parts) in [
        ("stdout", &stdout, &case.stdout_has),
        ("stderr", &stderr, &case.stderr_has),
    ] {
        for part in parts {
            if !text.contains(part.as_str()) {
                differences.push(format!("`{part}` is missing in {stream}"));
            }
        }
    }
    for part in &case.stderr_lacks {
        if stderr.contains(part.as_str()) {
            differences.push(format!("unexpected `{part}` in stderr"));
        }
    }
    for (name, wanted) in &case.files_after {
        match std::fs::read_to_string(folder.join(name)) {
            Ok(text) if text == *wanted => {}
            Ok(text) => {
                differences.push(format!("`{name}` contains {text:?}, expected {wanted:?}"))
            }
            Err(error) => differences.push(format!("`{name}`: {error}")),
        }
    }
    if differences.is_empty() {
        return Ok(());
    }
    let mut report = String::new();
    for fault in differences {
        let _ = writeln!(report, "- {fault}");
    }
    let _ = write!(report, "--- stdout\n{stdout}\n--- stderr\n{stderr}");
    Err(report)
}
