//! Translates V8's errors of a program to the wording of every host.

use std::collections::HashMap;

use pymode_host::GuestFailure;
use pymode_host::v8::{FrameLocation, trap};

use crate::symbols::Symbols;

/// Creates a failure from V8's `message` and stack `trace`. `module` finds the display name of a module.
pub(crate) fn fault(
    message: &str,
    trace: &str,
    mut module: impl FnMut(&str) -> Option<(String, Symbols)>,
) -> GuestFailure {
    let reason = match (message, trap(message)) {
        ("RuntimeError: unreachable", _) => GuestFailure::ABORTED,
        ("RangeError: Maximum call stack size exceeded", _) => GuestFailure::TOO_DEEP,
        (_, Some(trap)) => trap,
        // It is not an `Error` object.
        (_, None) if message.contains("WebAssembly.Exception") => GuestFailure::UNCAUGHT,
        (_, None) => message,
    };
    let mut modules = HashMap::new();
    let frames = trace.lines().filter_map(|line| {
        let place = FrameLocation::parse(line)?;
        let found = modules
            .entry(place.module)
            .or_insert_with(|| module(place.module));
        let (name, symbols) = found.as_ref()?;
        Some(format!(
            "{name}!{}",
            symbols.at(place.function, place.offset)
        ))
    });
    GuestFailure {
        reason: reason.to_owned(),
        frames: frames.collect(),
        hint: GuestFailure::hint_for(reason),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trap_has_the_native_hosts_wording() {
        let reason = |message| fault(message, "", |_| None).reason;
        assert_eq!(reason("RuntimeError: unreachable"), GuestFailure::ABORTED);
        assert_eq!(
            reason("Value(WebAssembly.Exception)"),
            GuestFailure::UNCAUGHT
        );
        assert_eq!(reason("Error: something else"), "Error: something else");
    }
}
