//! Site directories: wheels unpacked, compiled, and cached by content.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use pymode_toolchain::archive::unpack;
use pymode_toolchain::{CacheError, Key, Reporter, Sha256Hex, Step};

use crate::SOURCES;
use crate::build::Builder;
use crate::error::Error;
use crate::lock::{Reach, lock};
use crate::marker;
use crate::name::ProjectName;
use crate::recipe::Recipe;
use crate::spec::Spec;
use crate::wheel::{Wheel, WheelError};

impl Builder<'_> {
    /// Returns the directories that make the specifications and all their dependencies importable, in order.
    ///
    /// Pure Python wheels are used as published, everything else is built. The directories are shared and read-only.
    ///
    /// # Errors
    /// When the requirements have no solution, or a package is not available or cannot be built or installed.
    pub fn site(&self, specs: &[Spec]) -> Result<Vec<PathBuf>, Error> {
        let mut wheels = Vec::new();
        let mut here = BTreeSet::new();
        let mut requirements = Vec::new();
        for spec in specs {
            match spec {
                Spec::Project(name) => requirements.push(match Recipe::find(name)? {
                    Some(recipe) => format!("{name}=={}", recipe.version),
                    None => name.to_string(),
                }),
                Spec::Fitting(requirement) => requirements.push(requirement.as_str().to_owned()),
                Spec::Exact(name, version) => requirements.push(format!("{name}=={version}")),
                Spec::Sdist(_) | Spec::Tree(_) | Spec::Wheel(_) => {
                    let wheel = self.build(spec)?;
                    requirements.extend(requirements_of(&wheel)?);
                    here.insert(wheel.name.name.clone());
                    wheels.push(wheel);
                }
            }
        }
        let mut dirs = wheels
            .iter()
            .map(|wheel| self.install(wheel))
            .collect::<Result<Vec<_>, _>>()?;
        dirs.extend(self.site_of_requirements(&requirements, &here)?);
        Ok(dirs)
    }

    /// Like [`site`](Self::site), for requirements as in metadata, such as `jinja2>=3; python_version > "3.8"`.
    ///
    /// # Errors
    /// As [`site`](Self::site).
    pub fn site_of(&self, requirements: &[String]) -> Result<Vec<PathBuf>, Error> {
        self.site_of_requirements(requirements, &BTreeSet::new())
    }

    /// Like [`site_of`](Self::site_of), without the projects in `but`.
    pub(crate) fn site_of_requirements(
        &self,
        requirements: &[String],
        but: &BTreeSet<ProjectName>,
    ) -> Result<Vec<PathBuf>, Error> {
        if requirements.is_empty() {
            return Ok(Vec::new());
        }
        let locked = lock(
            self.cache,
            self.reporter,
            &self.target.native,
            requirements,
            Reach::Closure,
        )?;
        let wanted = locked.iter().filter(|locked| !but.contains(&locked.name));
        wanted
            .map(|locked| self.install(&self.wheel_of(locked)?))
            .collect()
    }

    pub(crate) fn install(&self, wheel: &Wheel) -> Result<PathBuf, Error> {
        let in_cache = wheel.path.starts_with(self.cache.root());
        let mut key = Key::new(&wheel.file().replace(".whl", ""))
            .field("native", self.target.native.to_string_lossy())
            .field("sources", SOURCES);
        key = if in_cache {
            // A file in the cache has a path that depends on its content, and a path is faster to hash.
            key.field("path", wheel.path.to_string_lossy())
        } else {
            let digest =
                Sha256Hex::of_file(&wheel.path).map_err(CacheError::io("read", &wheel.path))?;
            key.field("sha256", digest.as_str())
        };
        let dir = self.cache.entry("sites", &key, |dir| {
            let site = dir.join("site");
            fs::create_dir(&site).map_err(CacheError::io("create", &site))?;
            unpack(&wheel.path, &site)?;
            spread_data(&site)?;
            self.compile(&site)
        })?;
        Ok(dir.join("site"))
    }

    /// Compiles each source to bytecode that Python does not compare with it.
    fn compile(&self, site: &Path) -> Result<(), Error> {
        let mut python = Command::new(&self.target.native);
        python.env_clear().env("PYTHONHASHSEED", "0");
        python
            .args([
                "-I",
                "-m",
                "compileall",
                "-q",
                "--invalidation-mode",
                "unchecked-hash",
                "-s",
            ])
            .arg(site)
            .arg(site);
        let log = self.cache.root().join("logs/compileall.log");
        // A package may contain files that are not valid for this Python, such as templates: they stay without bytecode.
        match Step::run(&Reporter::quiet(), "compiling Python modules", python, &log) {
            Ok(()) | Err(pymode_toolchain::StepError::Failed(_)) => Ok(()),
            Err(e) => Err(e.into()),
        }
    }
}

/// Moves `NAME.data/purelib` and `platlib` to where they are imported from. The guest does not use scripts and headers.
fn spread_data(site: &Path) -> Result<(), Error> {
    for entry in fs::read_dir(site).map_err(CacheError::io("read", site))? {
        let data = entry.map_err(CacheError::io("read", site))?.path();
        if data.extension().is_none_or(|ext| ext != "data") || !data.is_dir() {
            continue;
        }
        for part in ["purelib", "platlib"] {
            let from = data.join(part);
            if from.is_dir() {
                merge(&from, site)?;
            }
        }
        fs::remove_dir_all(&data).map_err(CacheError::io("delete", &data))?;
    }
    Ok(())
}

fn merge(from: &Path, into: &Path) -> Result<(), Error> {
    for entry in fs::read_dir(from).map_err(CacheError::io("read", from))? {
        let path = entry.map_err(CacheError::io("read", from))?.path();
        let target = into.join(path.file_name().unwrap_or_default());
        if path.is_dir() && target.is_dir() {
            merge(&path, &target)?;
        } else {
            fs::rename(&path, &target).map_err(CacheError::io("move", &path))?;
        }
    }
    Ok(())
}

/// The requirements of a wheel in the guest, without extras.
fn requirements_of(wheel: &Wheel) -> Result<Vec<String>, Error> {
    let metadata = wheel.metadata()?;
    let mut requirements = Vec::new();
    // Headers end at the first empty line; the description follows.
    for line in metadata.lines().take_while(|line| !line.is_empty()) {
        let Some(requirement) = line.strip_prefix("Requires-Dist:") else {
            continue;
        };
        let (requirement, marker) = match requirement.split_once(';') {
            Some((requirement, marker)) => (requirement, Some(marker)),
            None => (requirement, None),
        };
        let holds = match marker {
            Some(marker) => marker::holds(marker).map_err(|e| WheelError::Damaged {
                path: wheel.path.clone(),
                reason: e.to_string(),
            })?,
            None => true,
        };
        if holds {
            requirements.push(requirement.trim().to_owned());
        }
    }
    Ok(requirements)
}
