//! Cases: a command line and the expected result.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

/// A command line, the files of the current directory, and the expected result.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Case {
    /// Packages for `--with`.
    #[serde(default)]
    pub with: Vec<String>,
    /// Arguments of `pymode` instead of `run …`. `args` then belong to them, and the case has no engine.
    #[serde(default)]
    pub verb: Vec<String>,
    /// Python's arguments. `@` alone is the file with `script`.
    #[serde(default)]
    pub args: Vec<String>,
    /// The text of `main.py`, which runs when there are no `args`.
    pub script: Option<String>,
    /// More files of the current directory.
    #[serde(default)]
    pub files: BTreeMap<String, String>,
    /// Environment variables of the command.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// Standard input [default: empty].
    #[serde(default)]
    pub stdin: String,
    /// Expected exit code.
    #[serde(default)]
    pub code: i32,
    /// Expected stdout, up to white space at its end.
    pub stdout: Option<String>,
    /// Texts that stdout must contain.
    #[serde(default)]
    pub stdout_has: Vec<String>,
    /// Texts that stderr must contain.
    #[serde(default)]
    pub stderr_has: Vec<String>,
    /// Texts that stderr must not contain.
    #[serde(default)]
    pub stderr_lacks: Vec<String>,
    /// Expected files of the current directory.
    #[serde(default)]
    pub files_after: BTreeMap<String, String>,
}

/// Every case of every file in `folder`, as `group/name`, sorted.
///
/// # Panics
///
/// When a file cannot be read or is not a list of cases: a suite with a gap must not pass.
#[must_use]
pub fn load_all(folder: &Path) -> Vec<(String, Case)> {
    let mut cases = Vec::new();
    let entries = std::fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    for entry in entries {
        let path = entry.expect("a directory entry can be read").path();
        if path.extension().is_none_or(|e| e != "toml") {
            continue;
        }
        let group = path
            .file_stem()
            .expect("a .toml file has a stem")
            .to_string_lossy()
            .into_owned();
        let text =
            std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let parsed: BTreeMap<String, Case> =
            toml::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        cases.extend(
            parsed
                .into_iter()
                .map(|(name, case)| (format!("{group}/{name}"), case)),
        );
    }
    cases.sort_by(|a, b| a.0.cmp(&b.0));
    cases
}
