//! The contract between python.wasm, its host and its side modules.
//!
//! Two tables define it: `imports.toml`, the host's functions in the import module [`MODULE`], and `exports.toml`, the exports
//! of python.wasm for side modules. The build script generates the statics from them, and `cargo xtask codegen` the C header
//! `include/pymode.h` and the page `ABI.md`.
//!
//! The contract has a [`VERSION`]: in the custom section [`SECTION`] of python.wasm and of each side module, in the suffix of
//! extension modules, and in the platform tag of wheels. A host refuses a module of another version.

#![cfg_attr(not(any(test, feature = "check", feature = "model")), no_std)]

#[cfg(feature = "check")]
pub mod check;
#[cfg(feature = "model")]
pub mod model;
mod table;
mod types;
mod version;

pub use table::{EXPORTS, Export, IMPORTS, Import, export, import};
pub use types::{ExportKind, Signature, ValType, Why};
pub use version::{EXT_SUFFIX, PLATFORM_TAG, SECTION, VERSION, WHEEL_TAG};

/// The import module of the host's functions.
pub const MODULE: &str = "pymode";
