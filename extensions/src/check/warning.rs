//! Warnings about modules that load but call functions which always fail in the guest.

use wasmparser::{Parser, Payload};

use crate::error::Error;
use crate::wheel::Wheel;

/// Functions that exist and always fail, and the reason.
const FAIL: &[(&str, &str)] = &[("pthread_create", "threads are not supported on WASI")];

/// Returns a warning for each such function that a wheel's module calls. Many packages work without them.
pub(crate) fn warnings(wheel: &Wheel) -> Result<Vec<String>, Error> {
    let mut warnings = Vec::new();
    for (path, wasm) in &wheel.side_modules()? {
        for (name, why) in FAIL {
            if imports(wasm, name) {
                warnings.push(format!(
                    "`{path}` calls `{name}`, which always fails here: {why}"
                ));
            }
        }
    }
    Ok(warnings)
}

fn imports(wasm: &[u8], name: &str) -> bool {
    let sections = Parser::new(0).parse_all(wasm).map_while(Result::ok);
    sections.into_iter().any(|part| match part {
        Payload::ImportSection(section) => section
            .into_imports()
            .flatten()
            .any(|import| import.name == name),
        _ => false,
    })
}
