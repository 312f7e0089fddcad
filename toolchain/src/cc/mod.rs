//! The C and C++ driver for wasm32-wasi: gcc's command line in front of zig.

mod abi_section;
mod args;
mod driver;
pub mod flags;
mod linker;
mod response;
mod runtime;
mod symbols;

pub use abi_section::abi_section;
pub use args::Language;
pub use driver::{ar, ranlib, run};
