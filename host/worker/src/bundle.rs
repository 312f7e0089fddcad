//! Data from the bundle's entry when the isolate starts.

use std::cell::OnceCell;

use js_sys::WebAssembly::Module;
use js_sys::{Array, ArrayBuffer, Object, Promise};
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// The object that the entry makes.
    pub(crate) type Bundle;

    /// The main module, compiled.
    #[wasm_bindgen(method, getter)]
    pub(crate) fn main(this: &Bundle) -> Module;

    /// Name in messages.
    #[wasm_bindgen(method, getter)]
    pub(crate) fn name(this: &Bundle) -> String;

    /// The link plan: of main and all side modules.
    #[wasm_bindgen(method, getter)]
    pub(crate) fn plan(this: &Bundle) -> ArrayBuffer;

    /// The window to a guest's memory, compiled.
    #[wasm_bindgen(method, getter)]
    pub(crate) fn window(this: &Bundle) -> Module;

    /// The doors: an object with a compiled module for each import module.
    #[wasm_bindgen(method, getter)]
    pub(crate) fn doors(this: &Bundle) -> Object;

    /// The images: an array of [`ImagePart`].
    #[wasm_bindgen(method, getter)]
    pub(crate) fn images(this: &Bundle) -> Array;

    /// `run`: programs that come with a request. `request`: a fresh interpreter answers each request. `persistent`: one
    /// interpreter answers them all.
    #[wasm_bindgen(method, getter)]
    pub(crate) fn mode(this: &Bundle) -> String;

    /// Directories in which libraries are looked for that are asked for without a path: an array of texts.
    #[wasm_bindgen(method, getter, js_name = libraryPath)]
    pub(crate) fn library_path(this: &Bundle) -> Array;

    /// Notes about symbols that may be missing, if there are any.
    #[wasm_bindgen(method, getter)]
    pub(crate) fn notes(this: &Bundle) -> Option<String>;

    /// Maximum size of `/tmp`, and of the growth of the current directory, in bytes.
    #[wasm_bindgen(method, getter)]
    pub(crate) fn writable(this: &Bundle) -> f64;

    /// Files that look like side modules and are invalid: paths and reasons.
    #[wasm_bindgen(method, getter)]
    pub(crate) fn refused(this: &Bundle) -> Option<Object>;

    /// `true` if the loader traces to standard error.
    #[wasm_bindgen(method, getter, js_name = tracesLoads)]
    pub(crate) fn traces_loads(this: &Bundle) -> bool;

    /// `true` if answers contain tracebacks.
    #[wasm_bindgen(method, getter)]
    pub(crate) fn development(this: &Bundle) -> bool;

    /// The environment of guests that answer requests: an object of texts.
    #[wasm_bindgen(method, getter)]
    pub(crate) fn environment(this: &Bundle) -> Object;

    /// Imports a side module by its key: a promise of its compiled form.
    #[wasm_bindgen(method, catch)]
    pub(crate) fn side(this: &Bundle, key: &str) -> Result<Promise, JsValue>;

    /// An image and where it is mounted.
    pub(crate) type ImagePart;

    /// An absolute path.
    #[wasm_bindgen(method, getter)]
    pub(crate) fn path(this: &ImagePart) -> String;

    /// The image, carried by a module.
    #[wasm_bindgen(method, getter)]
    pub(crate) fn module(this: &ImagePart) -> Module;
}

thread_local! {
    static BUNDLE: OnceCell<Bundle> = const { OnceCell::new() };
}

/// Called by the bundle's entry, once, before anything else.
#[wasm_bindgen(js_name = setBundle)]
#[expect(unreachable_pub, reason = "JavaScript reaches it")]
pub fn set_bundle(bundle: JsValue) {
    crate::platform::install_panic_hook();
    BUNDLE.with(|cell| {
        // A second call would change the modules of guests that run: the first one stays.
        let _ = cell.set(bundle.unchecked_into());
    });
}

/// Looks at the bundle.
pub(crate) fn with<T>(look: impl FnOnce(&Bundle) -> T) -> Result<T, JsValue> {
    BUNDLE.with(|cell| match cell.get() {
        Some(bundle) => Ok(look(bundle)),
        None => Err(JsError::new("the bundle's entry did not call `setBundle`").into()),
    })
}
