//! The symbols that a program exports to the modules that it loads.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::process;

/// Returns the exports of such a program: the functions of libc that python.wasm exports, and objects that a process has once.
pub(super) fn lent_symbols() -> impl Iterator<Item = &'static str> {
    pymode_abi::EXPORTS
        .iter()
        .filter(|export| {
            matches!(
                export.why,
                pymode_abi::Why::Libc | pymode_abi::Why::CompilerRt
            )
        })
        .map(|export| export.name)
        .chain(process::EXPORTS.iter().copied())
}

/// The names that a module exports. What cannot be read exports nothing.
pub(super) fn exports(module: &[u8]) -> BTreeSet<String> {
    let payloads = wasmparser::Parser::new(0).parse_all(module);
    let mut names = BTreeSet::new();
    for payload in payloads.map_while(Result::ok) {
        if let wasmparser::Payload::ExportSection(exports) = payload {
            let exports = exports.into_iter().map_while(Result::ok);
            names.extend(exports.map(|export| export.name.to_owned()));
        }
    }
    names
}

/// Returns true if a linked program imports the loader. A file that cannot be read does not.
pub(super) fn loads_modules(program: &Path) -> bool {
    let Ok(wasm) = fs::read(program) else {
        return false;
    };
    let mut payloads = wasmparser::Parser::new(0)
        .parse_all(&wasm)
        .map_while(Result::ok);
    payloads.any(|payload| match payload {
        wasmparser::Payload::ImportSection(imports) => imports
            .into_imports()
            .map_while(Result::ok)
            .any(|import| import.module == pymode_abi::MODULE && import.name == "dl_open"),
        _ => false,
    })
}
