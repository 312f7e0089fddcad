//! Package specifications of the command line: a name, a requirement, an sdist, a source tree, a wheel.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::name::ProjectName;
use crate::requirement::Requirement;
use crate::version::Version;

/// A package to build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Spec {
    /// A project of the index, in the version of its recipe or the newest that fits.
    Project(ProjectName),
    /// One version of a project of the index.
    Exact(ProjectName, Version),
    /// A project of the index in the newest version that fits.
    Fitting(Box<Requirement>),
    /// An sdist on disk.
    Sdist(PathBuf),
    /// A directory with a `pyproject.toml` or a `setup.py`.
    Tree(PathBuf),
    /// A wheel on disk, which needs no build.
    Wheel(PathBuf),
}

/// An invalid specification.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SpecError {
    /// Not a project's name.
    #[error("invalid project name `{text}`")]
    InvalidName {
        /// As written.
        text: String,
    },
    /// Not a version of PEP 440.
    #[error("invalid version `{text}`")]
    InvalidVersion {
        /// As written.
        text: String,
    },
    /// Not a requirement of PEP 508.
    #[error(
        "invalid requirement `{text}`: {reason}\n  hint: write `name`, `name==1.2`, `name>=1.2,<2`, `name[extra]`, or the path of an sdist or a source tree"
    )]
    InvalidRequirement {
        /// As written.
        text: String,
        /// The parser's reason.
        reason: String,
    },
    /// A requirement that names an address.
    #[error(
        "`{text}` is a direct reference, which is not supported\n  hint: download it, and give the path of the sdist, the source tree or the wheel"
    )]
    DirectReference {
        /// As written.
        text: String,
    },
    /// A requirement of another platform.
    #[error(
        "`{text}` is not for this platform\n  note: `sys_platform` is `wasi`, `platform_machine` is `wasm32`, `python_version` is 3.13"
    )]
    OtherPlatform {
        /// As written.
        text: String,
    },
    /// A path that leads nowhere.
    #[error("no such file or directory: `{}`", path.display())]
    NoSuchFile {
        /// The path.
        path: PathBuf,
    },
    /// A directory that holds no project.
    #[error("not a source tree: `{}` has neither `pyproject.toml` nor `setup.py`", path.display())]
    NotASourceTree {
        /// The directory.
        path: PathBuf,
    },
}

impl FromStr for Spec {
    type Err = SpecError;

    /// Takes text with a `/`, `.`, `..` and names of archives as paths, everything else as a requirement.
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
                Err(SpecError::NotASourceTree {
                    path: path.to_path_buf(),
                })
            };
        }
        if !path.is_file() {
            return Err(SpecError::NoSuchFile {
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
    fn of_index(text: &str) -> Result<Self, SpecError> {
        let requirement: Requirement = text.parse()?;
        if requirement.is_bare() {
            return Ok(Self::Project(requirement.name().clone()));
        }
        if let Some(version) = requirement.exact() {
            return Ok(Self::Exact(requirement.name().clone(), version));
        }
        requirement.require_here()?;
        Ok(Self::Fitting(Box::new(requirement)))
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
    fn a_spec_is_a_name_or_a_version() {
        assert!(
            matches!("MarkupSafe".parse(), Ok(Spec::Project(name)) if name.as_str() == "markupsafe")
        );
        assert!(
            matches!("a==1.0".parse(), Ok(Spec::Exact(_, version)) if version.to_string() == "1.0")
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
            "a>=1!2.0rc1.post3",
            "a===1.0+cpu",
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
    fn invalid_specifications_are_refused() {
        for text in [
            "",
            "a==",
            "a>=",
            "a=1",
            "a b",
            "a[x",
            "a; moon == 'x'",
            "a; os_name ~= 'x'",
            "a @ https://x.test/a-1.tar.gz",
            "a==1.0.x",
            "-rf",
            "no/such/file.tar.gz",
            "/",
        ] {
            assert!(text.parse::<Spec>().is_err(), "`{text}` was taken");
        }
    }
}
