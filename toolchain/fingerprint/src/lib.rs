//! A hash of a crate's sources and of the lock file, computed by the crate's build script.
//!
//! It is part of the cache key of everything that the crate builds. A list of files kept by hand would miss one, and the
//! cache would return a stale result; here a file counts unless the build script excludes it.
//!
//! ```no_run
//! // build.rs
//! pymode_fingerprint::Fingerprint::of_crate()
//!     .with("helpers")
//!     .without("src/suite")
//!     .export("SOURCES")
//!     .expect("the sources of the crate can be read");
//! ```
//!
//! The crate then reads it with `env!("SOURCES")`.

use std::io;
use std::path::{Path, PathBuf};
use std::{env, fs};

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

/// The inputs of a hash.
#[derive(Clone, Debug)]
pub struct Fingerprint {
    root: PathBuf,
    included: Vec<PathBuf>,
    excluded: Vec<PathBuf>,
}

impl Fingerprint {
    /// Starts with `src` and the manifest of the crate whose build script runs, and the lock file of its workspace.
    ///
    /// # Panics
    /// When no build script runs.
    #[must_use]
    pub fn of_crate() -> Self {
        let root = env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it for a build script");
        Self::at(Path::new(&root))
    }

    fn at(root: &Path) -> Self {
        let mut included = vec![PathBuf::from("src"), PathBuf::from("Cargo.toml")];
        // A dependency's version may change the output, such as that of the zip writer.
        let lock = root.ancestors().map(|dir| dir.join("Cargo.lock"));
        included.extend(lock.into_iter().find(|lock| lock.is_file()));
        Self {
            root: root.to_path_buf(),
            included,
            excluded: Vec::new(),
        }
    }

    /// Adds a file or a directory, relative to the crate.
    #[must_use]
    pub fn with(mut self, path: &str) -> Self {
        self.included.push(path.into());
        self
    }

    /// Excludes a file or a directory that cannot change the output, relative to the crate.
    #[must_use]
    pub fn without(mut self, path: &str) -> Self {
        self.excluded.push(path.into());
        self
    }

    /// Sets an environment variable of the crate's compilation to the hash, and makes cargo run the build script again
    /// when an input changes.
    ///
    /// # Errors
    /// When an input cannot be read.
    pub fn export(&self, variable: &str) -> io::Result<()> {
        for path in &self.included {
            println!("cargo::rerun-if-changed={}", path.display());
        }
        println!("cargo::rustc-env={variable}={}", self.hex()?);
        Ok(())
    }

    fn hex(&self) -> io::Result<String> {
        let mut files = Vec::new();
        for path in &self.included {
            self.collect(path, &mut files)?;
        }
        files.sort();
        files.dedup();
        let mut hash = Sha256::new();
        for file in files {
            let bytes = fs::read(self.root.join(&file))?;
            // The lock file lies above the crate: where depends on the machine.
            let name = if file.is_absolute() {
                PathBuf::from(file.file_name().unwrap_or_default())
            } else {
                file
            };
            for part in [name.as_os_str().as_encoded_bytes(), &bytes] {
                hash.update((part.len() as u64).to_le_bytes());
                hash.update(part);
            }
        }
        Ok(HEXLOWER.encode(&hash.finalize()))
    }

    fn collect(&self, path: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
        if self.excluded.iter().any(|other| path.starts_with(other)) {
            return Ok(());
        }
        let full = self.root.join(path);
        if !full.is_dir() {
            files.push(path.to_path_buf());
            return Ok(());
        }
        for entry in fs::read_dir(&full)? {
            let name = entry?.file_name();
            // Editors leave hidden files, Python its bytecode.
            if !name.as_encoded_bytes().starts_with(b".") && name != "__pycache__" {
                self.collect(&path.join(name), files)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_counts_unless_it_is_excluded() {
        let workspace = tempfile::tempdir().expect("a directory");
        let root = workspace.path().join("member");
        let write = |path: &str, text: &str| {
            let path = root.join(path);
            fs::create_dir_all(path.parent().expect("a parent")).expect("created");
            fs::write(path, text).expect("written");
        };
        write("../Cargo.lock", "1");
        write("Cargo.toml", "2");
        write("src/lib.rs", "3");
        write("src/suite/mod.rs", "4");
        write("helpers/a.py", "5");
        let hash = || {
            let fingerprint = Fingerprint::at(&root).with("helpers").without("src/suite");
            fingerprint.hex().expect("the files can be read")
        };
        let mut last = hash();
        assert_eq!(last.len(), 64);
        for (path, text) in [
            ("src/lib.rs", "30"),
            ("src/new/mod.rs", ""),
            ("helpers/a.py", "50"),
            ("Cargo.toml", "20"),
            ("../Cargo.lock", "10"),
        ] {
            write(path, text);
            let next = hash();
            assert_ne!(next, last, "{path}");
            last = next;
        }
        for path in [
            "src/suite/mod.rs",
            "src/.lib.rs.swp",
            "helpers/__pycache__/a.pyc",
            "tests/a.rs",
        ] {
            write(path, "other");
            assert_eq!(hash(), last, "{path}");
        }
        let other = tempfile::tempdir().expect("a directory");
        fs::rename(&root, other.path().join("member")).expect("moved");
        fs::copy(
            workspace.path().join("Cargo.lock"),
            other.path().join("Cargo.lock"),
        )
        .expect("copied");
        let moved = Fingerprint::at(&other.path().join("member"))
            .with("helpers")
            .without("src/suite");
        assert_eq!(
            moved.hex().expect("the files can be read"),
            last,
            "the hash does not depend on the path"
        );
    }

    #[test]
    fn a_missing_input_is_an_error() {
        let dir = tempfile::tempdir().expect("a directory");
        fs::create_dir(dir.path().join("src")).expect("created");
        assert!(Fingerprint::at(dir.path()).hex().is_err());
    }
}
