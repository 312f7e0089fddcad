//! uv: resolves requirements to files with addresses and hashes, and makes the environments that builds run in.

use std::path::PathBuf;
use std::process::Command;

use crate::Error;
use crate::archive::unpack;
use crate::cache::Cache;
use crate::key::Key;
use crate::pypi::PinnedWheel;
use crate::reporter::Reporter;

const WHEEL: PinnedWheel = PinnedWheel {
    name: "uv",
    version: "0.13.9",
    sha256: &[
        // Linux on x86-64 and on aarch64, macOS on aarch64 and on x86-64.
        "d7f459fe4fd247d830351c75686d3996ace3c6f3f728eb0e85a30b7ada0cef19",
        "5435c5ce14a56431208ca0996416d310f1598e8c2c8ba707688985a16bb82dbe",
        "66c512266d633bef48384a1f53003f41f2a8e7b36fe6e7fbfd3e0fd52d96fa63",
        "c16ed11e013557536b3e60065f1b912f6407bd6518e041b961e23ef9e6b4fbf5",
    ],
};

/// The version that is used everywhere.
pub const VERSION: &str = WHEEL.version;

/// An unpacked uv.
#[derive(Clone, Debug)]
pub struct Uv {
    /// The executable.
    pub exe: PathBuf,
    cache: PathBuf,
}

impl Uv {
    /// Returns a command for `uv` that uses our cache, the platform's certificates, and only the Pythons that it is given.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.exe);
        command
            .env("UV_CACHE_DIR", &self.cache)
            .env("UV_PYTHON_DOWNLOADS", "never")
            .env("UV_SYSTEM_CERTS", "true")
            .env("UV_NO_CONFIG", "1")
            .args(["--no-progress", "--color", "never"]);
        command
    }
}

/// uv from the cache, or downloaded and unpacked.
///
/// # Errors
/// If the wheel cannot be downloaded or unpacked.
pub fn provision(cache: &Cache, reporter: &Reporter) -> Result<Uv, Error> {
    let key = Key::new("uv")
        .field("version", VERSION)
        .field("wheels", WHEEL.sha256.join(","));
    let dir = cache.entry("tools", &key, |dir| {
        let wheel = WHEEL.fetch(cache, reporter)?;
        unpack(&wheel, dir).map_err(Error::from)
    })?;
    let exe = dir.join(format!("uv-{VERSION}.data/scripts/uv"));
    Ok(Uv {
        exe,
        cache: cache.root().join("uv"),
    })
}
