//! zig: the C and C++ compiler, its libc for WASI, and LLD, all in one wheel.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Error;
use crate::archive::unpack;
use crate::cache::Cache;
use crate::key::Key;
use crate::pypi::PinnedWheel;
use crate::reporter::Reporter;

const WHEEL: PinnedWheel = PinnedWheel {
    name: "ziglang",
    version: "0.17.1",
    sha256: &[
        // Linux on x86-64 and on aarch64.
        "ea6cc5d87b033cf0aedfbc8f9549a908cae6c50ac31f1698188fa48a74524b54",
        "b7c5f02fccd40f89b999ee16a1f5ddced56e6182370f8affe494bcf8a28cf07e",
    ],
};

/// The version of zig.
pub const VERSION: &str = WHEEL.version;

/// An unpacked zig.
#[derive(Clone, Debug)]
pub struct Zig {
    /// The directory that holds `zig` and `lib/`.
    pub dir: PathBuf,
    /// The executable.
    pub exe: PathBuf,
    cache: PathBuf,
}

impl Zig {
    /// `zig` with its first argument: `cc`, `c++`, `ar`, `ranlib`, `wasm-ld`.
    ///
    /// zig's own cache of compiled objects lies in ours.
    pub fn command(&self, tool: &str) -> Command {
        let mut command = Command::new(&self.exe);
        command
            .arg(tool)
            .env("ZIG_GLOBAL_CACHE_DIR", &self.cache)
            .env("ZIG_LOCAL_CACHE_DIR", &self.cache);
        command
    }

    /// Returns zig's own cache of compiled files, its `ZIG_GLOBAL_CACHE_DIR`.
    pub fn cache(&self) -> &Path {
        &self.cache
    }
}

/// Returns zig from the cache, or downloads and unpacks it.
///
/// # Errors
/// If the wheel cannot be downloaded or unpacked.
pub fn provision(cache: &Cache, reporter: &Reporter) -> Result<Zig, Error> {
    let dir = cache.entry("tools", &key(), |dir| {
        let wheel = WHEEL.fetch(cache, reporter)?;
        let progress = reporter.start("unpacking zig");
        unpack(&wheel, dir)?;
        progress.finish();
        Ok::<_, Error>(())
    })?;
    Ok(at(cache, &dir))
}

fn key() -> Key {
    Key::new("zig")
        .field("version", VERSION)
        .field("wheels", WHEEL.sha256.join(","))
}

fn at(cache: &Cache, wheel: &Path) -> Zig {
    let dir = wheel.join("ziglang");
    Zig {
        exe: dir.join("zig"),
        cache: cache.root().join("zig-objects"),
        dir,
    }
}
