//! `pymode.http_fetch`.

use pymode_host::{Errno, GuestMemory, dl};

use super::wasi::errno;
use crate::fetch::fetch;
use crate::guest::{GuestInstance, GuestNumber};

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
    errno(begin(&guest, (head, head_len), (body, body_len), out))
}

fn begin(guest: &GuestInstance, head: (u32, u32), body: (u32, u32), out: u32) -> Result<(), Errno> {
    let mut memory = &guest.memory;
    memory.check(out, 4)?;
    memory.check(body.0, body.1.into())?;
    let head = dl::text(&memory, "http_fetch", head.0, head.1).map_err(|_| Errno::Inval)?;
    if !guest.has_network {
        return Err(Errno::Acces);
    }
    let body = memory.read_vec(body.0, body.1)?;
    let answer = fetch(&head, &body, &guest.wakeup)?;
    let fd = guest.wasi.borrow_mut().open_input(answer)?;
    memory.write_u32(out, fd)
}
