//! Instances and what can be imported from them.

use std::cell::OnceCell;
use std::rc::Rc;
use std::sync::Arc;

use js_sys::{Object, Reflect};
use pymode_dylink::ModuleInfo;
use wasm_bindgen::prelude::*;

use crate::error::{JsEngineError, JsFailure};

/// An instance.
#[derive(Clone)]
pub struct JsInstance(InstanceKind);

#[derive(Clone)]
enum InstanceKind {
    /// The main module's. What it exports is known, so that JavaScript need not be asked.
    Main(Arc<ModuleInfo>),
    /// A side module's: its exports.
    Side(Object),
    /// Thunks, exported as `0`, `1`, ….
    Thunks(Rc<[JsValue]>),
}

impl JsInstance {
    /// The main module's instance.
    #[must_use]
    pub fn main(info: Arc<ModuleInfo>) -> JsInstance {
        JsInstance(InstanceKind::Main(info))
    }

    pub(crate) fn side(exports: Object) -> JsInstance {
        JsInstance(InstanceKind::Side(exports))
    }

    pub(crate) fn thunks(functions: Vec<JsValue>) -> JsInstance {
        JsInstance(InstanceKind::Thunks(functions.into()))
    }

    pub(crate) fn export(&self, name: &str) -> Option<JsExtern> {
        match &self.0 {
            InstanceKind::Main(info) => info.exports.find(name).map(|_| {
                JsExtern::Main(Rc::new(MainExport {
                    name: name.into(),
                    value: OnceCell::new(),
                }))
            }),
            InstanceKind::Side(exports) => {
                let found = get(exports, name)?;
                Some(match CONSTRUCTORS.contains(&name) {
                    true => JsExtern::Constructor(found),
                    false => JsExtern::Value(found),
                })
            }
            InstanceKind::Thunks(functions) => {
                let at: usize = name.parse().ok()?;
                functions.get(at).cloned().map(JsExtern::Value)
            }
        }
    }
}

/// Something that can be imported.
#[derive(Clone)]
pub enum JsExtern {
    /// Main's export of this name. Most imports of most modules are: they are found by the engine itself, through the
    /// prototype of the object of imports, and cost nothing here.
    Main(Rc<MainExport>),
    /// A side module's function that the linker calls to construct it.
    Constructor(JsValue),
    /// Anything else. An immutable global is a number: that is how JavaScript gives a constant to a module.
    Value(JsValue),
}

/// An export of main: its name, and its value once it was needed.
pub struct MainExport {
    name: Box<str>,
    value: OnceCell<JsValue>,
}

impl MainExport {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// The functions in which code of the module's author runs while it is loaded.
const CONSTRUCTORS: [&str; 2] = ["_initialize", "__wasm_call_ctors"];
/// Main's function that calls exit handlers.
const FINALIZE: &str = "__cxa_finalize";

impl JsExtern {
    /// Reports whether it runs code that may wait, if it is called. The linker's other calls are main's allocator and relocations.
    pub(crate) fn may_wait(&self) -> bool {
        match self {
            JsExtern::Main(export) => *export.name == *FINALIZE,
            JsExtern::Constructor(_) => true,
            JsExtern::Value(_) => false,
        }
    }

    pub(crate) fn value(&self, main: &Object) -> Result<JsValue, JsEngineError> {
        match self {
            JsExtern::Value(value) | JsExtern::Constructor(value) => Ok(value.clone()),
            JsExtern::Main(export) => {
                if let Some(value) = export.value.get() {
                    return Ok(value.clone());
                }
                let name = &*export.name;
                let value =
                    get(main, name).ok_or_else(|| JsFailure::Missing { name: name.into() })?;
                Ok(export.value.get_or_init(|| value).clone())
            }
        }
    }
}

/// A property that is there.
pub(crate) fn get(object: &Object, name: &str) -> Option<JsValue> {
    Reflect::get(object, &JsValue::from_str(name))
        .ok()
        .filter(|value| !value.is_undefined())
}
