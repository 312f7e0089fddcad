//! `pymode.*` about files, bound to [`pymode_host::wasi`].

use wasmtime::{Caller, Linker};

use super::bind_function;
use super::dl::MODULE;
use crate::guest::GuestProcess;

/// All functions but `umask`.
pub(super) const NAMES: &[&str] = {
    macro_rules! names {
        ($($kind:ident fn $name:ident($($param:ident: $ty:ty),*);)*) => { &[$(stringify!($name)),*] };
    }
    pymode_host::file_functions!(names)
};

/// The function that returns a mask and never fails.
pub(super) const UMASK: &str = "umask";

pub(super) fn add(linker: &mut Linker<GuestProcess>) -> wasmtime::Result<()> {
    macro_rules! bind {
        ($($kind:ident fn $name:ident($($param:ident: $ty:ty),*);)*) => {
            $(bind_function!(linker, MODULE, $kind $name($($param: $ty),*));)*
        };
    }
    pymode_host::file_functions!(bind);
    linker.func_wrap(
        MODULE,
        UMASK,
        |mut caller: Caller<'_, GuestProcess>, mask: u32| caller.data_mut().wasi.umask(mask),
    )?;
    Ok(())
}
