//! The host's decisions about its process.

use alloc::borrow::Cow;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::module::ModuleInfo;

/// The linker configuration of a process.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// The version that main and side modules must share; `None`: not checked.
    pub contract: Option<Contract>,
    /// The directory of main, as the guest sees it: `$ORIGIN` in main's run-time path. `None`: that of its name.
    pub origin: Option<String>,
    /// Directories in which a name without a slash is looked for, after the requester's own run-time path.
    pub library_path: Vec<String>,
    /// PlanNames of host functions that a module passes its `__dso_handle`, to tell who it is, as it does to `__cxa_atexit`. A module
    /// without data that imports one of them gets an address of its own.
    pub identifying_imports: Vec<Cow<'static, str>>,
}

/// A version in a custom section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contract {
    /// The section's name. It holds the version as LEB128 and nothing else.
    pub section: Cow<'static, str>,
    /// The version that the host and main keep.
    pub version: u32,
    /// Hint for a module of another version, or without one.
    pub hint: Cow<'static, str>,
}

/// A module was built for another version of the contract between main and side modules.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot load `{path}`: {}\n  hint: {hint}", mismatch(.section, *.found, *.wanted))]
pub struct ContractError {
    /// The module.
    pub path: String,
    /// The custom section that holds the version.
    pub section: String,
    /// Its version, if it has one.
    pub found: Option<u32>,
    /// The version of the process.
    pub wanted: u32,
    /// The next step.
    pub hint: String,
}

impl Config {
    /// Refuses a module that was built for another version of the contract.
    pub(crate) fn check_contract(
        &self,
        path: &str,
        info: &ModuleInfo,
    ) -> Result<(), ContractError> {
        let Some(contract) = &self.contract else {
            return Ok(());
        };
        let found = info.stamp(&contract.section);
        if found == Some(contract.version) {
            return Ok(());
        }
        Err(ContractError {
            path: path.to_string(),
            section: contract.section.to_string(),
            found,
            wanted: contract.version,
            hint: contract.hint.to_string(),
        })
    }
}

fn mismatch(section: &str, found: Option<u32>, wanted: u32) -> String {
    match found {
        Some(found) => alloc::format!(
            "it was built for version {found} of `{section}`, this process has version {wanted}"
        ),
        None => alloc::format!(
            "it does not name the version of `{section}` that it was built for; this process has version {wanted}"
        ),
    }
}
