//! Names of projects.

use std::fmt;
use std::str::FromStr;

use pep508_rs::PackageName;

use crate::spec::SpecError;

/// A project's name as PyPI compares it: lower case, one `-` for each run of `-`, `_` and `.`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ProjectName(PackageName);

impl ProjectName {
    /// The normalised name.
    pub fn as_str(&self) -> &str {
        self.0.as_ref()
    }

    /// The name as wheels and sdists spell it in their file names.
    pub fn in_file_names(&self) -> String {
        self.0.as_dist_info_name().into_owned()
    }
}

impl From<PackageName> for ProjectName {
    fn from(name: PackageName) -> Self {
        Self(name)
    }
}

impl FromStr for ProjectName {
    type Err = SpecError;

    fn from_str(text: &str) -> Result<Self, SpecError> {
        let invalid = || SpecError::InvalidName {
            text: text.to_owned(),
        };
        // The parser takes the empty name for one that is already normal.
        if text.is_empty() {
            return Err(invalid());
        }
        PackageName::from_str(text).map(Self).map_err(|_| invalid())
    }
}

impl fmt::Display for ProjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_compare_as_on_pypi() {
        let name: ProjectName = "Ruamel.yaml__CLib".parse().expect("a name");
        assert_eq!(name.as_str(), "ruamel-yaml-clib");
        assert_eq!(name.in_file_names(), "ruamel_yaml_clib");
    }

    #[test]
    fn invalid_names_are_refused() {
        for text in ["", "-a", "a-", ".", "a/b", "a b", "ä", "a\0"] {
            assert!(text.parse::<ProjectName>().is_err(), "{text:?}");
        }
    }
}
