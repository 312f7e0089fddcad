//! A project's lock file, `pylock.toml`, in the format of PEP 751.

use std::fs;
use std::path::{Path, PathBuf};

use pymode_toolchain::CacheError;
use serde::Deserialize;

use crate::error::Error;
use crate::lock::{self, Locked};
use crate::pyproject::Project;
use crate::requirement::Requirement;

pub(crate) const FILE: &str = "pylock.toml";
const HEAD: &str = "# Made by `pymode lock`: do not edit.\n";
const TOOL: &str = "\n\n[tool.pymode]\n";

/// A lock file: exact files with their hashes, and the requirements that they were chosen for.
#[derive(Clone, Debug)]
pub(crate) struct Pylock {
    /// The file's text.
    pub(crate) text: String,
    /// The packages that the guest needs.
    pub(crate) packages: Vec<Locked>,
    requirements: Vec<String>,
}

#[derive(Deserialize)]
struct Written {
    #[serde(default)]
    tool: Tool,
}

#[derive(Default, Deserialize)]
struct Tool {
    #[serde(default)]
    pymode: Chosen,
}

#[derive(Default, Deserialize)]
struct Chosen {
    #[serde(default)]
    requirements: Vec<String>,
}

impl Pylock {
    /// Path of a project's lock.
    pub(crate) fn path(project: &Project) -> PathBuf {
        project.dir().join(FILE)
    }

    /// Reads the lock of a project, if it has one.
    pub(crate) fn read(project: &Project) -> Result<Option<Self>, Error> {
        let path = Self::path(project);
        match fs::read_to_string(&path) {
            Ok(text) => Self::parse(text, &path).map(Some),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(CacheError::io("read", &path)(e).into()),
        }
    }

    fn parse(text: String, path: &Path) -> Result<Self, Error> {
        let wrong = |reason: String| Error::Lockfile {
            path: path.to_path_buf(),
            reason,
        };
        let written: Written = toml::from_str(&text).map_err(|e| wrong(e.to_string()))?;
        let packages = lock::parse(&text).map_err(|e| wrong(e.to_string()))?;
        Ok(Self {
            packages,
            requirements: written.tool.pymode.requirements,
            text,
        })
    }

    /// The same files for the project's current requirements.
    pub(crate) fn made_for(&self, project: &Project) -> Result<Self, Error> {
        let answer = self.text.strip_prefix(HEAD).unwrap_or(&self.text);
        let end = answer.find(TOOL).unwrap_or(answer.len());
        Self::new(project, &answer[..end])
    }

    /// The lock of uv's answer for a project.
    pub(crate) fn new(project: &Project, answer: &str) -> Result<Self, Error> {
        let mut chosen = toml_edit::Array::new();
        for requirement in project.requirements() {
            chosen.push(requirement.as_str());
        }
        let text = format!("{HEAD}{}{TOOL}requirements = {chosen}\n", answer.trim_end());
        Self::parse(text, &Self::path(project))
    }

    /// Returns `true` if the lock was made for exactly these requirements.
    pub(crate) fn is_for(&self, requirements: &[Requirement]) -> bool {
        self.requirements
            .iter()
            .map(String::as_str)
            .eq(requirements.iter().map(Requirement::as_str))
    }
}
