//! `pymode.*`: functions that are not part of WASI.

use std::rc::Rc;

use pymode_dylink::dlfcn;
use pymode_host::{GuestMemory, dl};

use crate::guest::{GuestInstance, GuestNumber};
use crate::jobs;
use crate::loader::process;

/// `-1` in C.
const FAILED: u32 = u32::MAX;

/// Opens a library. Waits for modules that are not compiled yet, and for constructors.
#[unsafe(export_name = "waits!pymode.dl_open")]
extern "C" fn dl_open(guest: u32, path: u32, len: u32, flags: u32) -> u32 {
    let guest = GuestNumber(guest).guest();
    let handle = jobs::resume(&guest, || open(Rc::clone(&guest), path, len, flags));
    require_running(&guest);
    handle
}

async fn open(guest: Rc<GuestInstance>, path: u32, len: u32, flags: u32) -> u32 {
    // A null pointer names the main module, as in dlopen(3).
    let path = match path {
        0 => None,
        path => match text(&guest, "dl_open", path, len) {
            Ok(path) => Some(path),
            Err(message) => return fail(&guest, &message, 0),
        },
    };
    let opened = dlfcn::open(&mut process(&guest), path.as_deref(), flags).await;
    // A guest that has ended gets no result: see `require_running`.
    opened.unwrap_or_default()
}

#[unsafe(export_name = "pymode.dl_sym")]
extern "C" fn dl_sym(guest: u32, handle: u32, name: u32, len: u32, out: u32) -> u32 {
    let guest = GuestNumber(guest).guest();
    let name = match text(&guest, "dl_sym", name, len) {
        Ok(name) => name,
        Err(message) => return fail(&guest, &message, FAILED),
    };
    let found = dlfcn::sym(&mut process(&guest), handle, &name);
    write_result(&guest, "dl_sym", found, out)
}

#[unsafe(export_name = "pymode.dl_sym_from")]
extern "C" fn dl_sym_from(
    guest: u32,
    handle: u32,
    name: u32,
    len: u32,
    asks: u32,
    out: u32,
) -> u32 {
    let guest = GuestNumber(guest).guest();
    let name = match text(&guest, "dl_sym_from", name, len) {
        Ok(name) => name,
        Err(message) => return fail(&guest, &message, FAILED),
    };
    let found = dlfcn::sym_from(&mut process(&guest), handle, &name, asks);
    write_result(&guest, "dl_sym_from", found, out)
}

/// Writes an address to the guest's memory.
fn write_result(guest: &GuestInstance, call: &str, found: Option<u32>, out: u32) -> u32 {
    let Some(address) = found else {
        return FAILED;
    };
    match (&guest.memory).write_u32(out, address) {
        Ok(()) => 0,
        Err(errno) => fail(guest, &format!("{call}: the result: {errno}"), FAILED),
    }
}

#[unsafe(export_name = "pymode.dl_addr")]
extern "C" fn dl_addr(
    guest: u32,
    pointer: u32,
    base: u32,
    symbol: u32,
    buffer: u32,
    room: u32,
) -> u32 {
    let guest = GuestNumber(guest).guest();
    let Some(info) = dlfcn::addr(&mut process(&guest), pointer) else {
        return 0;
    };
    let words = [(base, info.base), (symbol, info.symbol)];
    let written = dl::write_addr(&mut &guest.memory, words, &info.text, buffer, room);
    // A buffer outside of the memory counts as an unknown address.
    written.unwrap_or_default()
}

/// Closes a library. Waits for exit handlers.
#[unsafe(export_name = "waits!pymode.dl_close")]
extern "C" fn dl_close(guest: u32, handle: u32) -> u32 {
    let guest = GuestNumber(guest).guest();
    let failed = jobs::resume(&guest, || close(Rc::clone(&guest), handle));
    require_running(&guest);
    failed
}

async fn close(guest: Rc<GuestInstance>, handle: u32) -> u32 {
    match dlfcn::close(&mut process(&guest), handle).await {
        Ok(true) => 0,
        _ => FAILED,
    }
}

#[unsafe(export_name = "pymode.dl_error")]
extern "C" fn dl_error(guest: u32, buffer: u32, room: u32) -> u32 {
    let guest = GuestNumber(guest).guest();
    // An invalid buffer has no room: the message stays.
    let room = (&guest.memory)
        .check(buffer, room.into())
        .map_or(0, |()| room);
    let (len, fits) = dlfcn::error(&mut process(&guest), room as usize);
    if !fits.is_empty() {
        // The buffer was checked above.
        let written = (&guest.memory).write(buffer, &fits);
        debug_assert!(written.is_ok());
    }
    len as u32
}

/// Panics if the program has ended: a constructor or an exit handler may end it, and no more of it may run.
fn require_running(guest: &GuestInstance) {
    assert!(guest.exit.get().is_none(), "the program has ended");
}

fn fail(guest: &GuestInstance, message: &str, result: u32) -> u32 {
    guest.loader.program.borrow_mut().error.set(message);
    result
}

fn text(
    guest: &Rc<GuestInstance>,
    call: &'static str,
    at: u32,
    len: u32,
) -> Result<String, String> {
    dl::text(&&guest.memory, call, at, len).map_err(|e| e.to_string())
}
