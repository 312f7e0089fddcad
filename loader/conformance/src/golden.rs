//! Expected texts beside a case.

use std::fs;
use std::path::Path;

/// Compares with the file `name` of the case, or writes it if `BLESS` is set. No text means no file.
pub(crate) fn check(case: &Path, name: &str, text: &str) -> Result<(), String> {
    let path = case.join(name);
    if std::env::var_os("BLESS").is_some() {
        let written = if text.is_empty() {
            match fs::remove_file(&path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
                _ => Ok(()),
            }
        } else {
            fs::write(&path, text)
        };
        return written.map_err(|error| format!("cannot write {}: {error}", path.display()));
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    if expected == text {
        return Ok(());
    }
    Err(format!(
        "{name} differs\n--- expected\n{expected}--- found\n{text}---\n(to accept it, run again with BLESS=1)"
    ))
}
