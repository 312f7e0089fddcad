//! What loads, and cannot do in the guest what its name says.

use wasmparser::{Parser, Payload};

use crate::error::Error;
use crate::wheel::Wheel;

/// Functions that are there and can only fail, and why.
const FAIL: &[(&str, &str)] = &[("pthread_create", "there are no threads")];

/// A sentence for each such function that a module of a wheel calls. It is no fault: many packages work without them.
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
