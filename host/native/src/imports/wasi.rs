//! `wasi_snapshot_preview1`, bound to [`pymode_host::wasi`].

use pymode_host::Errno;
use wasmtime::{Caller, Linker};

use super::bind_function;
use crate::guest::GuestProcess;

pub(super) const MODULE: &str = "wasi_snapshot_preview1";

/// All functions but `proc_exit`.
pub(super) const NAMES: &[&str] = {
    macro_rules! names {
        ($($kind:ident fn $name:ident($($param:ident: $ty:ty),*);)*) => { &[$(stringify!($name)),*] };
    }
    pymode_host::wasi_functions!(names)
};

pub(super) fn add(linker: &mut Linker<GuestProcess>) -> wasmtime::Result<()> {
    macro_rules! bind {
        ($($kind:ident fn $name:ident($($param:ident: $ty:ty),*);)*) => {
            $(bind_function!(linker, MODULE, $kind $name($($param: $ty),*));)*
        };
    }
    pymode_host::wasi_functions!(bind);
    linker.func_wrap(
        MODULE,
        "proc_exit",
        |mut caller: Caller<'_, GuestProcess>, code: u32| -> wasmtime::Result<()> {
            Err(caller.data_mut().wasi.proc_exit(code).into())
        },
    )?;
    Ok(())
}

pub(super) fn number(outcome: Result<(), Errno>) -> u32 {
    outcome.map_or_else(|errno| errno.number().into(), |()| 0)
}
