//! `dlfcn.h` as the guest calls it: numbers in, numbers out, and the reason of a failure kept for `dlerror`.
//!
//! A call that runs guest code fails with the engine's error if that code has ended the program: there is nothing to return to.

use alloc::vec::Vec;
use core::fmt;

use crate::act::engine::{Engine, EngineError as _};
use crate::calls::attach::attach;
use crate::calls::error::CloseError;
use crate::calls::process::Process;
use crate::calls::sym::{self, Lookup};
use crate::calls::{close, open};
use crate::program::diagnostics::{Diagnostics, Event};
use crate::program::flags::OpenFlags;
use crate::program::ids::{Address, Handle};
use crate::program::state::State;

/// `dlopen(path, flags)`: a handle, or 0. No path is the main module, and so is an empty one, as with glibc.
///
/// # Errors
/// When a start function or constructor has ended the program.
pub async fn open<P: Process>(
    process: &mut P,
    path: Option<&str>,
    flags: u32,
) -> Result<u32, P::Error> {
    let flags = match OpenFlags::from_guest(flags) {
        Ok(flags) => flags,
        Err(unknown) => {
            fail(process, &unknown);
            return Ok(0);
        }
    };
    let path = path.filter(|path| !path.is_empty());
    let reason = match open::open(process, path, flags).await {
        Ok(handle) => return Ok(handle.to_guest()),
        Err(reason) => reason,
    };
    if process.traces() {
        let reason = &reason;
        process.trace(Event::Failed { path, reason });
    }
    let reason = match reason.into_exit() {
        Ok(exit) => return Err(exit),
        Err(reason) => reason,
    };
    fail(process, &reason);
    Ok(0)
}

/// `RTLD_NEXT` of the guest's libc, as a number; `RTLD_DEFAULT` is 0.
pub const RTLD_NEXT: u32 = u32::MAX;

/// `dlsym(handle, name)` without a calling module: the slot or address, or `None`. Handle 0 is `RTLD_DEFAULT`.
pub fn sym<P: Engine + Diagnostics + State>(
    process: &mut P,
    handle: u32,
    name: &str,
) -> Option<u32> {
    let lookup = match handle {
        0 => Lookup::Default(None),
        handle => Lookup::Handle(Handle::from_guest(handle)),
    };
    find(process, lookup, name)
}

/// `dlsym(handle, name)` for the module in whose data `caller` lies, which `RTLD_DEFAULT` and `RTLD_NEXT` depend on.
pub fn sym_from<P: Engine + Diagnostics + State>(
    process: &mut P,
    handle: u32,
    name: &str,
    caller: u32,
) -> Option<u32> {
    let lookup = match handle {
        0 => Lookup::Default(Some(Address(caller))),
        RTLD_NEXT => Lookup::Next(Address(caller)),
        handle => Lookup::Handle(Handle::from_guest(handle)),
    };
    find(process, lookup, name)
}

fn find<P: Engine + Diagnostics + State>(
    process: &mut P,
    lookup: Lookup,
    name: &str,
) -> Option<u32> {
    let found = sym::sym(process, lookup, name);
    if process.traces() {
        let found = match &found {
            Ok(symbol) => Ok(*symbol),
            Err(reason) => Err(reason as &dyn fmt::Display),
        };
        process.trace(Event::Symbol { name, found });
    }
    match found {
        Ok(symbol) => Some(symbol.to_guest()),
        Err(reason) => {
            fail(process, &reason);
            None
        }
    }
}

/// `dladdr(pointer)`, as the guest's runtime gets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddrInfo {
    /// Base address of the module's data, 0 for the main module.
    pub base: u32,
    /// The symbol's slot or address, 0 when none is known.
    pub symbol: u32,
    /// The module's path; when a symbol is known, a NUL and its name follow.
    pub text: Vec<u8>,
}

/// Returns what a pointer points into, or `None`. See [`Program::addr`](crate::Program::addr). It never fails.
pub fn addr<P: Engine + State>(process: &mut P, pointer: u32) -> Option<AddrInfo> {
    // Before the first `dlopen` main is not known yet. If it cannot carry modules, nothing is known of it.
    attach(process).ok()?;
    let location = process.program(|program| program.addr(pointer))?;
    let mut text = location.path.as_bytes().to_vec();
    if let Some((name, _)) = &location.symbol {
        text.push(0);
        text.extend(name.as_bytes());
    }
    Some(AddrInfo {
        base: location.base.0,
        symbol: location.symbol.map_or(0, |(_, symbol)| symbol.to_guest()),
        text,
    })
}

/// `dlclose(handle)`: `true` if it was open and all exit handlers of what goes with it returned.
///
/// # Errors
/// When an exit handler has ended the program.
pub async fn close<P: Engine + Diagnostics + State>(
    process: &mut P,
    handle: u32,
) -> Result<bool, P::Error> {
    let reason = match close::close(process, Handle::from_guest(handle)).await {
        Ok(()) => return Ok(true),
        Err(CloseError::ExitHandler { reason, .. }) if reason.is_exit() => return Err(reason),
        Err(reason) => reason,
    };
    match reason {
        CloseError::Handle(_) if handle == 0 => {
            fail(process, &"dlclose needs a handle, not a null pointer");
        }
        reason => fail(process, &reason),
    }
    Ok(false)
}

/// `dlerror()` into a buffer of `capacity` bytes: the full length of the message (0: there is none) and what fits. A
/// message that fits is gone then.
pub fn error<P: State>(process: &mut P, capacity: usize) -> (usize, Vec<u8>) {
    process.program(|program| program.error.read(capacity))
}

/// Keeps the reason for `dlerror`.
fn fail<P: State>(process: &mut P, reason: &dyn fmt::Display) {
    let reason = alloc::format!("{reason}");
    process.program(|program| program.error.set(reason));
}
