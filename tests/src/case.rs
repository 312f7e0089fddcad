//! One case: what is typed, and what must come back.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

/// What is typed, what lies in the current directory, and what must come back.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Case {
    /// Packages for `--with`.
    #[serde(default)]
    pub with: Vec<String>,
    /// `pymode`'s words instead of `run`: then `args` are its own and the case has no engine.
    #[serde(default)]
    pub verb: Vec<String>,
    /// What Python gets. `@` alone is the script that `script` holds.
    #[serde(default)]
    pub args: Vec<String>,
    /// The text of `main.py`; run when there are no `args`.
    pub script: Option<String>,
    /// More files of the current directory.
    #[serde(default)]
    pub files: BTreeMap<String, String>,
    /// Environment variables of the command.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// What stands on stdin; nothing when absent.
    #[serde(default)]
    pub stdin: String,
    /// The exit code.
    #[serde(default)]
    pub code: i32,
    /// All of stdout, up to white space at its end.
    pub stdout: Option<String>,
    /// What stdout must hold, each.
    #[serde(default)]
    pub stdout_has: Vec<String>,
    /// What stderr must hold, each.
    #[serde(default)]
    pub stderr_has: Vec<String>,
    /// What stderr must not hold.
    #[serde(default)]
    pub stderr_lacks: Vec<String>,
    /// Files of the current directory afterwards.
    #[serde(default)]
    pub files_after: BTreeMap<String, String>,
}

/// Every case of every file in `folder`, as `group/name`, sorted.
///
/// # Panics
///
/// When a file cannot be read or is no list of cases: a suite with a hole in it must not pass.
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
