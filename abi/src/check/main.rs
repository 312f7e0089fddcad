//! Checks python.wasm against the contract.

use super::module::{Module, WASI};
use super::{Violation, host_import, version};
use crate::{EXPORTS, MODULE};

/// Returns every violation of a main module: missing exports and exports of another type, unknown imports, and a missing or
/// different version.
#[must_use]
pub fn main(wasm: &[u8]) -> Vec<Violation> {
    let module = match Module::parse(wasm) {
        Ok(module) => module,
        Err(reason) => return vec![Violation::Damaged { reason }],
    };
    if module.side {
        return vec![Violation::NotMain];
    }
    let mut violations = Vec::from_iter(version(&module));
    for export in EXPORTS {
        match module.exports.get(export.name) {
            None => violations.push(Violation::NoExport {
                name: export.name,
                kind: export.kind.to_string(),
                why: export.why,
            }),
            Some(item) if !item.is(&export.kind) => violations.push(Violation::OtherExport {
                name: export.name,
                wanted: export.kind.to_string(),
                found: item.to_string(),
            }),
            Some(_) => {}
        }
    }
    for (from, name, item) in &module.imports {
        match *from {
            MODULE | WASI => violations.extend(host_import(from, name, item)),
            _ => violations.push(Violation::NoSuchImport {
                module: (*from).to_owned(),
                name: (*name).to_owned(),
                item: item.to_string(),
            }),
        }
    }
    violations
}
