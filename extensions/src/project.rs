//! A source tree's `pyproject.toml`: the build backend and its requirements (PEP 517 and 518).

use std::path::{Path, PathBuf};

use pymode_toolchain::CacheError;
use serde::Deserialize;

use crate::error::Error;

/// A build backend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Backend {
    /// Entry point, `module:object`.
    pub(crate) object: String,
    /// Requirements of the backend itself.
    pub(crate) requires: Vec<String>,
    /// Directories of the project that hold the backend.
    pub(crate) paths: Vec<PathBuf>,
}

#[derive(Deserialize)]
struct Pyproject {
    #[serde(rename = "build-system")]
    build_system: Option<BuildSystem>,
}

#[derive(Deserialize)]
struct BuildSystem {
    requires: Vec<String>,
    #[serde(rename = "build-backend")]
    build_backend: Option<String>,
    #[serde(rename = "backend-path", default)]
    backend_path: Vec<String>,
}

impl Backend {
    /// Reads it from a source tree. Without a `pyproject.toml` the backend is setuptools, as PEP 517 requires.
    pub(crate) fn of(tree: &Path) -> Result<Self, Error> {
        let path = tree.join("pyproject.toml");
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Self::setuptools(vec!["setuptools".into()]));
            }
            Err(e) => return Err(CacheError::io("read", &path)(e).into()),
        };
        Self::parse(&text, tree).map_err(|reason| Error::Pyproject { path, reason })
    }

    fn parse(text: &str, tree: &Path) -> Result<Self, String> {
        let pyproject: Pyproject = toml::from_str(text).map_err(|e| e.to_string())?;
        let Some(system) = pyproject.build_system else {
            return Ok(Self::setuptools(vec!["setuptools".into()]));
        };
        let Some(object) = system.build_backend else {
            return Ok(Self::setuptools(system.requires));
        };
        let mut paths = Vec::new();
        for path in &system.backend_path {
            let inside = Path::new(path).components().all(|part| {
                matches!(
                    part,
                    std::path::Component::Normal(_) | std::path::Component::CurDir
                )
            });
            if !inside {
                return Err(format!("`backend-path` `{path}` is outside the project"));
            }
            paths.push(tree.join(path));
        }
        Ok(Self {
            object,
            requires: system.requires,
            paths,
        })
    }

    fn setuptools(requires: Vec<String>) -> Self {
        Self {
            object: "setuptools.build_meta:__legacy__".to_owned(),
            requires,
            paths: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backend_is_named_or_it_is_setuptools() {
        let parse = |text: &str| Backend::parse(text, Path::new("/t"));
        let named =
            parse("[build-system]\nrequires = ['flit_core']\nbuild-backend = 'flit_core.buildapi'")
                .expect("right");
        assert_eq!(
            (named.object.as_str(), named.requires.as_slice()),
            ("flit_core.buildapi", &["flit_core".to_owned()][..])
        );
        assert_eq!(
            parse("[project]\nname = 'x'").expect("right").object,
            "setuptools.build_meta:__legacy__"
        );
        let own =
            parse("[build-system]\nrequires = []\nbuild-backend = 'b'\nbackend-path = ['_own']")
                .expect("right");
        assert_eq!(own.paths, [Path::new("/t/_own")]);
    }

    #[test]
    fn a_backend_outside_the_project_is_refused() {
        for path in ["..", "/etc", "a/../../b"] {
            let text = format!(
                "[build-system]\nrequires = []\nbuild-backend = 'b'\nbackend-path = ['{path}']"
            );
            assert!(Backend::parse(&text, Path::new("/t")).is_err(), "{path}");
        }
    }
}
