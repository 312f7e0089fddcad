//! The tables, as statics without allocation.

use crate::types::{Kind, Signature, ValType, Why};

include!(concat!(env!("OUT_DIR"), "/tables.rs"));

/// A function that the host gives the guest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Import {
    /// Its name in the import module [`MODULE`](crate::MODULE).
    pub name: &'static str,
    /// Its type.
    pub signature: Signature,
    /// Whether the guest may be suspended while it waits.
    pub may_suspend: bool,
}

/// A symbol that python.wasm exports for side modules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Export {
    /// Its name.
    pub name: &'static str,
    /// What it is, with its type.
    pub kind: Kind,
    /// Why it is exported.
    pub why: Why,
}

/// The export of this name.
#[must_use]
pub fn export(name: &str) -> Option<&'static Export> {
    EXPORTS
        .binary_search_by(|export| export.name.cmp(name))
        .ok()
        .map(|at| &EXPORTS[at])
}

/// The host import of this name.
#[must_use]
pub fn import(name: &str) -> Option<&'static Import> {
    IMPORTS
        .binary_search_by(|import| import.name.cmp(name))
        .ok()
        .map(|at| &IMPORTS[at])
}
