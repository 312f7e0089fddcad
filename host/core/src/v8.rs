//! Translates V8's errors of guest code to the native host's wording.

use crate::GuestFailure;

/// V8's sentences, and wasmtime's for the same traps.
const TRAPS: [(&str, &str); 10] = [
    (
        "unreachable",
        "wasm trap: wasm `unreachable` instruction executed",
    ),
    (
        "Maximum call stack size exceeded",
        "wasm trap: call stack exhausted",
    ),
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
    ("function signature mismatch", GuestFailure::OTHER_TYPE),
];

/// Returns the native host's name of a trap, from V8's message.
#[must_use]
pub fn trap(message: &str) -> Option<&'static str> {
    let said = message
        .strip_prefix("RuntimeError: ")
        .or(message.strip_prefix("RangeError: "))?;
    let known = TRAPS.iter().find(|(theirs, _)| *theirs == said)?;
    Some(known.1)
}

/// A place in WebAssembly, as V8 writes it in a line of a stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameLocation<'a> {
    /// Name of the module.
    pub module: &'a str,
    /// Which of its functions, imported ones counted.
    pub function: u32,
    /// Name of the function, if the module has names.
    pub name: Option<&'a str>,
    /// Offset in the module's file.
    pub offset: u64,
}

impl FrameLocation<'_> {
    /// Reads `at main.boom (wasm://wasm/main-0a1b2c3d:wasm-function[12]:0x1f4)`; nothing of a line that is about something else.
    #[must_use]
    pub fn parse(line: &str) -> Option<FrameLocation<'_>> {
        let (before, place) = line.split_once("wasm://wasm/")?;
        let (module, place) = place.split_once(":wasm-function[")?;
        let (function, offset) = place.trim_end_matches(')').split_once("]:0x")?;
        // Behind it stands a hash of the module.
        let module = module.rsplit_once('-')?.0;
        let name = before.trim_start().strip_prefix("at ");
        let name = name.and_then(|name| name.strip_suffix(" ("));
        Some(FrameLocation {
            module,
            function: function.parse().ok()?,
            name: name.and_then(|name| name.strip_prefix(module)?.strip_prefix('.')),
            offset: u64::from_str_radix(offset, 16).ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read_with_and_without_the_names_of_functions() {
        let place = |name| {
            Some(FrameLocation {
                module: "side-0a",
                function: 12,
                name,
                offset: 0x1f4,
            })
        };
        for (line, name) in [
            (
                "    at side-0a.boom (wasm://wasm/side-0a-0a1b2c3d:wasm-function[12]:0x1f4)",
                Some("boom"),
            ),
            (
                "    at side-0a.inner(int) (wasm://wasm/side-0a-0a1b2c3d:wasm-function[12]:0x1f4)",
                Some("inner(int)"),
            ),
            (
                "    at wasm://wasm/side-0a-0a1b2c3d:wasm-function[12]:0x1f4",
                None,
            ),
        ] {
            assert_eq!(FrameLocation::parse(line), place(name), "{line}");
        }
        for line in [
            "    at call (host.js:1:2)",
            "RuntimeError: unreachable",
            "wasm://wasm/",
            "",
        ] {
            assert_eq!(FrameLocation::parse(line), None);
        }
    }

    #[test]
    fn a_trap_has_the_native_hosts_wording() {
        assert_eq!(
            trap("RuntimeError: remainder by zero"),
            Some("wasm trap: integer divide by zero")
        );
        assert_eq!(trap("divide by zero"), None);
        assert_eq!(trap("Error: something else"), None);
    }
}
