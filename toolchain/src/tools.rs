//! Tools of C builds that come as one wheel per platform: CMake, which builds C libraries, and pkgconf, which tells of them.

use std::path::PathBuf;

use crate::Error;
use crate::archive::unpack;
use crate::cache::Cache;
use crate::key::Key;
use crate::pypi::PinnedWheel;
use crate::reporter::Reporter;

const CMAKE: PinnedWheel = PinnedWheel {
    name: "cmake",
    version: "4.4.4",
    sha256: &[
        // Linux on x86-64 and on aarch64, macOS on both.
        "f773a0544c66370408f451acd487c2c643b0dfebb48c5d64f3638bc1bb820238",
        "b3029f586853e01ddf2824c1ff124a1c5284f8ae897994758e9c4eeb45903b58",
        "883962a72b1b3a16ff445427f24c8caca9797dd9e563bbe208cbcd89e877f9d3",
    ],
};

const PKGCONF: PinnedWheel = PinnedWheel {
    name: "pkgconf",
    version: "3.0.7.post0",
    sha256: &[
        // Linux on x86-64 and on aarch64, macOS on aarch64 and on x86-64.
        "bd3ee4b5294a888d58462324cb83b7c0bc7150cc15b64b36aaf983e4b0ab90d5",
        "4ece8d4e650ee172ddadff762ad31a590a4d91a070806aee09eb92a89e67f559",
        "47cbf6889d84297b9a4e1741ae016daa4e198f3ec8bab7ce74554cc50b77cce4",
        "3a688f02e12602b4a2be79d9a54ed598d5c44fc2fe042a7501aae53054e4688d",
    ],
};

/// CMake's executable, from the cache, or downloaded and unpacked.
///
/// # Errors
/// If the wheel cannot be downloaded or unpacked.
pub fn cmake(cache: &Cache, reporter: &Reporter) -> Result<PathBuf, Error> {
    Ok(provision(cache, reporter, &CMAKE)?.join("cmake/data/bin/cmake"))
}

/// The executable of pkgconf, a `pkg-config`, from the cache, or downloaded and unpacked.
///
/// # Errors
/// If the wheel cannot be downloaded or unpacked.
pub fn pkgconf(cache: &Cache, reporter: &Reporter) -> Result<PathBuf, Error> {
    Ok(provision(cache, reporter, &PKGCONF)?.join("pkgconf/.bin/pkgconf"))
}

fn provision(cache: &Cache, reporter: &Reporter, wheel: &PinnedWheel) -> Result<PathBuf, Error> {
    let key = Key::new(wheel.name)
        .field("version", wheel.version)
        .field("wheels", wheel.sha256.join(","));
    cache.entry("tools", &key, |dir| {
        let file = wheel.fetch(cache, reporter)?;
        unpack(&file, dir).map_err(Error::from)
    })
}
