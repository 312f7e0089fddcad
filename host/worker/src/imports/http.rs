//! `pymode.http_fetch`.

use pymode_host::{Errno, GuestMemory};

use super::wasi::errno;
use crate::guest::GuestNumber;

/// The network is not open to guests yet.
#[unsafe(export_name = "pymode.http_fetch")]
extern "C" fn http_fetch(
    guest: u32,
    head: u32,
    head_len: u32,
    body: u32,
    body_len: u32,
    out: u32,
) -> u32 {
    let guest = GuestNumber(guest).guest();
    let memory = &&guest.window;
    let ranges = memory
        .check(head, head_len.into())
        .and_then(|()| memory.check(body, body_len.into()))
        .and_then(|()| memory.check(out, 4));
    errno(ranges.and(Err(Errno::Acces)))
}
