//! Reads `abi/policy.toml`, which selects the symbols of the contract.

use std::collections::BTreeMap;

use serde::Deserialize;

/// Content of the file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Policy {
    pub(super) python: Python,
    pub(super) libc: Libc,
    #[serde(rename = "compiler-rt")]
    pub(super) compiler_rt: Names,
    pub(super) runtime: Runtime,
}

/// Patterns (a name, or its start and `*`) with the reason.
pub(super) type Reasons = BTreeMap<String, String>;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Python {
    pub(super) prefixes: Vec<String>,
    pub(super) leave_out: Reasons,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Libc {
    pub(super) headers: Vec<String>,
    pub(super) also: Reasons,
    pub(super) leave_out: Reasons,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Names {
    pub(super) names: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Runtime {
    /// Symbols that the linker creates, with their types.
    pub(super) linker: BTreeMap<String, String>,
    pub(super) objects: Names,
}

/// Returns `true` if one of the patterns matches the name.
pub(super) fn fits(reasons: &Reasons, name: &str) -> bool {
    reasons.keys().any(|pattern| match pattern.split_once('*') {
        None => pattern == name,
        Some((start, end)) => {
            name.len() >= start.len() + end.len() && name.starts_with(start) && name.ends_with(end)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_a_name_or_has_one_star() {
        let patterns = |list: &[&str]| -> Reasons {
            let reason = |pattern: &&str| ((*pattern).to_owned(), "because".to_owned());
            list.iter().map(reason).collect()
        };
        let reasons = patterns(&["crypt", "iconv*", "*64", "__a*z"]);
        for name in ["crypt", "iconv", "iconv_open", "fopen64", "__az", "__abcz"] {
            assert!(fits(&reasons, name), "{name}");
        }
        for name in ["crypt_r", "licon", "fopen6", "__a", "__z", "64x"] {
            assert!(!fits(&reasons, name), "{name}");
        }
        // The start and the end must not overlap.
        assert!(!fits(&patterns(&["ab*ba"]), "aba"));
    }
}
