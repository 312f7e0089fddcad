//! What V8 says of a program that could not go on, in the words that every host uses.

use std::collections::HashMap;

use pymode_host::Fault;

use crate::symbols::Symbols;

/// V8's sentences, and those of the native host for the same traps.
const TRAPS: [(&str, &str); 10] = [
    ("unreachable", Fault::ABORTED),
    ("Maximum call stack size exceeded", Fault::TOO_DEEP),
    (
        "memory access out of bounds",
        "wasm trap: out of bounds memory access",
    ),
    ("divide by zero", "wasm trap: integer divide by zero"),
    ("remainder by zero", "wasm trap: integer divide by zero"),
    (
        "divide result unrepresentable",
        "wasm trap: integer overflow",
    ),
    (
        "float unrepresentable in integer range",
        "wasm trap: invalid conversion to integer",
    ),
    (
        "table index is out of bounds",
        "wasm trap: undefined element: out of bounds table access",
    ),
    ("null function", "wasm trap: uninitialized element"),
    (
        "function signature mismatch",
        "wasm trap: indirect call type mismatch",
    ),
];

/// What a fault is: `message` is V8's, and `trace` its list of functions. `module` finds a module by the name that it was
/// given, and what to call it.
pub(crate) fn fault(
    message: &str,
    trace: &str,
    mut module: impl FnMut(&str) -> Option<(String, Symbols)>,
) -> Fault {
    let said = message
        .strip_prefix("RuntimeError: ")
        .or(message.strip_prefix("RangeError: "));
    let known = said.and_then(|said| TRAPS.iter().find(|(theirs, _)| *theirs == said));
    let reason = match known {
        Some((_, ours)) => *ours,
        // That is no error object.
        None if message.contains("WebAssembly.Exception") => Fault::UNCAUGHT,
        None => message,
    };
    let mut modules = HashMap::new();
    let frames = trace.lines().filter_map(|line| {
        let place = Place::parse(line)?;
        let found = modules
            .entry(place.module)
            .or_insert_with(|| module(place.module));
        let (name, symbols) = found.as_ref()?;
        Some(format!(
            "{name}!{}",
            symbols.at(place.function, place.offset)
        ))
    });
    Fault {
        reason: reason.to_owned(),
        frames: frames.collect(),
        hint: (reason == Fault::TOO_DEEP).then_some(Fault::IS_ENDLESS),
    }
}

/// A place as V8 writes it.
#[derive(Debug, PartialEq, Eq)]
struct Place<'a> {
    module: &'a str,
    function: u32,
    offset: u64,
}

impl Place<'_> {
    /// Reads `at main.boom (wasm://wasm/main-0a1b2c3d:wasm-function[12]:0x1f4)`; nothing of a line that is about something else.
    fn parse(line: &str) -> Option<Place<'_>> {
        let (_, place) = line.split_once("wasm://wasm/")?;
        let (module, place) = place.split_once(":wasm-function[")?;
        let (function, offset) = place.trim_end_matches(')').split_once("]:0x")?;
        Some(Place {
            // Behind it stands a hash of the module.
            module: module.rsplit_once('-')?.0,
            function: function.parse().ok()?,
            offset: u64::from_str_radix(offset, 16).ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read_with_and_without_the_names_of_functions() {
        let place = Some(Place {
            module: "side-0a",
            function: 12,
            offset: 0x1f4,
        });
        for line in [
            "    at side-0a.boom (wasm://wasm/side-0a-0a1b2c3d:wasm-function[12]:0x1f4)",
            "    at wasm://wasm/side-0a-0a1b2c3d:wasm-function[12]:0x1f4",
        ] {
            assert_eq!(Place::parse(line), place);
        }
        for line in [
            "    at call (host.js:1:2)",
            "RuntimeError: unreachable",
            "wasm://wasm/",
            "",
        ] {
            assert_eq!(Place::parse(line), None);
        }
    }

    #[test]
    fn a_trap_is_told_in_the_words_of_the_native_host() {
        let told = |message| fault(message, "", |_| None).reason;
        assert_eq!(told("RuntimeError: unreachable"), Fault::ABORTED);
        assert_eq!(told("Value(WebAssembly.Exception)"), Fault::UNCAUGHT);
        assert_eq!(told("Error: something else"), "Error: something else");
    }
}
