//! Compiled modules.

use std::cell::OnceCell;
use std::rc::Rc;
use std::sync::Arc;

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
    pub(crate) info: Arc<ModuleInfo>,
    /// The names of its imports, as JavaScript has them, once they were needed.
    properties: Box<[OnceCell<JsValue>]>,
}

impl Side {
    pub(crate) fn property(&self, import: usize) -> &JsValue {
        self.properties[import].get_or_init(|| JsValue::from_str(&self.info.imports[import].name))
    }
}

impl JsCode {
    /// `info` must be of the bytes that `module` was compiled from.
    #[must_use]
    pub fn new(module: Module, info: &Arc<ModuleInfo>) -> JsCode {
        JsCode(Kind::Side(Rc::new(Side {
            module,
            info: Arc::clone(info),
            properties: info.imports.iter().map(|_| OnceCell::new()).collect(),
        })))
    }

    /// The code of a bridge, of forwarders that were compiled before.
    pub(crate) fn bridge(forwarders: Rc<Forwarders>, bridge: &Bridge) -> Result<JsCode, Fault> {
        let placed = Placed::new(forwarders, bridge)?;
        Ok(JsCode(Kind::Bridge(Rc::new(placed))))
    }
}
