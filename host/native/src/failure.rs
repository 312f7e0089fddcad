//! Translates wasmtime's errors of a program.

use std::cell::LazyCell;

use pymode_dylink_wasmtime::Linkage;
use pymode_host::GuestFailure;
use wasmtime::{FrameInfo, Module, ThrownException, Trap, WasmBacktrace};

use crate::guest::GuestProcess;
use crate::program::Program;

/// Converts an error of the engine to a failure of the guest.
pub(crate) fn guest_failure(
    error: &wasmtime::Error,
    program: &Program,
    linkage: &Linkage<GuestProcess>,
    memory_limit: Option<usize>,
) -> GuestFailure {
    let frames = error
        .downcast_ref::<wasmtime::WasmBacktrace>()
        .map_or(Vec::new(), |trace| frames(trace, program, linkage));
    let reason = match error.downcast_ref::<Trap>() {
        Some(Trap::StackOverflow) => GuestFailure::TOO_DEEP.to_owned(),
        Some(Trap::UnreachableCodeReached) => GuestFailure::ABORTED.to_owned(),
        Some(trap) => trap.to_string(),
        None if error.is::<ThrownException>() => GuestFailure::UNCAUGHT.to_owned(),
        None => error.root_cause().to_string(),
    };
    // Code that cannot go on without memory aborts in its own way.
    let hint = GuestFailure::hint_for(&reason)
        .or(memory_limit.map(|_| "if it used up its memory, raise the limit"));
    GuestFailure {
        reason,
        frames,
        hint,
    }
}

fn frames(
    trace: &WasmBacktrace,
    program: &Program,
    linkage: &Linkage<GuestProcess>,
) -> Vec<String> {
    let names = LazyCell::new(|| program.names());
    let frame = |frame: &FrameInfo| {
        if !Module::same(frame.module(), program.module()) {
            return linkage.frame(frame);
        }
        // Main may be stripped: its names lie beside it. It is called by its file, whatever it calls itself.
        let index = frame.func_index();
        let name = names.get(index).or(frame.func_name());
        let name = name.map_or_else(|| format!("function[{index}]"), str::to_owned);
        let offset = frame.func_offset().unwrap_or_default();
        format!("{}!{name}+{offset:#x}", program.name())
    };
    trace.frames().iter().map(frame).collect()
}
