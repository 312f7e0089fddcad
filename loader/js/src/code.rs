//! Compiled modules.

use std::rc::Rc;

use js_sys::WebAssembly::Module;
use pymode_dylink::{Bridge, Fault, ModuleInfo};
use wasm_bindgen::JsValue;

use crate::forwarders::{Forwarders, Placed};

/// A compiled module, and what the engine knows of it. Cloning it is cheap; making it is not.
#[derive(Clone)]
pub struct JsCode(pub(crate) Kind);

#[derive(Clone)]
pub(crate) enum Kind {
    Side(Rc<Side>),
    Bridge(Rc<Placed>),
}

/// A side module and the names of what it imports, in its order.
pub(crate) struct Side {
    pub(crate) module: Module,
    pub(crate) imports: Box<[ImportName]>,
}

pub(crate) struct ImportName {
    pub(crate) module: Box<str>,
    pub(crate) name: Box<str>,
    /// The name, as JavaScript has it.
    pub(crate) property: JsValue,
}

impl JsCode {
    /// `info` must have been read from the bytes that `module` was compiled from.
    #[must_use]
    pub fn new(module: Module, info: &ModuleInfo) -> JsCode {
        let names = info.imports.iter().map(|import| ImportName {
            module: import.module[..].into(),
            name: import.name[..].into(),
            property: JsValue::from_str(&import.name),
        });
        let imports = names.collect();
        JsCode(Kind::Side(Rc::new(Side { module, imports })))
    }

    /// The code of a bridge, of forwarders that were compiled before.
    pub(crate) fn bridge(forwarders: Rc<Forwarders>, bridge: &Bridge) -> Result<JsCode, Fault> {
        let placed = Placed::new(forwarders, bridge)?;
        Ok(JsCode(Kind::Bridge(Rc::new(placed))))
    }
}
