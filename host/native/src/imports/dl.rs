//! `pymode.dl_*`: the guest's `dlfcn.h`, bound to [`pymode_dylink::dlfcn`].

use pymode_dylink::{State as _, dlfcn, now};
use pymode_dylink_wasmtime::{StoreData as _, WasmtimeEngine, WasmtimeError};
use pymode_host::{GuestMemory, dl};
use wasmtime::{Caller, Linker};

use crate::guest::{GuestProcess, parts};

pub(super) const MODULE: &str = pymode_abi::MODULE;

pub(super) const NAMES: &[&str] = &[
    "dl_open",
    "dl_sym",
    "dl_sym_from",
    "dl_addr",
    "dl_close",
    "dl_error",
];

/// The result of `dl_sym` and `dl_close` when they fail.
const FAILED: i32 = -1;

pub(super) fn add(linker: &mut Linker<GuestProcess>) -> wasmtime::Result<()> {
    linker.func_wrap(MODULE, "dl_open", dl_open)?;
    linker.func_wrap(MODULE, "dl_sym", dl_sym)?;
    linker.func_wrap(MODULE, "dl_sym_from", dl_sym_from)?;
    linker.func_wrap(MODULE, "dl_addr", dl_addr)?;
    linker.func_wrap(
        MODULE,
        "dl_close",
        |mut caller: Caller<'_, GuestProcess>, handle: u32| {
            let closed = calling_the_guest(&mut caller, |engine| now(dlfcn::close(engine, handle)));
            // If an exit handler ended the program, there is nothing to return to.
            match closed.map_err(WasmtimeError::into_wasmtime)? {
                true => Ok(0),
                false => Ok(FAILED),
            }
        },
    )?;
    linker.func_wrap(MODULE, "dl_error", dl_error)?;
    Ok(())
}

fn dl_open(
    mut caller: Caller<'_, GuestProcess>,
    at: u32,
    len: u32,
    flags: u32,
) -> wasmtime::Result<u32> {
    // A null pointer is main itself, as in dlopen(3).
    let path = match at {
        0 => None,
        at => match text(&mut caller, "dl_open", at, len)? {
            Some(path) => Some(path),
            None => return Ok(0),
        },
    };
    let opened = calling_the_guest(&mut caller, |engine| {
        now(dlfcn::open(engine, path.as_deref(), flags))
    });
    // A constructor that ended the program is not an error of the library, and there is nothing to return to.
    opened.map_err(WasmtimeError::into_wasmtime)
}

/// Does what may call constructors and exit handlers. A thread cannot leave its stack in them.
fn calling_the_guest<R>(
    caller: &mut Caller<'_, GuestProcess>,
    call: impl FnOnce(&mut WasmtimeEngine<'_, GuestProcess>) -> R,
) -> R {
    if let Some(threads) = &mut caller.data_mut().threads {
        threads.enter_host_frame();
    }
    let result = call(&mut WasmtimeEngine::new(caller));
    if let Some(threads) = &mut caller.data_mut().threads {
        threads.leave_host_frame();
    }
    result
}

fn dl_sym(
    mut caller: Caller<'_, GuestProcess>,
    handle: u32,
    at: u32,
    len: u32,
    out: u32,
) -> wasmtime::Result<i32> {
    let Some(name) = text(&mut caller, "dl_sym", at, len)? else {
        return Ok(FAILED);
    };
    let found = dlfcn::sym(&mut WasmtimeEngine::new(&mut caller), handle, &name);
    write_result(&mut caller, "dl_sym", found, out)
}

fn dl_sym_from(
    mut caller: Caller<'_, GuestProcess>,
    handle: u32,
    at: u32,
    len: u32,
    asks: u32,
    out: u32,
) -> wasmtime::Result<i32> {
    let Some(name) = text(&mut caller, "dl_sym_from", at, len)? else {
        return Ok(FAILED);
    };
    let found = dlfcn::sym_from(&mut WasmtimeEngine::new(&mut caller), handle, &name, asks);
    write_result(&mut caller, "dl_sym_from", found, out)
}

/// Writes the symbol that was found to the address that the guest passed.
fn write_result(
    caller: &mut Caller<'_, GuestProcess>,
    call: &'static str,
    found: Option<u32>,
    out: u32,
) -> wasmtime::Result<i32> {
    let Some(address) = found else {
        return Ok(FAILED);
    };
    let (mut memory, guest) = parts(caller)?;
    if memory.write_u32(out, address).is_err() {
        let reason =
            format!("{call}: the result's address, {out:#x}, lies outside of the program's memory");
        guest.linkage().program().error.set(reason);
        return Ok(FAILED);
    }
    Ok(0)
}

fn dl_addr(
    mut caller: Caller<'_, GuestProcess>,
    pointer: u32,
    base: u32,
    symbol: u32,
    at: u32,
    room: u32,
) -> wasmtime::Result<u32> {
    let Some(info) = dlfcn::addr(&mut WasmtimeEngine::new(&mut caller), pointer) else {
        return Ok(0);
    };
    let (mut memory, _) = parts(&mut caller)?;
    let words = [(base, info.base), (symbol, info.symbol)];
    let written = dl::write_addr(&mut memory, words, &info.text, at, room);
    // To the guest a place that is not there is a pointer that leads nowhere.
    Ok(written.unwrap_or_default())
}

fn dl_error(mut caller: Caller<'_, GuestProcess>, at: u32, room: u32) -> wasmtime::Result<u32> {
    let (memory, _) = parts(&mut caller)?;
    // A buffer that is not there holds nothing: the message stays.
    let room = memory.check(at, room.into()).map_or(0, |()| room);
    let (len, fits) = dlfcn::error(&mut WasmtimeEngine::new(&mut caller), room as usize);
    let (mut memory, _) = parts(&mut caller)?;
    if !fits.is_empty() {
        memory.write(at, &fits)?;
    }
    Ok(len as u32)
}

/// A text of the guest. `None` if it is not UTF-8; `dl_error` then has the message.
fn text(
    caller: &mut Caller<'_, GuestProcess>,
    call: &'static str,
    at: u32,
    len: u32,
) -> wasmtime::Result<Option<String>> {
    let (memory, _) = parts(caller)?;
    match dl::text(&memory, call, at, len) {
        Ok(text) => Ok(Some(text)),
        Err(reason) => {
            WasmtimeEngine::new(caller).program(|program| program.error.set(reason.to_string()));
            Ok(None)
        }
    }
}
