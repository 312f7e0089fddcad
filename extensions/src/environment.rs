//! The packages that a build runs with, in a directory of their own: its requirements and theirs.

use std::path::{Path, PathBuf};

use pymode_toolchain::{Cache, Key, Reporter, Step, StepError, uv};

use crate::error::Error;

/// Returns a directory with these requirements installed for the native Python.
///
/// The versions are chosen when the directory is created, once for each list of requirements.
pub(crate) fn provision(
    cache: &Cache,
    reporter: &Reporter,
    native: &Path,
    requirements: &[String],
) -> Result<PathBuf, Error> {
    let mut requirements = requirements.to_vec();
    requirements.sort();
    requirements.dedup();
    let mut key = Key::new("build-requirements")
        .field("native", native.to_string_lossy())
        .field("bytecode", "yes");
    for requirement in &requirements {
        key = key.field("requirement", requirement);
    }
    let dir = cache.entry("environments", &key, |dir| {
        let target = dir.join("packages");
        if requirements.is_empty() {
            std::fs::create_dir(&target)
                .map_err(pymode_toolchain::CacheError::io("create", &target))?;
            return Ok::<_, Error>(());
        }
        let uv = uv::provision(cache, reporter)?;
        let mut command = uv.command();
        command
            .args([
                "pip",
                "install",
                "--quiet",
                // Each hook of a build starts a new Python, which must not write into this directory.
                "--compile-bytecode",
                "--link-mode",
                "copy",
                "--python",
            ])
            .arg(native);
        command
            .arg("--target")
            .arg(&target)
            .arg("--")
            .args(&requirements);
        let title = format!("installing {}", requirements.join(", "));
        let log = cache.root().join("logs/requirements.log");
        match Step::run(reporter, &title, command, &log) {
            Err(StepError::Failed(failed)) => Err(Error::Uninstalled {
                requirements: requirements.join(", "),
                said: failed.tail,
            }),
            other => Ok(other?),
        }
    })?;
    Ok(dir.join("packages"))
}
