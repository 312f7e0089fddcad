//! A project's `pyproject.toml`.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use pymode_bundle::WorkerMode;
use serde::Deserialize;

/// Errors of reading a project's `pyproject.toml`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ManifestError {
    /// There is no such directory.
    #[error(
        "no such project: `{}` is not a directory\n  hint: name the one that holds the project's pyproject.toml",
        dir.display()
    )]
    NoProject {
        /// The searched directory.
        dir: PathBuf,
    },
    /// There is no `pyproject.toml`.
    #[error(
        "`{}` has no pyproject.toml\n  hint: a project is a pyproject.toml with `[project] name` and `dependencies`, and `src/entry.py`; see examples/hello",
        dir.display()
    )]
    Missing {
        /// The searched directory.
        dir: PathBuf,
    },
    /// It cannot be read.
    #[error("cannot read `{}`: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is not TOML, or has an unknown key.
    #[error("`{}`: {reason}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Reason and line.
        reason: String,
    },
    /// It has an invalid value.
    #[error("`{}`: `{key}` {reason}", path.display())]
    Value {
        /// The file.
        path: PathBuf,
        /// Which key, such as `project.name`.
        key: &'static str,
        /// Reason.
        reason: String,
    },
}

/// A project.
#[derive(Debug, Clone)]
pub struct Manifest {
    /// The Worker's name: lower-case letters, digits and dashes.
    pub name: String,
    /// Requirements as in packaging metadata: `jinja2>=3`.
    pub dependencies: Vec<String>,
    /// The rest.
    pub settings: Settings,
}

/// `[tool.pymode]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Settings {
    /// The module that answers requests, below `src/`.
    pub entry: String,
    /// Persistent or per-request interpreter.
    #[serde(with = "RequestMode")]
    pub mode: WorkerMode,
    /// Maximum memory of Python in MB (2²⁰ bytes).
    pub memory: u32,
    /// `true` if the standard library keeps its docstrings.
    pub docstrings: bool,
    /// `true` if packages keep their tests, and files for compilers and type checkers.
    pub tests: bool,
    /// Modules and packages of the standard library to omit, besides those that are omitted by default.
    pub without: Vec<String>,
    /// Modules to keep that are omitted by default.
    pub with: Vec<String>,
    /// Additional settings for `wrangler.jsonc`.
    pub wrangler: toml::Table,
}

/// The modes that a project may choose.
#[derive(Deserialize)]
#[serde(remote = "WorkerMode", rename_all = "lowercase")]
enum RequestMode {
    Request,
    Persistent,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            entry: "entry".to_owned(),
            mode: WorkerMode::default(),
            memory: 96,
            docstrings: false,
            tests: false,
            without: Vec::new(),
            with: Vec::new(),
            wrangler: toml::Table::new(),
        }
    }
}

/// Maximum memory in MB: the rest of the isolate's memory is for the host and the engine.
const MOST_MEMORY: u32 = 112;
/// Minimum memory in MB: python.wasm does not start with less.
const LEAST_MEMORY: u32 = 16;

/// Modules of the standard library that a bundle omits unless `with` names them: only used in a terminal.
const LEFT_OUT: &[&str] = &[
    // Replacements of missing C modules.
    "_pydatetime",
    "_pydecimal",
    "_pyio",
    // The interactive interpreter, and its help.
    "_pyrepl",
    "antigravity",
    "pydoc_data",
    "this",
    "venv",
];

/// Modules that are omitted because they cannot work: an import would fail one module later.
const UNAVAILABLE: &[&str] = &[
    // They import C modules that are not available on WASI.
    "ctypes",
    "curses",
    "pty",
    "tty",
    // For other systems.
    "_aix_support",
    "_android_support",
    "_apple_support",
    "_ios_support",
    "_osx_support",
];

#[derive(Deserialize)]
struct Pyproject {
    project: Option<ProjectTable>,
    #[serde(default)]
    tool: Tool,
}

/// `[project]`. Other standard keys are ignored, so unknown keys are no error.
#[derive(Deserialize)]
struct ProjectTable {
    name: Option<String>,
    #[serde(default)]
    dependencies: Vec<String>,
    #[serde(default)]
    dynamic: Vec<String>,
}

#[derive(Default, Deserialize)]
struct Tool {
    #[serde(default)]
    pymode: Settings,
}

impl Manifest {
    /// Checks that the directory exists. Its contents may follow.
    ///
    /// # Errors
    /// When it does not exist.
    pub fn look_for_project(dir: &Path) -> Result<(), ManifestError> {
        match dir.is_dir() {
            true => Ok(()),
            false => Err(ManifestError::NoProject { dir: dir.into() }),
        }
    }

    /// Reads the `pyproject.toml` of a directory.
    ///
    /// # Errors
    /// When the file does not exist, or is invalid.
    pub fn read(dir: &Path) -> Result<Manifest, ManifestError> {
        Manifest::look_for_project(dir)?;
        let path = dir.join("pyproject.toml");
        match fs::read_to_string(&path) {
            Ok(text) => Manifest::parse(&path, &text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(ManifestError::Missing { dir: dir.into() })
            }
            Err(source) => Err(ManifestError::Read { path, source }),
        }
    }

