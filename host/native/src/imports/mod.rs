//! What a guest can import.

mod dl;
mod fd;
mod wasi;

use wasmtime::{Engine, Linker, Module};

use crate::guest::Guest;

/// All imports of all guests.
pub(crate) fn linker(engine: &Engine) -> wasmtime::Result<Linker<Guest>> {
    let mut linker = Linker::new(engine);
    wasi::add(&mut linker)?;
    dl::add(&mut linker)?;
    fd::add(&mut linker)?;
    Ok(linker)
}

/// Everything that a module imports and no guest is given.
pub(crate) fn missing(module: &Module) -> Vec<String> {
    let is_given = |module: &str, name: &str| match module {
        wasi::MODULE => wasi::NAMES.contains(&name) || name == "proc_exit",
        dl::MODULE => dl::NAMES.contains(&name) || fd::NAMES.contains(&name),
        _ => false,
    };
    let missing = module
        .imports()
        .filter(|import| !is_given(import.module(), import.name()));
    missing
        .map(|import| format!("`{}.{}`", import.module(), import.name()))
        .collect()
}
