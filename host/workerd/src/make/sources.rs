//! Sources of the Worker's code: this library contains them, and unpacks them into the cache.

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
    /// Root directory of the sources, laid out as in a checkout.
    pub root: PathBuf,
    /// Cache key of the sources.
    pub key: Key,
}

/// Unpacks the sources of Python in a Durable Object, unless the cache has them.
///
/// # Errors
/// When the cache cannot be written.
pub(crate) fn worker(cache: &Cache) -> Result<Sources, CacheError> {
    let key = Key::new("worker-sources").bytes("pack", PACK);
    let root = cache.entry("worker-sources", &key, |dir| {
        unpack(dir).map_err(CacheError::io("write", dir))
    })?;
    Ok(Sources {
        package: "pymode-worker",
        root,
        key,
    })
}

fn unpack(dir: &Path) -> std::io::Result<()> {
    Archive::new(GzDecoder::new(PACK)).unpack(dir)
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
