//! `pymode.fd_*`: descriptors that WASI has no functions for.

use super::wasi::errno;
use crate::guest::GuestNumber;

#[unsafe(export_name = "pymode.fd_pair")]
extern "C" fn fd_pair(guest: u32, kind: u32, out: u32) -> u32 {
    let guest = GuestNumber(guest).guest();
    errno(
        guest
            .wasi
            .borrow_mut()
            .fd_pair(&mut &guest.window, kind, out),
    )
}

#[unsafe(export_name = "pymode.fd_dup")]
extern "C" fn fd_dup(guest: u32, fd: u32, to: u32, exactly: u32, out: u32) -> u32 {
    let guest = GuestNumber(guest).guest();
    let memory = &mut &guest.window;
    errno(guest.wasi.borrow_mut().fd_dup(memory, fd, to, exactly, out))
}
