//! Tests that are skipped in the guest, each with its reason, in one file for all packages.

use std::collections::BTreeMap;

use crate::name::ProjectName;

const TEXT: &str = include_str!("../skips.toml");

/// Patterns of test names, each with its reason.
pub(crate) type Skips = BTreeMap<String, String>;

/// The skipped tests of a project.
pub(crate) fn of(project: &ProjectName) -> Skips {
    let all: BTreeMap<String, Skips> =
        toml::from_str(TEXT).expect("a test holds the file to its form");
    all.get(project.as_str()).cloned().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{Skips, TEXT};
    use crate::recipe::Recipe;
    use std::collections::BTreeMap;

    #[test]
    fn every_skip_has_a_reason_and_belongs_to_a_recipe() {
        let all: BTreeMap<String, Skips> = toml::from_str(TEXT).expect("it is TOML of that form");
        for (project, skips) in all {
            assert!(
                Recipe::names().any(|name| name == project),
                "`{project}` has no recipe"
            );
            for (pattern, reason) in skips {
                assert!(
                    reason.len() > 10,
                    "`{pattern}` of `{project}` has no reason"
                );
            }
        }
    }
}
