//! Compiled modules.

use std::rc::Rc;

use js_sys::WebAssembly::Module;
use pymode_dylink::ModuleInfo;
use wasm_bindgen::JsValue;

/// A compiled module, and the names of what it imports, in its order. Cloning it is cheap; making it is not.
#[derive(Clone)]
pub struct JsCode {
    pub(crate) module: Module,
    pub(crate) imports: Rc<[ImportName]>,
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
        JsCode {
            module,
            imports: names.collect(),
        }
    }
}
