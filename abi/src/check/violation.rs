//! Violations of the contract.

use crate::{MODULE, SECTION, VERSION};

/// A violation of the contract by a module. `Display` names the symbol, and the next step when there is one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Violation {
    /// The bytes are not a valid WebAssembly module.
    #[error("not a valid WebAssembly module: {reason}")]
    Damaged {
        /// The parser's error and its position.
        reason: String,
    },
    /// The custom section with the contract's version is missing.
    #[error(
        "no custom section `{SECTION}`\nhint: link it with `pymode cc`, which writes the section"
    )]
    NoVersion,
    /// The module is for another version of the contract.
    #[error(
        "built for version {found} of the contract, expected version {VERSION}\nhint: build it again"
    )]
    OtherVersion {
        /// The module's version.
        found: u32,
    },
    /// A side module without the section `dylink.0`.
    #[error(
        "not a side module: the first section is not `dylink.0`\nhint: link it with `pymode cc -shared`"
    )]
    NotSide,
    /// A side module instead of a main module.
    #[error("not a main module: the first section is `dylink.0`")]
    NotMain,
    /// python.wasm lacks an export.
    #[error("missing export `{name}`: {kind} ({why})")]
    NoExport {
        /// The symbol.
        name: &'static str,
        /// Type in the contract.
        kind: String,
        /// Reason for the export.
        why: crate::Why,
    },
    /// An export of python.wasm has another type.
    #[error("export `{name}` is {found}, expected {wanted}")]
    OtherExport {
        /// The symbol.
        name: &'static str,
        /// Type in the contract.
        wanted: String,
        /// Type in the module.
        found: String,
    },
    /// No host has this import.
    #[error(
        "unknown import `{module}.{name}`, {item}\nhint: import `{MODULE}.*` as `pymode abi show` lists it, or `wasi_snapshot_preview1.*`"
    )]
    NoSuchImport {
        /// The import's module name.
        module: String,
        /// The import's name.
        name: String,
        /// Type in the module.
        item: String,
    },
    /// The host has this import with another type.
    #[error("import `{module}.{name}` is {found}, expected {wanted}")]
    OtherImport {
        /// The import's module name.
        module: String,
        /// The import's name.
        name: String,
        /// Type in the contract.
        wanted: String,
        /// Type in the module.
        found: String,
    },
    /// A side module needs a symbol that is not defined.
    #[error(
        "undefined symbol `{name}`, {item}: neither python.wasm nor a needed module exports it"
    )]
    NoSymbol {
        /// The symbol.
        name: String,
        /// Type in the module.
        item: String,
    },
    /// A side module needs a symbol with another type.
    #[error("symbol `{name}` is {found} in {whose}, but the module needs {wanted}")]
    OtherSymbol {
        /// The symbol.
        name: String,
        /// Type in the module.
        wanted: String,
        /// Type of the export.
        found: String,
        /// The module that exports it.
        whose: &'static str,
    },
}
