//! Embeds all recipes and library files, and computes the hash that is part of the cache key of every wheel.

use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

use pymode_fingerprint::Fingerprint;

fn main() -> Result<(), Box<dyn Error>> {
    let out = env::var("OUT_DIR")?;
    for folder in ["recipes", "libraries"] {
        let table = table(Path::new(folder))?;
        fs::write(Path::new(&out).join(format!("{folder}.rs")), table)?;
    }
    Fingerprint::of_crate()
        .with("helpers")
        // Only for running tests, and for files of a user's project.
        .without("helpers/suite.py")
        .without("src/suite")
        .without("src/skips.rs")
        .without("src/pyproject.rs")
        .without("src/sync.rs")
        .export("SOURCES")?;
    Ok(())
}

/// A Rust expression: each `NAME.toml` of a folder as `("NAME", "text")`, sorted by name.
fn table(folder: &Path) -> Result<String, Box<dyn Error>> {
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name != "Cargo.toml"
            && let Some(stem) = name.strip_suffix(".toml")
        {
            names.push(stem.to_owned());
        }
    }
    names.sort();
    let mut rows = String::new();
    for name in names {
        let path = folder.join(format!("{name}.toml"));
        println!("cargo::rerun-if-changed={}", path.display());
        let text = fs::read_to_string(&path)
            .map_err(|error| format!("could not read `extensions/{}`: {error}", path.display()))?;
        writeln!(rows, "    ({name:?}, {text:?}),")?;
    }
    Ok(format!("&[\n{rows}]"))
}
