//! The contract between python.wasm, its host and its side modules.
//!
//! Two tables say all of it: `imports.toml`, what the host gives the guest under the module name [`MODULE`], and
//! `exports.toml`, what python.wasm exports for side modules. The statics here are made from them at build time, the
//! C header `include/pymode.h` and the page `ABI.md` by `cargo xtask codegen`.
//!
//! The contract has a [`VERSION`]. It stands in the custom section [`SECTION`] of python.wasm and of each side module,
//! in the suffix of extension modules and in the platform tag of wheels; a host refuses a module of another version.

#![cfg_attr(not(any(test, feature = "check", feature = "model")), no_std)]

#[cfg(feature = "check")]
pub mod check;
#[cfg(feature = "model")]
pub mod model;
mod table;
mod types;
mod version;

pub use table::{EXPORTS, Export, IMPORTS, Import, export, import};
pub use types::{Kind, Signature, ValType, Why};
pub use version::{EXT_SUFFIX, PLATFORM_TAG, SECTION, VERSION, WHEEL_TAG};

/// The module name under which the host's functions are imported.
pub const MODULE: &str = "pymode";
