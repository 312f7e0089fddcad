//! Packs the sources of the Worker's code into this library, which compiles them on the machine where a bundle is made.

use std::collections::BTreeSet;
use std::env;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use pymode_fingerprint::Fingerprint;

/// Folders of the Worker's crates in the checkout.
const CRATES: [&str; 6] = [
    "abi",
    "host/bundle",
    "host/core",
    "host/worker",
    "loader/dylink",
    "loader/js",
];
/// Other members of the Worker's workspace. Cargo reads their manifests, and requires a library.
const MANIFESTS: [&str; 2] = ["loader/conformance", "loader/js/tests/worker"];
/// The manifest that the crates inherit from.
const WORKSPACE: &str = "Cargo.toml";

fn main() -> io::Result<()> {
    let here = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    let checkout = here.join("../..").canonicalize()?;

    let mut files = BTreeSet::new();
    for name in CRATES {
        list(&checkout.join(name), &mut files)?;
    }
    let pack = File::create(out.join("worker.tar.gz"))?;
    let mut tar = tar::Builder::new(GzEncoder::new(pack, Compression::default()));
    for file in &files {
        add(&mut tar, &checkout, file, &fs::read(file)?)?;
    }
    for name in MANIFESTS {
        let manifest = watched(&checkout.join(name).join("Cargo.toml"));
        let library = manifest.with_file_name("src/lib.rs");
        add(&mut tar, &checkout, &manifest, &fs::read(&manifest)?)?;
        add(&mut tar, &checkout, &library, b"")?;
    }
    for name in CRATES.iter().chain(&MANIFESTS) {
        let manifest = checkout.join(name).join("Cargo.toml");
        for test in tests(&fs::read_to_string(&manifest)?) {
            let test = manifest.with_file_name(format!("tests/{test}.rs"));
            add(&mut tar, &checkout, &test, b"")?;
        }
    }
    let workspace = watched(&checkout.join(WORKSPACE));
    add(&mut tar, &checkout, &workspace, &fs::read(&workspace)?)?;
    tar.into_inner()?.finish()?.flush()?;

    Fingerprint::of_crate()
        .with("helpers")
        .with("../bundle/src")
        .with("../../loader/rewrite/src")
        .export("PYMODE_WORKERD_SOURCES")
}

/// Returns the tests that a manifest names. Cargo requires that their files exist.
fn tests(manifest: &str) -> Vec<String> {
    let manifest: toml::Table = manifest.parse().expect("cargo has read the manifest");
    let tests = manifest.get("test").and_then(toml::Value::as_array);
    let names = tests
        .into_iter()
        .flatten()
        .filter_map(|test| test.get("name")?.as_str());
    names.map(str::to_owned).collect()
}

/// Makes cargo run this script again when the file changes.
fn watched(path: &Path) -> PathBuf {
    println!("cargo::rerun-if-changed={}", path.display());
    path.into()
}

/// Collects the files of a directory.
fn list(path: &Path, into: &mut BTreeSet<PathBuf>) -> io::Result<()> {
    watched(path);
    if path.is_file() {
        into.insert(path.into());
        return Ok(());
    }
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        let name = entry.file_name();
        // Editors leave hidden files. The guest's Python modules are not compiled into the Worker's code.
        let is_source = !name.as_encoded_bytes().starts_with(b".")
            && !["tests", "target", "python"]
                .iter()
                .any(|other| name == *other);
        if is_source {
            list(&entry.path(), into)?;
        }
    }
    Ok(())
}

/// Adds a file without times and owners: the same files result in the same pack.
fn add(
    tar: &mut tar::Builder<impl Write>,
    checkout: &Path,
    file: &Path,
    content: &[u8],
) -> io::Result<()> {
    let name = file
        .strip_prefix(checkout)
        .expect("all files are in the checkout");
    let mut header = tar::Header::new_ustar();
    header.set_size(content.len() as u64);
    header.set_mode(0o644);
    header.set_mtime(0);
    tar.append_data(&mut header, name, content)
}
