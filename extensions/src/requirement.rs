//! Requirements (PEP 508): a project, with extras, versions and a marker.

use std::path::Path;
use std::str::FromStr;

use pep508_rs::pep440_rs::{Operator, VersionSpecifiers};
use pep508_rs::{MarkerWarningKind, Reporter, VerbatimUrl, VersionOrUrl};

use crate::marker;
use crate::name::ProjectName;
use crate::spec::SpecError;
use crate::version::Version;

/// A requirement as it is written in metadata, such as `markupsafe>=3; python_version > "3.9"`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requirement {
    name: ProjectName,
    parsed: pep508_rs::Requirement<VerbatimUrl>,
    text: String,
}

impl Requirement {
    /// The project that it names.
    pub fn name(&self) -> &ProjectName {
        &self.name
    }

    /// The requirement as written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Fails when the requirement is for another platform, or names an address instead of versions.
    pub(crate) fn require_here(&self) -> Result<(), SpecError> {
        if matches!(self.parsed.version_or_url, Some(VersionOrUrl::Url(_))) {
            return Err(SpecError::DirectReference {
                text: self.text.clone(),
            });
        }
        if marker::tree_holds(&self.parsed.marker) {
            Ok(())
        } else {
            Err(SpecError::OtherPlatform {
                text: self.text.clone(),
            })
        }
    }

    /// Returns `true` if it is a name and nothing more.
    pub(crate) fn is_bare(&self) -> bool {
        self.parsed.extras.is_empty()
            && self.parsed.version_or_url.is_none()
            && self.parsed.marker.is_true()
    }

    /// The version, if the requirement is `name==version` and nothing more.
    pub(crate) fn exact(&self) -> Option<Version> {
        let plain = self.parsed.extras.is_empty() && self.parsed.marker.is_true();
        match self.specifiers().map(|all| all.iter().as_slice()) {
            Some([one]) if plain && *one.operator() == Operator::Equal => {
                Some(one.version().clone().into())
            }
            _ => None,
        }
    }

    /// Returns `true` if a later release of the project cannot change what fits.
    pub(crate) fn is_pinned(&self) -> bool {
        let pins = |operator: &Operator| matches!(operator, Operator::Equal | Operator::ExactEqual);
        self.specifiers()
            .is_some_and(|all| all.iter().any(|one| pins(one.operator())))
    }

    fn specifiers(&self) -> Option<&VersionSpecifiers> {
        match &self.parsed.version_or_url {
            Some(VersionOrUrl::VersionSpecifier(all)) => Some(all),
            _ => None,
        }
    }
}

impl FromStr for Requirement {
    type Err = SpecError;

    fn from_str(text: &str) -> Result<Self, SpecError> {
        let text = text.trim();
        let invalid = |reason: String| SpecError::InvalidRequirement {
            text: text.to_owned(),
            reason,
        };
        if !marker::is_shallow(text) {
            return Err(invalid("its parentheses nest too deeply".to_owned()));
        }
        // The parser leaves out of a marker what it cannot compare, and reports it.
        let mut ignored = Ignored::default();
        let parsed = pep508_rs::Requirement::parse_reporter(text, Path::new("/"), &mut ignored)
            .map_err(|e| invalid(marker::reason(&e)))?;
        if let Some(reason) = ignored.0 {
            return Err(invalid(reason));
        }
        Ok(Self {
            name: parsed.name.clone().into(),
            parsed,
            text: text.to_owned(),
        })
    }
}

/// The first comparison that the parser left out.
#[derive(Default)]
struct Ignored(Option<String>);

impl Reporter for Ignored {
    fn report(&mut self, _: MarkerWarningKind, warning: String) {
        let words: Vec<&str> = warning.split_whitespace().collect();
        let sentence = words.join(" ");
        self.0
            .get_or_insert(sentence.trim_end_matches(", will be ignored").to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn requirement(text: &str) -> Requirement {
        text.parse().unwrap_or_else(|e| panic!("{e}"))
    }

    #[test]
    fn only_an_exact_version_is_exact() {
        for (text, version) in [
            ("a==1.0", Some("1.0")),
            ("a == 1!2.0rc1.post3+cpu", Some("1!2.0rc1.post3+cpu")),
            ("A==1.0-RC1", Some("1.0rc1")),
            ("a==1.*", None),
            ("a==1,<2", None),
            ("a[x]==1", None),
            ("a===1", None),
            ("a==1; os_name == 'posix'", None),
            ("a", None),
        ] {
            let exact = requirement(text).exact().map(|version| version.to_string());
            assert_eq!(exact.as_deref(), version, "{text}");
        }
    }

    #[test]
    fn a_wildcard_and_a_marker_do_not_pin() {
        for (text, pinned) in [
            ("a==1", true),
            ("a[x]==1.0rc1; os_name == 'posix'", true),
            ("a===1", true),
            ("a==1.*", false),
            ("a>=1; python_version == '3.13'", false),
            ("a", false),
        ] {
            assert_eq!(requirement(text).is_pinned(), pinned, "{text}");
        }
    }
}
