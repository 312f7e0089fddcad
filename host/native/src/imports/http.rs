//! `pymode.http_fetch`.

use pymode_host::{Errno, GuestMemory};
use wasmtime::{Caller, Linker};

use super::dl::MODULE;
use super::wasi::number;
use crate::guest::{GuestProcess, parts};

pub(super) const NAME: &str = "http_fetch";

pub(super) fn add(linker: &mut Linker<GuestProcess>) -> wasmtime::Result<()> {
    linker.func_wrap(MODULE, NAME, http_fetch)?;
    Ok(())
}

/// A program on this machine has no network, as the user is promised.
fn http_fetch(
    mut caller: Caller<'_, GuestProcess>,
    head: u32,
    head_len: u32,
    body: u32,
    body_len: u32,
    out: u32,
) -> wasmtime::Result<u32> {
    let (memory, _) = parts(&mut caller)?;
    let ranges = memory
        .check(head, head_len.into())
        .and_then(|()| memory.check(body, body_len.into()))
        .and_then(|()| memory.check(out, 4));
    Ok(number(ranges.and(Err(Errno::Acces))))
}
