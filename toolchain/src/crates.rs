//! C libraries whose sources come inside Rust crates: zlib, bzip2, liblzma, SQLite for Python, others for packages.
//!
//! cargo is their package manager here: a `Cargo.toml` names them, its `Cargo.lock` pins and checksums them.

use std::path::PathBuf;
use std::process::Command;

use crate::Error;
use crate::cache::Cache;
use crate::files::write;
use crate::key::Key;
use crate::reporter::Reporter;
use crate::step::Step;

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

/// A list of crates, and what pins them.
#[derive(Clone, Copy, Debug)]
pub struct CrateList {
    /// A `Cargo.toml` whose dependencies they are.
    pub manifest: &'static str,
    /// Its `Cargo.lock`.
    pub lock: &'static str,
}

/// The crates with the libraries that Python is made with.
pub const OF_PYTHON: CrateList = CrateList {
    manifest: include_str!("../sources/Cargo.toml"),
    lock: include_str!("../sources/Cargo.lock"),
};

/// The sources of the libraries that Python is made with, from the cache, or downloaded with `cargo vendor`.
///
/// # Errors
/// If cargo is missing or cannot download them.
pub fn sources(cache: &Cache, reporter: &Reporter) -> Result<CrateSources, Error> {
    OF_PYTHON.sources(cache, reporter)
}

impl CrateList {
    /// The sources of these crates, from the cache, or downloaded with `cargo vendor`.
    ///
    /// # Errors
    /// If cargo is missing or cannot download them.
    pub fn sources(&self, cache: &Cache, reporter: &Reporter) -> Result<CrateSources, Error> {
        let key = Key::new("crates")
            .field("manifest", self.manifest)
            .field("lock", self.lock);
        let root = cache.entry("sources", &key, |dir| {
            let project = dir.join("project");
            write(&project.join("Cargo.toml"), self.manifest)?;
            write(&project.join("Cargo.lock"), self.lock)?;
            write(&project.join("src/lib.rs"), "")?;
            let mut cargo =
                Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
            // Names without versions: the lock file has the versions.
            cargo
                .args(["vendor", "--locked", "--quiet", "../vendor"])
                .current_dir(&project);
            Step::run(
                reporter,
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
}
