//! `wasi_snapshot_preview1`, bound to [`pymode_host::wasi`].

use pymode_host::Errno;
use wasmtime::{Caller, Linker};

use crate::guest::{Guest, parts};

pub(super) const MODULE: &str = "wasi_snapshot_preview1";

/// All functions but `proc_exit`.
pub(super) const NAMES: &[&str] = {
    macro_rules! names {
        ($($kind:ident fn $name:ident($($param:ident: $ty:ty),*);)*) => { &[$(stringify!($name)),*] };
    }
    pymode_host::wasi_functions!(names)
};

pub(super) fn add(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    macro_rules! bind {
        ($($kind:ident fn $name:ident($($param:ident: $ty:ty),*);)*) => {
            $(bind!(@one $kind $name($($param: $ty),*));)*
        };
        (@one memory $name:ident($($param:ident: $ty:ty),*)) => {
            linker.func_wrap(MODULE, stringify!($name), |mut caller: Caller<'_, Guest>, $($param: $ty),*| {
                let (mut memory, guest) = parts(&mut caller)?;
                Ok(number(guest.wasi.$name(&mut memory, $($param),*)))
            })?;
        };
        (@one plain $name:ident($($param:ident: $ty:ty),*)) => {
            linker.func_wrap(MODULE, stringify!($name), |mut caller: Caller<'_, Guest>, $($param: $ty),*| {
                number(caller.data_mut().wasi.$name($($param),*))
            })?;
        };
    }
    pymode_host::wasi_functions!(bind);

    linker.func_wrap(
        MODULE,
        "proc_exit",
        |mut caller: Caller<'_, Guest>, code: u32| -> wasmtime::Result<()> {
            Err(caller.data_mut().wasi.proc_exit(code).into())
        },
    )?;
    Ok(())
}

pub(super) fn number(outcome: Result<(), Errno>) -> u32 {
    outcome.map_or_else(|errno| errno.number().into(), |()| 0)
}
