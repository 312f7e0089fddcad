//! The crates and their dependencies, from `cargo metadata`.

use std::path::Path;

use serde::Deserialize;

use super::tree::{File, Tree};
use crate::error::Error;
use crate::run;

/// Manifests outside the project: pins of downloads, and test projects that are built like any package.
const OTHERS: [&str; 3] = [
    "extensions/libraries",
    "toolchain/sources",
    "tests/backends",
];

/// Returns `true` for a file of the project's crates.
pub(super) fn is_ours(file: &File) -> bool {
    !OTHERS.iter().any(|folder| file.is_under(folder))
}

/// A crate of the project.
#[derive(Debug, Clone, Default)]
pub(super) struct Crate {
    pub(super) name: String,
    /// Path of the manifest from the root.
    pub(super) manifest: String,
    /// Normal and build dependencies, without those of tests.
    pub(super) dependencies: Vec<String>,
}

impl Crate {
    pub(super) fn folder(&self) -> &str {
        self.manifest.strip_suffix("/Cargo.toml").unwrap_or("")
    }
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    manifest_path: String,
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    kind: Option<String>,
}

/// The crates of every workspace in the checkout: the Worker's crates have their own.
pub(super) fn all(root: &Path, tree: &Tree) -> Result<Vec<Crate>, Error> {
    let workspaces = tree.0.iter().filter(|file| is_workspace(file));
    let mut crates = Vec::new();
    for manifest in workspaces {
        let mut cargo = run::cargo();
        cargo.current_dir(root).args([
            "metadata",
            "--format-version",
            "1",
            "--no-deps",
            "--manifest-path",
            &manifest.path,
        ]);
        let text = run::stdout(cargo)?;
        let metadata: Metadata =
            serde_json::from_str(&text).map_err(|source| Error::Metadata { source })?;
        for package in metadata.packages {
            let manifest = Path::new(&package.manifest_path)
                .strip_prefix(root)
                .unwrap_or(Path::new(&package.manifest_path));
            let built = package
                .dependencies
                .into_iter()
                .filter(|dependency| dependency.kind.as_deref() != Some("dev"));
            crates.push(Crate {
                name: package.name,
                manifest: manifest.to_string_lossy().replace('\\', "/"),
                dependencies: built.map(|dependency| dependency.name).collect(),
            });
        }
    }
    Ok(crates)
}

fn is_workspace(file: &File) -> bool {
    file.name() == "Cargo.toml"
        && file.lines().any(|(_, line)| line == "[workspace]")
        && is_ours(file)
}
