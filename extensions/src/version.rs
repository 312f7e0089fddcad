//! Versions, as PEP 440 orders and spells them.

use std::fmt;
use std::str::FromStr;

use pep508_rs::pep440_rs;

use crate::spec::SpecError;

/// One exact version of a project. Two spellings of one version are equal: `1.0` and `1.0.0`, `1.0-rc1` and `1.0rc1`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Version(pep440_rs::Version);

impl Version {
    /// The same version without its local part, which no bound such as `>=` may have.
    pub(crate) fn without_local(&self) -> Self {
        Self(self.0.clone().without_local())
    }
}

impl From<pep440_rs::Version> for Version {
    fn from(version: pep440_rs::Version) -> Self {
        Self(version)
    }
}

impl FromStr for Version {
    type Err = SpecError;

    fn from_str(text: &str) -> Result<Self, SpecError> {
        text.parse()
            .map(Self)
            .map_err(|_| SpecError::InvalidVersion {
                text: text.to_owned(),
            })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Version {
        text.parse().unwrap_or_else(|e| panic!("{e}"))
    }

    #[test]
    fn all_parts_of_a_version_count() {
        let ascending = [
            "1.0.dev1",
            "1.0a1.dev2",
            "1.0a1",
            "1.0b2.post1",
            "1.0rc1",
            "1.0",
            "1.0+cpu",
            "1.0+cpu.1",
            "1.0.post1",
            "1.1",
            "1!0.1",
        ];
        for pair in ascending.windows(2) {
            assert!(version(pair[0]) < version(pair[1]), "{pair:?}");
        }
    }

    #[test]
    fn spellings_of_one_version_are_equal() {
        for (one, other) in [
            ("1.0", "1.0.0"),
            ("1.0-RC.1", "1.0rc1"),
            ("v1.0-1", "1.0.post1"),
            ("1.0+Ubuntu_1", "1.0+ubuntu.1"),
        ] {
            assert_eq!(version(one), version(other));
        }
        assert_ne!(version("1.0"), version("1.0+cpu"));
        assert_eq!(version("1.0-RC.1").to_string(), "1.0rc1");
    }

    #[test]
    fn invalid_versions_are_refused() {
        for text in ["", "x", "1.0.", "1..0", "1.*", "1.0+", "2!", "1 0"] {
            let error = text.parse::<Version>().expect_err(text);
            assert_eq!(error.to_string(), format!("invalid version `{text}`"));
        }
    }
}
