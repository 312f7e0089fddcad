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

/// What changes when the driver's output may change: zig, and the driver itself.
pub fn key() -> Key {
    let sources = [
        include_str!("abi_section.rs"),
        include_str!("args.rs"),
        include_str!("driver.rs"),
        include_str!("flags.rs"),
        include_str!("linker.rs"),
        include_str!("objects.rs"),
        include_str!("preprocessed.rs"),
        include_str!("runtime.rs"),
        include_str!("symbols.rs"),
        include_str!("../libcxx.rs"),
        include_str!("../libcxx/wasi.c"),
        include_str!("../process.rs"),
        include_str!("../process/exit.c"),
        include_str!("../process/mutex.c"),
        include_str!("../process/side_exit.c"),
        include_str!("../process/tags.c"),
        include_str!("../process/workdir.c"),
    ];
    let key = Key::new("cc")
        .field("zig", crate::zig::VERSION)
        .field("abi", pymode_abi::VERSION.to_string())
        .key("dlfcn", &crate::dlfcn::key());
    sources
        .iter()
        .chain(adapt::SOURCES)
        .fold(key, |key, source| key.field("source", source))
}
