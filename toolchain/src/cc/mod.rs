//! The C and C++ driver for wasm32-wasi: gcc's command line in front of zig.

mod abi_section;
mod adapt;
mod args;
mod driver;
mod failure;
pub mod flags;
mod linker;
mod objects;
mod preprocessed;
mod response;
mod runtime;
mod symbols;

pub use abi_section::abi_section;
pub use args::Language;
pub use driver::{ar, ranlib, run};
pub use failure::{FAILURE, FailedCall};
pub(crate) use symbols::hide_weak_definitions;

use crate::key::Key;

/// Returns a key that changes when the driver's output may change: with zig, with the ABI, and with this crate.
pub fn key() -> Key {
    Key::new("cc")
        .field("zig", crate::zig::VERSION)
        .field("abi", pymode_abi::VERSION.to_string())
        .field("toolchain", crate::SOURCES)
}
