//! A folder that `wrangler deploy` and `wrangler dev` take.

use std::fs;
use std::path::Path;

use pymode_toolchain::CacheError;
use serde_json::json;

use crate::bundle::Bundle;
use crate::config::COMPATIBILITY_DATE;

/// Writes the bundle's modules and a `wrangler.jsonc` into `dir`; one that is there already is the user's, and stays.
///
/// # Errors
/// When a file cannot be written.
pub fn write(bundle: &Bundle, name: &str, dir: &Path) -> Result<(), CacheError> {
    bundle.write(dir)?;
    let path = dir.join("wrangler.jsonc");
    if path.exists() {
        return Ok(());
    }
    let text = format!("{:#}\n", configuration(name));
    fs::write(&path, text).map_err(CacheError::io("write", &path))
}

fn configuration(name: &str) -> serde_json::Value {
    json!({
        "name": name,
        "main": "entry.js",
        "compatibility_date": COMPATIBILITY_DATE,
        // The modules are as they are to be: nothing is left for a bundler to do.
        "no_bundle": true,
        "find_additional_modules": true,
        "rules": [
            { "type": "ESModule", "globs": ["**/*.js"], "fallthrough": false },
            { "type": "CompiledWasm", "globs": ["**/*.wasm"], "fallthrough": false },
            { "type": "Data", "globs": ["**/*.bin"], "fallthrough": false },
        ],
        "durable_objects": { "bindings": [{ "name": "PYTHON", "class_name": "PythonObject" }] },
        "migrations": [{ "tag": "v1", "new_sqlite_classes": ["PythonObject"] }],
    })
}
