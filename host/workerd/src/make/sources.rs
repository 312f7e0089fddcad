//! Sources of the Worker's code: this library contains them, and unpacks them into the cache.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use pymode_toolchain::{Cache, CacheError, Key};
use tar::Archive;

/// The pack from `build.rs`.
const PACK: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/worker.tar.gz"));

/// A crate that runs inside a Worker, with its sources.
#[derive(Debug, Clone)]
pub struct Sources {
    /// Its name.
    pub package: &'static str,
    /// Location of the sources.
    pub location: SourceLocation,
    /// Cache key of the sources.
    pub key: Key,
}

/// The location of sources, laid out as in a checkout.
#[derive(Debug, Clone)]
pub enum SourceLocation {
    /// In this library.
    Packed,
    /// In this directory.
    Directory(PathBuf),
}

impl Sources {
    /// Returns the sources of Python in a Durable Object.
    pub(crate) fn worker() -> Sources {
        Sources {
            package: "pymode-worker",
            location: SourceLocation::Packed,
            key: Key::new("worker-sources").bytes("pack", PACK),
        }
    }

    /// Returns the root directory of the sources. Packed sources are unpacked into the cache, always at the same path: it is part
    /// of what cargo compares, so another path would compile all dependencies again. The caller holds the lock of the build.
    pub(crate) fn root(&self, cache: &Cache) -> Result<PathBuf, CacheError> {
        match &self.location {
            SourceLocation::Directory(root) => Ok(root.clone()),
            SourceLocation::Packed => {
                let root = directory(cache);
                let new = root.with_extension("new");
                for old in [&root, &new] {
                    match fs::remove_dir_all(old) {
                        Err(error) if error.kind() != io::ErrorKind::NotFound => {
                            return Err(CacheError::io("delete", old)(error));
                        }
                        _ => {}
                    }
                }
                unpack(&new).map_err(CacheError::io("write", &new))?;
                fs::rename(&new, &root).map_err(CacheError::io("rename", &new))?;
                Ok(root)
            }
        }
    }
}

/// Directory of unpacked sources.
pub(crate) fn directory(cache: &Cache) -> PathBuf {
    cache.root().join("worker/.sources")
}

fn unpack(dir: &Path) -> io::Result<()> {
    let mut archive = Archive::new(GzDecoder::new(PACK));
    // Cargo builds a file again if it is newer than the last build. The pack has no times.
    archive.set_preserve_mtime(false);
    archive.unpack(dir)
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::unpack;

    /// Cargo reads the manifests of all members, so they must be in the pack.
    #[test]
    fn the_pack_is_a_complete_workspace() {
        let dir = tempfile::tempdir().expect("there is room");
        unpack(dir.path()).expect("it can be unpacked");
        for name in [
            "Cargo.toml",
            "abi/build.rs",
            "host/bundle/src/lib.rs",
            "host/core/src/lib.rs",
            "host/worker/Cargo.lock",
            "host/worker/src/lib.rs",
            "loader/conformance/Cargo.toml",
            "loader/dylink/src/lib.rs",
            "loader/js/src/lib.rs",
            "loader/js/tests/worker/src/lib.rs",
        ] {
            assert!(dir.path().join(name).is_file(), "{name}");
        }
        for name in [
            "host/worker/target",
            "host/worker/python",
            "host/workerd",
            "host/core/tests",
        ] {
            assert!(!dir.path().join(name).exists(), "{name}");
        }
        let mut cargo = Command::new(std::env::var_os("CARGO").expect("cargo runs the tests"));
        cargo
            .args(["metadata", "--locked", "--no-deps", "--format-version=1"])
            .current_dir(dir.path().join("host/worker"));
        let output = cargo.output().expect("cargo starts");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{stderr}");
    }
}
