//! `dlfcn.h` as the guest calls it: numbers in, numbers out, and the reason of a failure kept for `dlerror`.

use alloc::vec::Vec;
use core::fmt;

use crate::error::HandleError;
use crate::flags::OpenFlags;
use crate::ids::Handle;
use crate::now;
use crate::process::Process;
use crate::sym::Lookup;

/// `dlopen(path, flags)`: a handle, or 0. No path is the main module.
pub async fn open<P: Process>(process: &mut P, path: Option<&str>, flags: u32) -> u32 {
    let flags = match OpenFlags::from_guest(flags) {
        Ok(flags) => flags,
        Err(unknown) => return fail(process, &unknown).unwrap_or_default(),
    };
    match crate::open(process, path, flags).await {
        Ok(handle) => handle.to_guest(),
        Err(error) => fail(process, &error).unwrap_or_default(),
    }
}

/// `dlsym(handle, name)`: the slot or address, or `None`. Handle 0 is `RTLD_DEFAULT`.
pub fn sym<P: Process>(process: &mut P, handle: u32, name: &str) -> Option<u32> {
    let lookup = match handle {
        0 => Lookup::Default,
        handle => Lookup::Handle(Handle::from_guest(handle)),
    };
    match crate::sym(process, lookup, name) {
        Ok(symbol) => Some(symbol.to_guest()),
        Err(error) => fail(process, &error),
    }
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
    match crate::close(process, Handle::from_guest(handle)) {
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
