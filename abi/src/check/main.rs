//! python.wasm against the contract.

use super::module::{Module, WASI};
use super::{Fault, host_import, version};
use crate::{EXPORTS, MODULE};

/// Everything in which a main module does not keep the contract: an export that is missing or is something else, an
/// import that no host gives, a version that is missing or another.
#[must_use]
pub fn main(wasm: &[u8]) -> Vec<Fault> {
    let module = match Module::parse(wasm) {
        Ok(module) => module,
        Err(reason) => return vec![Fault::Damaged { reason }],
    };
    if module.side {
        return vec![Fault::NotMain];
    }
    let mut faults = Vec::from_iter(version(&module));
    for export in EXPORTS {
        match module.exports.get(export.name) {
            None => faults.push(Fault::NoExport {
                name: export.name,
                kind: export.kind.to_string(),
                why: export.why,
            }),
            Some(item) if !item.is(&export.kind) => faults.push(Fault::OtherExport {
                name: export.name,
                wanted: export.kind.to_string(),
                found: item.to_string(),
            }),
            Some(_) => {}
        }
    }
    for (from, name, item) in &module.imports {
        match *from {
            MODULE | WASI => faults.extend(host_import(from, name, item)),
            _ => faults.push(Fault::NoSuchImport {
                module: (*from).to_owned(),
                name: (*name).to_owned(),
                item: item.to_string(),
            }),
        }
    }
    faults
}