    fn parse(path: &Path, text: &str) -> Result<Manifest, ManifestError> {
        let malformed = |reason: String| ManifestError::Malformed {
            path: path.into(),
            reason,
        };
        let value = |key, reason: &str| ManifestError::Value {
            path: path.into(),
            key,
            reason: reason.to_owned(),
        };
        let all: Pyproject =
            toml::from_str(text).map_err(|error| malformed(error.to_string().trim().to_owned()))?;
        let project = all
            .project
            .ok_or_else(|| malformed("there is no table `[project]`".to_owned()))?;
        if project.dynamic.iter().any(|key| key == "dependencies") {
            return Err(value(
                "project.dynamic",
                "contains `dependencies`, which must be in the file itself",
            ));
        }
        let settings = all.tool.pymode;
        if !is_module(&settings.entry) {
            return Err(value(
                "tool.pymode.entry",
                "is not a module name, such as `entry` or `app.main`",
            ));
        }
        if !(LEAST_MEMORY..=MOST_MEMORY).contains(&settings.memory) {
            return Err(value(
                "tool.pymode.memory",
                &format!("is not between {LEAST_MEMORY} and {MOST_MEMORY} (MB)"),
            ));
        }
        let name = project
            .name
            .ok_or_else(|| value("project.name", "is missing"))?;
        Ok(Manifest {
            name: worker_name(&name).ok_or_else(|| {
                value("project.name", "has no letter or digit for a Worker's name")
            })?,
            dependencies: project.dependencies,
            settings,
        })
    }
}

impl Settings {
    /// Returns the omitted top-level names of the standard library.
    pub(crate) fn left_out(&self) -> Vec<&str> {
        let ours = LEFT_OUT.iter().chain(UNAVAILABLE).copied();
        let mut all: Vec<&str> = ours
            .filter(|name| !self.is_kept(name))
            .chain(self.without.iter().map(String::as_str))
            .collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// Returns the import errors of omitted modules that could be included.
    pub(crate) fn absent(&self) -> BTreeMap<String, String> {
        let mut absent = BTreeMap::new();
        for name in LEFT_OUT.iter().filter(|name| !self.is_kept(name)) {
            let reason = format!(
                "it is omitted from this Worker\n  hint: keep it with `with = [\"{name}\"]` in `[tool.pymode]`"
            );
            absent.insert((*name).to_owned(), reason);
        }
        for name in &self.without {
            let reason = "`without` in `[tool.pymode]` omits it from this Worker";
            // Its C module is omitted, too.
            for name in [name.clone(), format!("_{name}")] {
                absent.insert(name, reason.to_owned());
            }
        }
        absent
    }

    fn is_kept(&self, name: &str) -> bool {
        self.with.iter().any(|kept| kept == name)
    }
}

fn is_module(name: &str) -> bool {
    name.split('.').all(|part| {
        let mut chars = part.chars();
        chars
            .next()
            .is_some_and(|first| first == '_' || first.is_alphabetic())
            && chars.all(|c| c == '_' || c.is_alphanumeric())
    })
}

/// Converts a project's name to a Worker's name.
fn worker_name(name: &str) -> Option<String> {
    let mut text = String::new();
    for c in name.chars() {
        match c {
            'a'..='z' | '0'..='9' => text.push(c),
            'A'..='Z' => text.push(c.to_ascii_lowercase()),
            _ if text.is_empty() || text.ends_with('-') => {}
            _ => text.push('-'),
        }
    }
    let text = text.trim_end_matches('-');
    (!text.is_empty()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Manifest, String> {
        Manifest::parse(Path::new("pyproject.toml"), text).map_err(|error| error.to_string())
    }

    #[test]
    fn a_project_needs_a_name_and_nothing_else() {
        let manifest = parse("[project]\nname = 'My_App 2'").expect("it is a project");
        assert_eq!(manifest.name, "my-app-2");
        assert_eq!(manifest.settings.entry, "entry");
        assert_eq!(manifest.settings.mode, WorkerMode::Persistent);
        assert!(manifest.settings.left_out().contains(&"pydoc_data"));
    }

    #[test]
    fn all_of_it() {
        let text = "[project]\nname = 'a'\nversion = '1'\ndependencies = ['jinja2>=3']\n\
            [tool.other]\nx = 1\n\
            [tool.pymode]\nentry = 'app.main'\nmode = 'request'\nmemory = 64\ndocstrings = true\n\
            without = ['sqlite3']\nwith = ['pydoc_data']\n[tool.pymode.wrangler.vars]\nGREETING = 'hi'";
        let manifest = parse(text).expect("it is a project");
        assert_eq!(manifest.dependencies, ["jinja2>=3"]);
        assert_eq!(manifest.settings.mode, WorkerMode::Request);
        let left_out = manifest.settings.left_out();
        assert!(left_out.contains(&"sqlite3") && !left_out.contains(&"pydoc_data"));
        assert!(manifest.settings.wrangler.contains_key("vars"));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, expected) in [
            ("", "no table `[project]`"),
            ("[project]", "`project.name` is missing"),
            ("[project]\nname = '_'", "`project.name` has no letter"),
            (
                "[project]\nname = 'a'\n[tool.pymode]\nentri = 'x'",
                "unknown field `entri`",
            ),
            (
                "[project]\nname = 'a'\n[tool.pymode]\nmode = 'run'",
                "unknown variant `run`",
            ),
            (
                "[project]\nname = 'a'\n[tool.pymode]\nmemory = 4",
                "`tool.pymode.memory` is not between",
            ),
            (
                "[project]\nname = 'a'\n[tool.pymode]\nentry = '../x'",
                "`tool.pymode.entry` is not a module",
            ),
            (
                "[project]\nname = 'a'\ndynamic = ['dependencies']",
                "`project.dynamic` contains `dependencies`",
            ),
            ("[project\n", "TOML parse error at line 1"),
        ] {
            let error = parse(text).expect_err(text);
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
