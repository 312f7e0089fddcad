//! `pymode.*`: what python.wasm needs beyond WASI.

use std::rc::Rc;

use pymode_dylink::{Handle, Lookup, OpenFlags};
use pymode_host::GuestMemory;

use crate::guest::{Guest, GuestNumber};
use crate::loader::{Loading, process};

/// `-1`, as C has it.
const FAILED: u32 = u32::MAX;

/// Called again after each wait: a module that is not compiled yet is fetched first, then all begins anew.
#[unsafe(export_name = "waits!pymode.dl_open")]
extern "C" fn dl_open(guest: u32, path: u32, len: u32, flags: u32) -> u32 {
    let guest = GuestNumber(guest).guest();
    let opened = text(&guest, "dl_open", path, len).and_then(|path| {
        let flags = OpenFlags::from_guest(flags).map_err(|e| e.to_string())?;
        pymode_dylink::now(pymode_dylink::open(
            &mut process(&guest),
            Some(&path),
            flags,
        ))
        .map_err(|e| e.to_string())
    });
    // A constructor may have ended the program: then nothing of it runs any more.
    assert!(guest.exit.get().is_none(), "the program has ended");
    match (opened, guest.loader.wait()) {
        (Ok(handle), _) => handle.to_guest(),
        (Err(_), Loading::Wait(promise)) => {
            guest.wait_for(promise);
            0
        }
        (Err(message), Loading::Nothing) => fail(&guest, &message, 0),
    }
}

#[unsafe(export_name = "pymode.dl_sym")]
extern "C" fn dl_sym(guest: u32, handle: u32, name: u32, len: u32, out: u32) -> u32 {
    let guest = GuestNumber(guest).guest();
    let found = text(&guest, "dl_sym", name, len).and_then(|name| {
        let lookup = Lookup::Handle(Handle::from_guest(handle));
        pymode_dylink::sym(&mut process(&guest), lookup, &name).map_err(|e| e.to_string())
    });
    let written = found.and_then(|symbol| {
        (&guest.window)
            .write_u32(out, symbol.to_guest())
            .map_err(|e| e.to_string())
    });
    written.map_or_else(|message| fail(&guest, &message, FAILED), |()| 0)
}

#[unsafe(export_name = "pymode.dl_close")]
extern "C" fn dl_close(guest: u32, handle: u32) -> u32 {
    let guest = GuestNumber(guest).guest();
    match pymode_dylink::close(&mut process(&guest), Handle::from_guest(handle)) {
        Ok(()) => 0,
        Err(error) => fail(&guest, &error.to_string(), FAILED),
    }
}

#[unsafe(export_name = "pymode.dl_error")]
extern "C" fn dl_error(guest: u32, buffer: u32, room: u32) -> u32 {
    let guest = GuestNumber(guest).guest();
    let mut program = guest.loader.program.borrow_mut();
    let Some(message) = program.error.peek() else {
        return 0;
    };
    let len = message.len() as u32;
    let fits = &message.as_bytes()[..message.len().min(room as usize)];
    if (&guest.window).write(buffer, fits).is_ok() && room >= len {
        program.error.take();
    }
    len
}

fn fail(guest: &Guest, message: &str, result: u32) -> u32 {
    guest.loader.program.borrow_mut().error.set(message);
    result
}

fn text(guest: &Rc<Guest>, call: &'static str, at: u32, len: u32) -> Result<String, String> {
    pymode_host::dl::text(&&guest.window, call, at, len).map_err(|e| e.to_string())
}
