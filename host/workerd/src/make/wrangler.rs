//! A folder that `wrangler deploy` and `wrangler dev` take.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use pymode_bundle::names::{BINDING, OBJECT, file};
use pymode_toolchain::CacheError;
use serde_json::{Value, json};

use crate::bundle::{Bundle, COMPATIBILITY_DATE, WriteMode};
use crate::make::manifest::Manifest;

/// List of our files in a folder, one per line: only a folder with this list may be overwritten.
const LIST: &str = ".pymode-files";

/// Errors of writing a folder.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WranglerError {
    /// A file of it.
    #[error(transparent)]
    File(#[from] CacheError),
    /// It was not made by `pymode build`.
    #[error(
        "`{}` exists, is not empty, and was not made by `pymode build`\n  hint: name another folder with `-o`, or delete it",
        dir.display()
    )]
    NotOurs {
        /// The folder.
        dir: PathBuf,
    },
    /// The project sets a key of pymode.
    #[error("`tool.pymode.wrangler.{key}` is set by pymode itself")]
    Ours {
        /// Which key.
        key: String,
    },
    /// The project has a value that JSON does not support.
    #[error("`tool.pymode.wrangler`: {reason}")]
    Value {
        /// Message of serde.
        reason: String,
    },
}

/// Writes the bundle's modules and a `wrangler.jsonc` into `dir`, and removes files of earlier builds.
///
/// # Errors
/// When a file cannot be written, the folder is not ours, or the project sets a key of pymode.
pub fn write(bundle: &Bundle, manifest: &Manifest, dir: &Path) -> Result<(), WranglerError> {
    let configuration = configuration(manifest)?;
    let names = bundle.modules().iter().map(|module| module.name.as_str());
    let list: String = names
        .chain(["wrangler.jsonc"])
        .map(|name| format!("{name}\n"))
        .collect();
    clear(dir)?;
    fs::create_dir_all(dir).map_err(CacheError::io("create", dir))?;
    // First, so that the next build may clear the folder of an interrupted one.
    put(&dir.join(LIST), &list)?;
    bundle.write(dir, WriteMode::Copy)?;
    Ok(put(
        &dir.join("wrangler.jsonc"),
        &format!(
            "// Made by `pymode build`; `[tool.pymode.wrangler]` adds to it.\n{configuration:#}\n"
        ),
    )?)
}

/// Removes the files of an earlier build, and no others.
fn clear(dir: &Path) -> Result<(), WranglerError> {
    let list = match fs::read_to_string(dir.join(LIST)) {
        Ok(list) => list,
        Err(_) if is_empty(dir)? => return Ok(()),
        Err(_) => return Err(WranglerError::NotOurs { dir: dir.into() }),
    };
    for name in list.lines() {
        // The list is not trusted: only paths inside of the folder are removed.
        let path = Path::new(name);
        let is_below = path
            .components()
            .all(|part| matches!(part, std::path::Component::Normal(_)));
        if is_below && dir.join(path).symlink_metadata().is_ok() {
            let path = dir.join(path);
            fs::remove_file(&path).map_err(CacheError::io("delete", &path))?;
        }
    }
    Ok(())
}

fn is_empty(dir: &Path) -> Result<bool, CacheError> {
    match fs::read_dir(dir) {
        Ok(mut entries) => Ok(entries.next().is_none()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(CacheError::io("list", dir)(error)),
    }
}

fn put(path: &Path, text: &str) -> Result<(), CacheError> {
    fs::write(path, text).map_err(CacheError::io("write", path))
}

fn configuration(manifest: &Manifest) -> Result<Value, WranglerError> {
    let mut all = json!({
        "name": manifest.name,
        "main": file::ENTRY,
        "compatibility_date": COMPATIBILITY_DATE,
        // The modules are complete: wrangler does not bundle them.
        "no_bundle": true,
        "find_additional_modules": true,
        "rules": [
            { "type": "ESModule", "globs": ["**/*.js"], "fallthrough": false },
            { "type": "CompiledWasm", "globs": ["**/*.wasm"], "fallthrough": false },
            { "type": "Data", "globs": ["**/*.bin"], "fallthrough": false },
        ],
        "durable_objects": { "bindings": [{ "name": BINDING, "class_name": OBJECT }] },
        "migrations": [{ "tag": "v1", "new_sqlite_classes": [OBJECT] }],
    });
    let theirs = serde_json::to_value(&manifest.settings.wrangler).map_err(|error| {
        WranglerError::Value {
            reason: error.to_string(),
        }
    })?;
    let (Value::Object(ours), Value::Object(theirs)) = (&mut all, theirs) else {
        return Ok(all);
    };
    for (key, value) in theirs {
        // A Worker's name may differ from its project's.
        if key != "name" && ours.contains_key(&key) {
            return Err(WranglerError::Ours { key });
        }
        ours.insert(key, value);
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::make::manifest::Settings;

    fn manifest(wrangler: &str) -> Manifest {
        Manifest {
            name: "app".into(),
            dependencies: Vec::new(),
            settings: Settings {
                wrangler: toml::from_str(wrangler).expect("it is TOML"),
                ..Settings::default()
            },
        }
    }

    #[test]
    fn a_project_adds_keys_and_changes_none() {
        let all = configuration(&manifest("name = 'b'\n[vars]\nGREETING = 'hi'")).expect("it may");
        assert_eq!(all["vars"]["GREETING"], "hi");
        assert_eq!(all["name"], "b");
        assert_eq!(
            all["migrations"][0]["new_sqlite_classes"][0],
            "PythonObject"
        );
        let error = configuration(&manifest("main = 'x.js'")).expect_err("it may not");
        assert!(error.to_string().contains("tool.pymode.wrangler.main"));
    }

    #[test]
    fn only_our_own_folders_are_written_again() {
        let dir = tempfile::tempdir().expect("there is room");
        let out = dir.path().join("dist");
        let bundle = Bundle::failure("x");
        write(&bundle, &manifest(""), &out).expect("it is new");
        fs::write(out.join("mine.txt"), "kept").expect("it can be written");
        write(&bundle, &manifest(""), &out).expect("it is ours");
        assert!(out.join("mine.txt").exists() && out.join("entry.js").exists());

        let other = dir.path().join("other");
        fs::create_dir(&other).expect("it is new");
        fs::write(other.join("mine.txt"), "kept").expect("it can be written");
        let error = write(&bundle, &manifest(""), &other).expect_err("it is not ours");
        assert!(error.to_string().contains("hint: name another folder"));

        fs::write(out.join(LIST), "../other/mine.txt\n/etc/hosts\n").expect("it can be written");
        write(&bundle, &manifest(""), &out).expect("it is ours");
        assert!(other.join("mine.txt").exists());
    }
}
