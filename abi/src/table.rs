//! The tables as statics without allocation.

use crate::types::{ExportKind, Signature, ValType, Why};

include!(concat!(env!("OUT_DIR"), "/tables.rs"));

/// A function of the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Import {
    /// Its name in the import module [`MODULE`](crate::MODULE).
    pub name: &'static str,
    /// Its type.
    pub signature: Signature,
    /// `true` if it may suspend the guest.
    pub may_suspend: bool,
}

/// A symbol that python.wasm exports for side modules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Export {
    /// Its name.
    pub name: &'static str,
    /// Its type.
    pub kind: ExportKind,
    /// Reason for the export.
    pub why: Why,
}

/// Returns the export with this name.
#[must_use]
pub fn export(name: &str) -> Option<&'static Export> {
    EXPORTS
        .binary_search_by(|export| export.name.cmp(name))
        .ok()
        .map(|at| &EXPORTS[at])
}

/// Returns the host import with this name.
#[must_use]
pub fn import(name: &str) -> Option<&'static Import> {
    IMPORTS
        .binary_search_by(|import| import.name.cmp(name))
        .ok()
        .map(|at| &IMPORTS[at])
}
