//! Whether a module keeps the contract: [`main()`] for python.wasm, [`side`] for an extension module.
//!
//! Nothing here runs the module or trusts it; every fault is reported, not only the first.

mod fault;
mod main;
mod module;
mod side;

pub use fault::Fault;
pub use main::main;
pub use side::side;

use crate::VERSION;
use module::Module;

/// The faults of the version's custom section, the same in every module.
fn version(module: &Module<'_>) -> Option<Fault> {
    match &module.version {
        None => Some(Fault::NoVersion),
        Some(Ok(VERSION)) => None,
        Some(Ok(found)) => Some(Fault::OtherVersion { found: *found }),
        Some(Err(reason)) => Some(Fault::Damaged {
            reason: reason.clone(),
        }),
    }
}

/// The faults of the imports that a host serves: `pymode` and WASI.
fn host_import(module: &str, name: &str, item: &module::Item) -> Option<Fault> {
    if module == module::WASI {
        return None;
    }
    let Some(import) = crate::import(name) else {
        return Some(Fault::NoSuchImport {
            module: module.to_owned(),
            name: name.to_owned(),
            item: item.to_string(),
        });
    };
    let wanted = module::Item::Function(module::FunctionType::from(import.signature));
    (*item != wanted).then(|| Fault::OtherImport {
        module: module.to_owned(),
        name: name.to_owned(),
        wanted: wanted.to_string(),
        found: item.to_string(),
    })
}
