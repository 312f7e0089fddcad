//! Checks modules against the contract: [`main()`] for python.wasm, [`side`] for an extension module.
//!
//! Nothing here runs or trusts the module. Every violation is reported, not only the first.

mod main;
mod module;
mod side;
mod violation;

pub use main::main;
pub use side::side;
pub use violation::Violation;

use crate::VERSION;
use module::Module;

/// Violations of the version's custom section, which is the same in every module.
fn version(module: &Module<'_>) -> Option<Violation> {
    match &module.version {
        None => Some(Violation::NoVersion),
        Some(Ok(VERSION)) => None,
        Some(Ok(found)) => Some(Violation::OtherVersion { found: *found }),
        Some(Err(reason)) => Some(Violation::Damaged {
            reason: reason.clone(),
        }),
    }
}

/// Violations of the imports that a host provides: `pymode` and WASI.
fn host_import(module: &str, name: &str, item: &module::Item) -> Option<Violation> {
    if module == module::WASI {
        return None;
    }
    let Some(import) = crate::import(name) else {
        return Some(Violation::NoSuchImport {
            module: module.to_owned(),
            name: name.to_owned(),
            item: item.to_string(),
        });
    };
    let wanted = module::Item::Function(module::FunctionType::from(import.signature));
    (*item != wanted).then(|| Violation::OtherImport {
        module: module.to_owned(),
        name: name.to_owned(),
        wanted: wanted.to_string(),
        found: item.to_string(),
    })
}
