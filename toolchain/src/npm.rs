//! workerd, the runtime of Cloudflare Workers, as the npm packages that `npm/package-lock.json` pins.
//!
//! npm is their package manager: it checks the pinned hashes and picks the package of this machine. No install script runs.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::process::Command;

use crate::cache::{Cache, CacheError};
use crate::files::write;
use crate::key::Key;
use crate::reporter::Reporter;
use crate::step::{Step, StepError};

const MANIFEST: &str = include_str!("../npm/package.json");
const LOCK: &str = include_str!("../npm/package-lock.json");
/// Names a workerd that is to be used instead of the pinned one.
const OVERRIDE: &str = "PYMODE_WORKERD";

/// The version of workerd that is used everywhere.
pub const WORKERD_VERSION: &str = "1.20261117.1";

/// An error while providing workerd.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NpmError {
    /// The cache failed.
    #[error(transparent)]
    Cache(#[from] CacheError),
    /// npm is missing, or it could not have the packages.
    #[error(
        "{0}\n  hint: workerd comes from npm: install Node.js with npm, or set `{OVERRIDE}` to a workerd {WORKERD_VERSION}"
    )]
    Npm(#[source] StepError),
    /// No pinned package has a workerd for this machine.
    #[error(
        "no workerd is pinned for this machine ({}-{})\n  hint: set `{OVERRIDE}` to a workerd {WORKERD_VERSION} for it",
        std::env::consts::OS,
        std::env::consts::ARCH
    )]
    Platform,
    /// `PYMODE_WORKERD` names a file that cannot be used.
    #[error("cannot use `{}`, which `{OVERRIDE}` names: {source}", path.display())]
    Override {
        /// The path.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
}

/// A workerd that can be run.
#[derive(Clone, Debug)]
pub struct Workerd {
    /// The executable.
    pub exe: PathBuf,
}

/// workerd from the cache, or installed into it with `npm ci`; `PYMODE_WORKERD` overrides both.
///
/// # Errors
/// If npm is missing or fails, or if there is no workerd for this machine.
pub fn workerd(cache: &Cache, reporter: &Reporter) -> Result<Workerd, NpmError> {
    if let Some(path) = std::env::var_os(OVERRIDE)
        .filter(|path| !path.is_empty())
        .map(PathBuf::from)
    {
        return match fs::canonicalize(&path) {
            Ok(exe) => Ok(Workerd { exe }),
            Err(source) => Err(NpmError::Override { path, source }),
        };
    }
    let package = package().ok_or(NpmError::Platform)?;
    let dir = packages(cache, reporter)?;
    let exe = dir
        .join("node_modules/@cloudflare")
        .join(package)
        .join("bin/workerd");
    // The packages are optional ones, each for one platform: npm is content when none fits.
    if exe.is_file() {
        Ok(Workerd { exe })
    } else {
        Err(NpmError::Platform)
    }
}

/// The package of this machine, of those in `npm/package.json`.
fn package() -> Option<&'static str> {
    match (std::env::consts::OS, std::env::consts::ARCH) {
        ("linux", "x86_64") => Some("workerd-linux-64"),
        ("linux", "aarch64") => Some("workerd-linux-arm64"),
        _ => None,
    }
}

fn packages(cache: &Cache, reporter: &Reporter) -> Result<PathBuf, NpmError> {
    let key = Key::new("npm")
        .field("manifest", MANIFEST)
        .field("lock", LOCK)
        .field("platform", std::env::consts::ARCH);
    cache.entry("tools", &key, |dir| {
        write(&dir.join("package.json"), MANIFEST)?;
        write(&dir.join("package-lock.json"), LOCK)?;
        let mut npm = Command::new("npm");
        npm.args([
            "ci",
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
            "--no-update-notifier",
        ])
        .current_dir(dir);
        Step::run(
            reporter,
            "installing workerd",
            npm,
            &cache.root().join("logs/npm.log"),
        )
        .map_err(NpmError::Npm)
    })
}

#[cfg(test)]
mod tests {
    use super::{LOCK, MANIFEST, WORKERD_VERSION, package};

    #[test]
    fn the_version_is_the_one_that_is_pinned() {
        let manifest: serde_json::Value =
            serde_json::from_str(MANIFEST).expect("package.json is JSON");
        let packages = manifest["optionalDependencies"]
            .as_object()
            .expect("it has optionalDependencies");
        assert!(
            packages.values().all(|version| version == WORKERD_VERSION),
            "{packages:?}"
        );
        if let Some(package) = package() {
            assert!(packages.contains_key(&format!("@cloudflare/{package}")));
        }
    }

    #[test]
    fn every_package_is_locked_by_hash_and_none_by_address() {
        let lock: serde_json::Value =
            serde_json::from_str(LOCK).expect("package-lock.json is JSON");
        for (name, package) in lock["packages"].as_object().expect("it has packages") {
            assert!(
                package.get("resolved").is_none(),
                "`{name}` has an address: see .npmrc"
            );
            assert!(
                name.is_empty() || package["integrity"].is_string(),
                "`{name}` has no hash"
            );
        }
    }
}
