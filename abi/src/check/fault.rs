//! What a module can do wrong.

use crate::{MODULE, SECTION, VERSION};

/// One way in which a module does not keep the contract. `Display` names the thing, and the next step when there is one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// The bytes are no WebAssembly module, or are cut short.
    #[error("it is no WebAssembly module, or a damaged one: {reason}")]
    Damaged {
        /// What the parser met, and where.
        reason: String,
    },
    /// The custom section with the contract's version is missing.
    #[error(
        "it has no custom section `{SECTION}`\nhint: link it with `pymode cc`, which writes the section"
    )]
    NoVersion,
    /// The module was made for another version of the contract.
    #[error(
        "it is made for version {found} of the contract, this is version {VERSION}\nhint: build it again"
    )]
    OtherVersion {
        /// The module's version.
        found: u32,
    },
    /// A side module without the section that makes it one.
    #[error(
        "it is no side module: it does not begin with a custom section `dylink.0`\nhint: link it with `pymode cc -shared`"
    )]
    NotSide,
    /// A side module where a main module is wanted.
    #[error("it is a side module, not a main module")]
    NotMain,
    /// python.wasm lacks an export.
    #[error("it does not export `{name}`: {kind} ({why})")]
    NoExport {
        /// The symbol.
        name: &'static str,
        /// What it should be.
        kind: String,
        /// Why it should be there.
        why: crate::Why,
    },
    /// An export of python.wasm is something else.
    #[error("it exports `{name}` as {found}, the contract says {wanted}")]
    OtherExport {
        /// The symbol.
        name: &'static str,
        /// What the contract says.
        wanted: String,
        /// What it is.
        found: String,
    },
    /// No host gives this import.
    #[error(
        "it imports `{module}.{name}`, {item}, which no host gives\nhint: hosts give `{MODULE}.*` as `pymode abi show` lists it, and `wasi_snapshot_preview1.*`"
    )]
    NoSuchImport {
        /// The import's module name.
        module: String,
        /// The import's name.
        name: String,
        /// What the module wants it to be.
        item: String,
    },
    /// The host gives this import with another type.
    #[error("it imports `{module}.{name}` as {found}, the contract says {wanted}")]
    OtherImport {
        /// The import's module name.
        module: String,
        /// The import's name.
        name: String,
        /// What the contract says.
        wanted: String,
        /// What the module wants it to be.
        found: String,
    },
    /// A side module needs a symbol that is nowhere.
    #[error("it needs `{name}`, {item}, which neither python.wasm nor a needed module exports")]
    NoSymbol {
        /// The symbol.
        name: String,
        /// What the module wants it to be.
        item: String,
    },
    /// A side module needs a symbol as something that it is not.
    #[error("it needs `{name}` as {wanted}, {whose} exports it as {found}")]
    OtherSymbol {
        /// The symbol.
        name: String,
        /// What the module wants it to be.
        wanted: String,
        /// What it is.
        found: String,
        /// Which module has it.
        whose: &'static str,
    },
}
