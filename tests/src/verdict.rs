//! Whether what came back is what must.

use std::fmt::Write;
use std::path::Path;
use std::process::Output;

use crate::Case;

/// Holds `output` and the files in `folder` against `case`.
///
/// # Errors
///
/// Everything that differs, with both streams below it.
pub fn judge(case: &Case, output: &Output, folder: &Path) -> Result<(), String> {
    let stdout = String::from_utf8_lossy(&output.stdout);
    let stderr = String::from_utf8_lossy(&output.stderr);
    let mut faults = Vec::new();
    if output.status.code() != Some(case.code) {
        faults.push(format!(
            "ended with {}, not with exit code {}",
            output.status, case.code
        ));
    }
    if let Some(wanted) = &case.stdout
        && stdout.trim_end() != wanted.trim_end()
    {
        faults.push(format!("stdout is not\n{wanted}"));
    }
    for (stream, text, parts) in [
        ("stdout", &stdout, &case.stdout_has),
        ("stderr", &stderr, &case.stderr_has),
    ] {
        for part in parts {
            if !text.contains(part.as_str()) {
                faults.push(format!("{stream} lacks `{part}`"));
            }
        }
    }
    for part in &case.stderr_lacks {
        if stderr.contains(part.as_str()) {
            faults.push(format!("stderr holds `{part}`"));
        }
    }
    for (name, wanted) in &case.files_after {
        match std::fs::read_to_string(folder.join(name)) {
            Ok(text) if text == *wanted => {}
            Ok(text) => faults.push(format!("`{name}` holds {text:?}, not {wanted:?}")),
            Err(error) => faults.push(format!("`{name}`: {error}")),
        }
    }
    if faults.is_empty() {
        return Ok(());
    }
    let mut report = String::new();
    for fault in faults {
        let _ = writeln!(report, "- {fault}");
    }
    let _ = write!(report, "--- stdout\n{stdout}\n--- stderr\n{stderr}");
    Err(report)
}
