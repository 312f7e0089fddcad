//! The C and C++ driver for wasm32-wasi.

mod abi_section;
pub mod flags;

pub use abi_section::abi_section;
