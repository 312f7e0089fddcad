//! The imports of a guest.

mod dl;
mod files;
mod http;
mod wasi;

use wasmtime::{Engine, Linker, Module};

use crate::guest::GuestProcess;
use crate::threads;

/// Binds a function of one of [`pymode_host`]'s lists to the method of [`Wasi`](pymode_host::wasi::Wasi) that has its name.
macro_rules! bind_function {
    ($linker:ident, $module:ident, memory $name:ident($($param:ident: $ty:ty),*)) => {
        $linker.func_wrap($module, stringify!($name), |mut caller: wasmtime::Caller<'_, GuestProcess>, $($param: $ty),*| {
            let (mut memory, guest) = crate::guest::parts(&mut caller)?;
            Ok(super::wasi::number(guest.wasi.$name(&mut memory, $($param),*)))
        })?;
    };
    ($linker:ident, $module:ident, plain $name:ident($($param:ident: $ty:ty),*)) => {
        $linker.func_wrap($module, stringify!($name), |mut caller: wasmtime::Caller<'_, GuestProcess>, $($param: $ty),*| {
            super::wasi::number(caller.data_mut().wasi.$name($($param),*))
        })?;
    };
}
use bind_function;

/// All imports of all guests.
pub(crate) fn linker(engine: &Engine) -> wasmtime::Result<Linker<GuestProcess>> {
    let mut linker = Linker::new(engine);
    wasi::add(&mut linker)?;
    dl::add(&mut linker)?;
    files::add(&mut linker)?;
    http::add(&mut linker)?;
    threads::add(&mut linker)?;
    Ok(linker)
}

/// Everything that a module imports and no guest is given.
pub(crate) fn missing(module: &Module) -> Vec<String> {
    let is_given = |module: &str, name: &str| match module {
        wasi::MODULE => wasi::NAMES.contains(&name) || name == "proc_exit",
        dl::MODULE => {
            dl::NAMES.contains(&name)
                || files::NAMES.contains(&name)
                || threads::NAMES.contains(&name)
                || [files::UMASK, http::NAME].contains(&name)
        }
        _ => false,
    };
    let missing = module
        .imports()
        .filter(|import| !is_given(import.module(), import.name()));
    missing
        .map(|import| format!("`{}.{}`", import.module(), import.name()))
        .collect()
}
