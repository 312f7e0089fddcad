//! The C and C++ driver for wasm32-wasi: gcc's command line in front of zig.

mod abi_section;
mod adapt;
mod args;
mod driver;
mod failure;
mod finish;
pub mod flags;
mod inputs;
mod library;
mod linker;
mod objects;
mod preprocessed;
mod program;
mod references;
mod response;
mod runtime;
mod side;
mod sizes;
mod stubs;
mod symbols;
mod zeros;

pub use abi_section::abi_section;
pub use args::Language;
pub use driver::{ar, ranlib, run};
pub use failure::{FAILURE, FailedCall};
pub(crate) use symbols::hide_weak_definitions;
pub use zeros::without_zeros;

use crate::key::Key;

/// Returns a key that changes when the driver's output may change: with zig, with the ABI, and with this crate.
pub fn key() -> Key {
    Key::new("cc")
        .field("zig", crate::zig::VERSION)
        .field("abi", pymode_abi::VERSION.to_string())
        .field("toolchain", crate::SOURCES)
}
