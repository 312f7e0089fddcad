//! Compiled modules.

use std::cell::OnceCell;
use std::rc::Rc;
use std::sync::Arc;

use js_sys::WebAssembly::Module;
use pymode_dylink::{ContentHash, ModuleInfo, ThunkModule};
use wasm_bindgen::JsValue;

use crate::error::JsEngineError;
use crate::thunks::{CommonThunks, Placed};

/// A compiled module, and what the engine knows of it. Cloning it is cheap; making it is not.
#[derive(Clone)]
pub struct JsCode(pub(crate) CodeKind);

#[derive(Clone)]
pub(crate) enum CodeKind {
    Side(Rc<Side>),
    Thunks(Rc<Placed>),
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
        JsCode(CodeKind::Side(Rc::new(Side {
            module,
            info: Arc::clone(info),
            properties: info.imports.iter().map(|_| OnceCell::new()).collect(),
        })))
    }

    /// The code of thunks, of common ones that were compiled before.
    pub(crate) fn thunks(
        common: Rc<CommonThunks>,
        thunks: &ThunkModule,
    ) -> Result<JsCode, JsEngineError> {
        let placed = Placed::new(common, thunks)?;
        Ok(JsCode(CodeKind::Thunks(Rc::new(placed))))
    }
}

/// A file of a side module: the module of the plan that it stands for, compiled or not.
#[derive(Clone)]
pub struct JsSource {
    /// The hash of the file's content.
    pub hash: ContentHash,
    /// The hash of the module that was compiled for it.
    pub code: ContentHash,
    /// The module's description.
    pub info: Arc<ModuleInfo>,
    /// The compiled module, or the reason why it cannot be compiled.
    pub compiled: Result<JsCode, JsEngineError>,
}
