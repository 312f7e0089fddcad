//! What is asked for on the command line: a name, a name with a version, an sdist, a source tree.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::pyproject::Requirement;

/// A project's name as PyPI compares it: lower case, one `-` for each run of `-`, `_` and `.`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ProjectName(String);

impl ProjectName {
    /// The normalised name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name as it stands in file names of wheels and sdists.
    pub fn in_file_names(&self) -> String {
        self.0.replace('-', "_")
    }
}

impl FromStr for ProjectName {
    type Err = SpecError;

    fn from_str(text: &str) -> Result<Self, SpecError> {
        let outer = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
        let inner = text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
        if !inner || !outer(text.chars().next()) || !outer(text.chars().last()) || text.len() > 200
        {
            return Err(SpecError::NoName {
                text: text.to_owned(),
            });
        }
        let mut name = String::with_capacity(text.len());
        for c in text.chars() {
            match c {
                '-' | '_' | '.' if name.ends_with('-') => {}
                '-' | '_' | '.' => name.push('-'),
                c => name.push(c.to_ascii_lowercase()),
            }
        }
        Ok(Self(name))
    }
}

impl fmt::Display for ProjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One exact version of a project, as written; not compared, only named.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Version(String);

impl Version {
    /// As written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Version {
    type Err = SpecError;

    fn from_str(text: &str) -> Result<Self, SpecError> {
        let begins = text.starts_with(|c: char| c.is_ascii_alphanumeric());
        let plain = text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || ".!+-_".contains(c));
        if begins && plain && text.len() < 100 {
            Ok(Self(text.to_owned()))
        } else {
            Err(SpecError::NoVersion {
                text: text.to_owned(),
            })
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What to build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Spec {
    /// A project of the index, in the newest version that fits, or in the version of its recipe.
    Project(ProjectName),
    /// One version of a project of the index.
    Exact(ProjectName, Version),
    /// A project of the index in the newest version that fits.
    Fitting(Requirement),
    /// An sdist on disk.
    Sdist(PathBuf),
    /// A directory with a `pyproject.toml` or a `setup.py`.
    Tree(PathBuf),
    /// A wheel on disk: nothing to build.
    Wheel(PathBuf),
}

/// A specification that means nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SpecError {
    /// Not a name of a project.
    #[error(
        "`{text}` is neither a project's name nor a file\n  hint: write `name`, `name==version`, or the path of an sdist or a source tree"
    )]
    NoName {
        /// As written.
        text: String,
    },
    /// Not a version.
    #[error("`{text}` is no version")]
    NoVersion {
        /// As written.
        text: String,
    },
    /// What follows a name is neither a version nor a condition.
    #[error(
        "`{text}` is no requirement, from `{at}` on\n  hint: write `name`, `name==1.2`, `name>=1.2,<2` or `name[extra]`"
    )]
    NoRequirement {
        /// As written.
        text: String,
        /// Where it goes wrong.
        at: String,
    },
    /// A requirement of another platform.
    #[error(
        "`{text}` is not for this platform\n  hint: `sys_platform` is `wasi` here, `platform_machine` `wasm32`, `python_version` 3.13"
    )]
    OtherPlatform {
        /// As written.
        text: String,
    },
    /// A path where nothing is.
    #[error("`{}` does not exist", path.display())]
    NoFile {
        /// The path.
        path: PathBuf,
    },
    /// A directory that holds no project.
    #[error("`{}` is no source tree: it has neither `pyproject.toml` nor `setup.py`", path.display())]
    NoTree {
        /// The directory.
        path: PathBuf,
    },
}

impl FromStr for Spec {
    type Err = SpecError;

    /// A path has a `/`, is `.`, or ends like an archive; all else is a name.
    fn from_str(text: &str) -> Result<Self, SpecError> {
        let is_archive = |suffixes: &[&str]| suffixes.iter().any(|suffix| text.ends_with(suffix));
        let is_sdist = is_archive(&[".tar.gz", ".tgz", ".tar.xz", ".zip"]);
        let is_wheel = is_archive(&[".whl"]);
        if !(text.contains('/') || text == "." || text == ".." || is_sdist || is_wheel) {
            return Self::of_index(text.trim());
        }
        let path = Path::new(text);
        if path.is_dir() {
            let has = |name: &str| path.join(name).is_file();
            return if has("pyproject.toml") || has("setup.py") {
                Ok(Self::Tree(path.to_path_buf()))
            } else {
                Err(SpecError::NoTree {
                    path: path.to_path_buf(),
                })
            };
        }
        if !path.is_file() {
            return Err(SpecError::NoFile {
                path: path.to_path_buf(),
            });
        }
        Ok(if is_wheel {
            Self::Wheel(path.to_path_buf())
        } else {
            Self::Sdist(path.to_path_buf())
        })
    }
}

impl Spec {
    /// A name with nothing behind it, with one version, or with conditions (PEP 508).
    fn of_index(text: &str) -> Result<Self, SpecError> {
        if let Some((name, version)) = text.split_once("==")
            && let (Ok(name), Ok(version)) = (name.trim().parse(), version.trim().parse())
        {
            return Ok(Self::Exact(name, version));
        }
        let requirement: Requirement = text.parse()?;
        if requirement.is_bare() {
            return Ok(Self::Project(requirement.name().clone()));
        }
        requirement.require_here()?;
        Ok(Self::Fitting(requirement))
    }
}

impl fmt::Display for Spec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Project(name) => write!(f, "{name}"),
            Self::Exact(name, version) => write!(f, "{name}=={version}"),
            Self::Fitting(requirement) => f.write_str(requirement.as_str()),
            Self::Sdist(path) | Self::Tree(path) | Self::Wheel(path) => {
                write!(f, "{}", path.display())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_as_pypi_does() {
        let name: ProjectName = "Ruamel.yaml__CLib".parse().expect("a name");
        assert_eq!(name.as_str(), "ruamel-yaml-clib");
        assert_eq!(name.in_file_names(), "ruamel_yaml_clib");
    }

    #[test]
    fn a_spec_is_a_name_or_a_version() {
        assert!(
            matches!("MarkupSafe".parse(), Ok(Spec::Project(name)) if name.as_str() == "markupsafe")
        );
        assert!(
            matches!("a==1.0".parse(), Ok(Spec::Exact(_, version)) if version.as_str() == "1.0")
        );
    }

    #[test]
    fn a_requirement_is_taken_as_it_is_written() {
        for text in [
            "a>=1",
            "a==1,<2",
            "a==1.*",
            "A[x, y]~=1.0",
            "a[x]",
            "a (>=1)",
            "a>1; sys_platform == 'wasi'",
        ] {
            let spec = text.parse();
            assert!(
                matches!(&spec, Ok(Spec::Fitting(one)) if one.as_str() == text && one.name().as_str() == "a"),
                "{spec:?}"
            );
        }
        let other = "a>1; sys_platform == 'win32'".parse::<Spec>();
        assert!(
            matches!(other, Err(SpecError::OtherPlatform { .. })),
            "{other:?}"
        );
    }

    #[test]
    fn what_means_nothing_is_said_so() {
        for text in [
            "",
            "a==",
            "a>=",
            "a=1",
            "a b",
            "a[x",
            "a; moon == 'x'",
            "-rf",
            "no/such/file.tar.gz",
            "/",
        ] {
            assert!(text.parse::<Spec>().is_err(), "`{text}` was taken");
        }
    }
}
