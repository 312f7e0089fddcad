//! `dlfcn.h` as the guest calls it: numbers in, numbers out, and the reason of a failure kept for `dlerror`.

use alloc::vec::Vec;
use core::fmt;

use crate::calls::process::Process;
use crate::calls::sym::Lookup;
use crate::calls::trace;
use crate::error::HandleError;
use crate::now;
use crate::program::flags::OpenFlags;
use crate::program::ids::{Address, Handle};

/// `dlopen(path, flags)`: a handle, or 0. No path is the main module, and so is an empty one, as with glibc.
pub async fn open<P: Process>(process: &mut P, path: Option<&str>, flags: u32) -> u32 {
    let flags = match OpenFlags::from_guest(flags) {
        Ok(flags) => flags,
        Err(unknown) => return fail(process, &unknown).unwrap_or_default(),
    };
    let path = path.filter(|path| !path.is_empty());
    match crate::open(process, path, flags).await {
        Ok(handle) => handle.to_guest(),
        Err(error) => {
            let what = alloc::format!("dlopen {}", path.unwrap_or("NULL"));
            trace::failed(process, &what, &error);
            fail(process, &error).unwrap_or_default()
        }
    }
}

/// `RTLD_NEXT` of the guest's libc, as a number; `RTLD_DEFAULT` is 0.
pub const RTLD_NEXT: u32 = u32::MAX;

/// `dlsym(handle, name)` for nobody in particular: the slot or address, or `None`. Handle 0 is `RTLD_DEFAULT`.
pub fn sym<P: Process>(process: &mut P, handle: u32, name: &str) -> Option<u32> {
    let lookup = match handle {
        0 => Lookup::Default(None),
        handle => Lookup::Handle(Handle::from_guest(handle)),
    };
    find(process, lookup, name)
}

/// `dlsym(handle, name)` for the module in whose data `caller` lies, which `RTLD_DEFAULT` and `RTLD_NEXT` depend on.
pub fn sym_from<P: Process>(process: &mut P, handle: u32, name: &str, caller: u32) -> Option<u32> {
    let lookup = match handle {
        0 => Lookup::Default(Some(Address(caller))),
        RTLD_NEXT => Lookup::Next(Address(caller)),
        handle => Lookup::Handle(Handle::from_guest(handle)),
    };
    find(process, lookup, name)
}

fn find<P: Process>(process: &mut P, lookup: Lookup, name: &str) -> Option<u32> {
    match crate::sym(process, lookup, name) {
        Ok(symbol) => {
            trace::symbol(process, name, &symbol);
            Some(symbol.to_guest())
        }
        Err(error) => {
            trace::symbol(process, name, &error);
            fail(process, &error)
        }
    }
}

/// `dladdr(pointer)`, as the guest's runtime gets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddrInfo {
    /// Where the module's data begins, 0 for the main module.
    pub base: u32,
    /// The symbol's slot or address, 0 when none is known.
    pub symbol: u32,
    /// The module's path; when a symbol is known, a NUL and its name follow.
    pub text: Vec<u8>,
}

/// What a pointer points into, or `None`. See [`Program::addr`](crate::Program::addr). It never fails.
pub fn addr<P: Process>(process: &mut P, pointer: u32) -> Option<AddrInfo> {
    // Before the first `dlopen` main is not known yet. If it cannot carry modules, nothing is known of it.
    crate::calls::attach::attach(process).ok()?;
    let place = process.program(|program| program.addr(pointer))?;
    let mut text = place.path.as_bytes().to_vec();
    if let Some((name, _)) = &place.symbol {
        text.push(0);
        text.extend(name.as_bytes());
    }
    Some(AddrInfo {
        base: place.base.0,
        symbol: place.symbol.map_or(0, |(_, symbol)| symbol.to_guest()),
        text,
    })
}

/// `dlclose(handle)`: whether it was open and all exit handlers of what goes with it returned.
///
/// # Panics
/// If an exit handler waits. An engine that suspends awaits [`close_waiting`] instead.
pub fn close<P: Process>(process: &mut P, handle: u32) -> bool {
    now(close_waiting(process, handle))
}

/// [`close`], for engines that suspend.
pub async fn close_waiting<P: Process>(process: &mut P, handle: u32) -> bool {
    let handle_given = Handle::from_guest(handle);
    match crate::close(process, handle_given) {
        // Others hold it: nothing goes.
        Ok(()) if process.program(|program| program.opened(handle_given).is_ok()) => return true,
        Ok(()) => {}
        Err(HandleError { .. }) if handle == 0 => {
            return fail::<P, ()>(process, &"dlclose needs a handle, not a null pointer").is_some();
        }
        Err(error) => return fail::<P, ()>(process, &error).is_some(),
    }
    match crate::reclaim(process).await {
        Ok(()) => true,
        Err(error) => fail::<P, ()>(process, &error).is_some(),
    }
}

/// `dlerror()` into a buffer of `capacity` bytes: the full length of the message (0: there is none) and what fits. A
/// message that fits is gone then.
pub fn error<P: Process>(process: &mut P, capacity: usize) -> (usize, Vec<u8>) {
    process.program(|program| program.error.read(capacity))
}

/// Keeps the reason for `dlerror`.
fn fail<P: Process, T>(process: &mut P, reason: &dyn fmt::Display) -> Option<T> {
    let reason = alloc::format!("{reason}");
    process.program(|program| program.error.set(reason));
    None
}
