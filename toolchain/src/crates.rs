//! C libraries whose sources come inside Rust crates: zlib, bzip2, liblzma, SQLite.
//!
//! cargo is their package manager here: `sources/Cargo.toml` names them, `sources/Cargo.lock` pins and checksums them.

use std::path::PathBuf;
use std::process::Command;

use crate::Error;
use crate::cache::Cache;
use crate::files::write;
use crate::key::Key;
use crate::step::Step;
use crate::talk::Talk;

const MANIFEST: &str = include_str!("../sources/Cargo.toml");
const LOCK: &str = include_str!("../sources/Cargo.lock");

/// The unpacked crates.
#[derive(Clone, Debug)]
pub struct CrateSources {
    root: PathBuf,
}

impl CrateSources {
    /// The directory of a crate that `sources/Cargo.toml` names, such as `libz-sys`.
    pub fn dir(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }
}

/// The sources from the cache, or downloaded with `cargo vendor`.
///
/// # Errors
/// When cargo is missing or cannot have them.
pub fn sources(cache: &Cache, talk: &Talk) -> Result<CrateSources, Error> {
    let key = Key::new("crates")
        .field("manifest", MANIFEST)
        .field("lock", LOCK);
    let root = cache.entry("sources", &key, |dir| {
        let project = dir.join("project");
        write(&project.join("Cargo.toml"), MANIFEST)?;
        write(&project.join("Cargo.lock"), LOCK)?;
        write(&project.join("src/lib.rs"), "")?;
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        // Names without versions: what is looked for is the library, the lock file says which.
        cargo
            .args(["vendor", "--locked", "--quiet", "../vendor"])
            .current_dir(&project);
        Step::run(
            talk,
            "downloading C libraries",
            cargo,
            &cache.root().join("logs/crates.log"),
        )?;
        Ok::<_, Error>(())
    })?;
    Ok(CrateSources {
        root: root.join("vendor"),
    })
}
