//! Names of a bundle's files, and of the fields of the object that its entry passes to the Worker.

use alloc::format;
use alloc::string::String;

/// The files of a bundle.
pub mod file {
    use super::{String, format};

    /// The JavaScript module that ties the others together.
    pub const ENTRY: &str = "entry.js";
    /// The Worker's own code.
    pub const HOST: &str = "host.wasm";
    /// The Worker's glue, made by wasm-bindgen.
    pub const GLUE: &str = "host.js";
    /// Module name of the host's imports.
    pub const GLUE_IMPORTS: &str = "./host_bg.js";
    /// The view of a guest's memory.
    pub const MEMORY_VIEW: &str = "memory-view.wasm";
    /// The main module.
    pub const MAIN: &str = "python.wasm";
    /// The link plan.
    pub const PLAN: &str = "plan.bin";
    /// The settings.
    pub const SETTINGS: &str = "settings.bin";

    /// Returns the file of an import module's thunks.
    #[must_use]
    pub fn thunks(module: &str) -> String {
        format!("thunks-{module}.wasm")
    }

    /// Returns the import module whose thunks are in a file; `None` for other files.
    #[must_use]
    pub fn module_of_thunks(name: &str) -> Option<&str> {
        name.strip_prefix("thunks-")?.strip_suffix(".wasm")
    }

    /// Returns the file of an image.
    #[must_use]
    pub fn image(number: usize) -> String {
        format!("image-{number}.wasm")
    }

    /// Returns the name of a side module in its name section, which V8 shows in stack traces.
    #[must_use]
    pub fn side_name(key: &str) -> String {
        format!("{SIDE}{key}")
    }

    /// Returns the file of a side module.
    #[must_use]
    pub fn side(key: &str) -> String {
        format!("{SIDE}{key}.wasm")
    }

    /// Returns the key of a side module from its name in a stack trace; `None` for other modules.
    #[must_use]
    pub fn key_of_side(name: &str) -> Option<&str> {
        name.strip_prefix(SIDE)
    }

    const SIDE: &str = "side-";
}

/// Class of the Durable Object.
pub const OBJECT: &str = "PythonObject";

/// Binding under which the Worker finds its Durable Objects.
pub const BINDING: &str = "PYTHON";

/// Name of the main module in its name section, and its key in notes.
pub const MAIN: &str = "main";

/// The fields of the object that a bundle's entry passes to the Worker.
pub mod field {
    /// The main module, compiled.
    pub const MAIN: &str = "main";
    /// The file of the link plan.
    pub const PLAN: &str = "plan";
    /// The file of the settings.
    pub const SETTINGS: &str = "settings";
    /// The view of a guest's memory, compiled.
    pub const MEMORY_VIEW: &str = "memoryView";
    /// The import thunks: an object with a compiled module for each import module.
    pub const THUNKS: &str = "thunks";
    /// The images: an array of objects with the next two fields.
    pub const IMAGES: &str = "images";
    /// The mount point of an image.
    pub const PATH: &str = "path";
    /// The module that carries an image, compiled.
    pub const MODULE: &str = "module";
    /// A function from the key of a side module to a promise of it, compiled.
    pub const SIDE: &str = "side";
}
