//! The bundle, as its entry passes it on when the isolate starts.

use std::cell::OnceCell;
use std::rc::Rc;

use js_sys::WebAssembly::Module;
use js_sys::{Array, ArrayBuffer, Function, Object, Promise, Reflect, Uint8Array};
use pymode_bundle::BundleSettings;
use pymode_bundle::names::field;
use wasm_bindgen::prelude::*;

/// The object from the entry. [`field`] has the names of its fields.
pub(crate) struct Bundle(Object);

impl Bundle {
    fn field<T: JsCast>(&self, name: &str) -> T {
        of(&self.0, name)
    }

    /// The main module, compiled.
    pub(crate) fn main(&self) -> Module {
        self.field(field::MAIN)
    }

    /// The link plan: of main and all side modules.
    pub(crate) fn plan(&self) -> ArrayBuffer {
        self.field(field::PLAN)
    }

    /// The view of a guest's memory, compiled.
    pub(crate) fn memory_view(&self) -> Module {
        self.field(field::MEMORY_VIEW)
    }

    /// The import thunks: an object with a compiled module for each import module.
    pub(crate) fn thunks(&self) -> Object {
        self.field(field::THUNKS)
    }

    /// The images: mount points and modules.
    pub(crate) fn images(&self) -> impl Iterator<Item = (String, Module)> {
        let images: Array = self.field(field::IMAGES);
        images.into_iter().map(|image| {
            let image: Object = image.unchecked_into();
            let path: JsValue = of(&image, field::PATH);
            (
                path.as_string().unwrap_or_default(),
                of(&image, field::MODULE),
            )
        })
    }

    /// Imports a side module by its key: a promise of its compiled form.
    pub(crate) fn side(&self, key: &str) -> Result<Promise, JsValue> {
        let side: Function = self.field(field::SIDE);
        Ok(side.call1(&self.0, &key.into())?.unchecked_into())
    }
}

/// Returns a field of the contract. If it is missing, its use fails, as in JavaScript.
fn of<T: JsCast>(object: &Object, name: &str) -> T {
    let field = Reflect::get(object, &name.into());
    field.unwrap_or_default().unchecked_into()
}

thread_local! {
    static BUNDLE: OnceCell<Bundle> = const { OnceCell::new() };
    static SETTINGS: OnceCell<Rc<BundleSettings>> = const { OnceCell::new() };
}

/// Sets the bundle. The bundle's entry calls it once, before anything else.
#[wasm_bindgen(js_name = setBundle)]
#[expect(unreachable_pub, reason = "JavaScript reaches it")]
pub fn set_bundle(bundle: JsValue) {
    crate::platform::install_panic_hook();
    BUNDLE.with(|cell| {
        // A second call would change the modules of running guests, so it is ignored.
        let _ = cell.set(Bundle(bundle.unchecked_into()));
    });
}

/// Calls `look` with the bundle.
pub(crate) fn with<T>(look: impl FnOnce(&Bundle) -> T) -> Result<T, JsValue> {
    BUNDLE.with(|cell| match cell.get() {
        Some(bundle) => Ok(look(bundle)),
        None => Err(JsError::new("the bundle's entry did not call `setBundle`").into()),
    })
}

/// Returns the settings, which are read once.
pub(crate) fn settings() -> Result<Rc<BundleSettings>, JsValue> {
    if let Some(known) = SETTINGS.with(|cell| cell.get().cloned()) {
        return Ok(known);
    }
    let file: ArrayBuffer = with(|bundle| bundle.field(field::SETTINGS))?;
    let settings = BundleSettings::from_bytes(&Uint8Array::new(&file).to_vec());
    let settings = settings.map_err(|error| JsError::new(&error.to_string()))?;
    Ok(SETTINGS.with(|cell| Rc::clone(cell.get_or_init(|| Rc::new(settings)))))
}
