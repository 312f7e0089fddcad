//! `abi/policy.toml`: which of the archives' symbols belong to the contract.

use std::collections::BTreeMap;

use serde::Deserialize;

/// The whole of the file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Policy {
    pub(crate) python: Python,
    pub(crate) libc: Libc,
    #[serde(rename = "compiler-rt")]
    pub(crate) compiler_rt: CompilerRt,
    /// What the linker makes: name and kind.
    pub(crate) runtime: BTreeMap<String, String>,
}

/// Patterns (a name, or its start and `*`) with the reason.
pub(crate) type Reasons = BTreeMap<String, String>;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Python {
    pub(crate) prefixes: Vec<String>,
    pub(crate) leave_out: Reasons,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Libc {
    pub(crate) headers: Vec<String>,
    pub(crate) also: Reasons,
    pub(crate) leave_out: Reasons,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CompilerRt {
    pub(crate) names: Vec<String>,
}

/// Whether one of the patterns fits the name.
pub(crate) fn fits(reasons: &Reasons, name: &str) -> bool {
    reasons.keys().any(|pattern| match pattern.split_once('*') {
        None => pattern == name,
        Some((start, end)) => {
            name.len() >= start.len() + end.len() && name.starts_with(start) && name.ends_with(end)
        }
    })
}
