//! Dependencies of a project: added, removed, locked and built. Changes are atomic: files are written last, all or none.

use std::fs;
use std::path::{Path, PathBuf};

use pymode_toolchain::CacheError;

use crate::build::Builder;
use crate::error::Error;
use crate::lock::{Reach, resolve};
use crate::name::ProjectName;
use crate::pylock::Pylock;
use crate::pyproject::Project;
use crate::requirement::Requirement;

/// Preferred versions of a new lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prefer {
    /// Those of the existing lock, as far as they still fit.
    Locked,
    /// The newest that fit.
    Newest,
}

impl Builder<'_> {
    /// Adds requirements to a project, locks it, and builds its dependencies. A requirement without a version becomes one
    /// for the resolved version or later.
    ///
    /// # Errors
    /// When there is no solution or a package cannot be built. `pyproject.toml` and the lock stay unchanged.
    pub fn add(&self, project: Project, requirements: &[Requirement]) -> Result<Project, Error> {
        let mut changed = project.clone();
        for requirement in requirements {
            changed = changed.with(requirement.clone());
        }
        let lock = self.resolved(&changed, &project, Prefer::Locked)?;
        for requirement in requirements
            .iter()
            .filter(|requirement| requirement.is_bare())
        {
            let found = lock
                .packages
                .iter()
                .find(|found| found.name == *requirement.name());
            if let Some(found) = found {
                let version = found.version.without_local();
                changed = changed.with(format!("{}>={version}", requirement.as_str()).parse()?);
            }
        }
        let lock = lock.made_for(&changed)?;
        self.sites_of(&lock)?;
        write_all(&[changed.file(), (Pylock::path(&changed), lock.text)])?;
        Ok(changed)
    }

    /// Removes packages from a project's requirements and locks it.
    ///
    /// # Errors
    /// When a package is not a dependency or there is no solution. The files stay unchanged.
    pub fn remove(&self, project: Project, names: &[ProjectName]) -> Result<Project, Error> {
        let mut changed = project.clone();
        for name in names {
            changed = changed.without(name).ok_or_else(|| Error::NotRequired {
                name: name.to_string(),
                dir: project.dir().to_path_buf(),
            })?;
        }
        let lock = self.resolved(&changed, &project, Prefer::Locked)?;
        write_all(&[changed.file(), (Pylock::path(&changed), lock.text)])?;
        Ok(changed)
    }

    /// Creates a project's lock, or renews it when it is out of date or newer versions are wanted. Returns `true` if it wrote one.
    ///
    /// # Errors
    /// When there is no solution. The lock stays unchanged.
    pub fn lock(&self, project: &Project, prefer: Prefer) -> Result<bool, Error> {
        let there = Pylock::read(project)?;
        if prefer == Prefer::Locked
            && there
                .as_ref()
                .is_some_and(|lock| lock.is_for(project.requirements()))
        {
            return Ok(false);
        }
        let lock = self.resolved(project, project, prefer)?;
        if there.is_some_and(|there| there.text == lock.text) {
            return Ok(false);
        }
        write_all(&[(Pylock::path(project), lock.text)])?;
        Ok(true)
    }

    /// Returns the directories that make a project's dependencies importable, as locked: pure Python wheels as published,
    /// everything else built, each file checked against its hash. They are shared and read-only.
    ///
    /// # Errors
    /// When the lock is missing or out of date, or a package is not available or cannot be built.
    pub fn project_site(&self, project: &Project) -> Result<Vec<PathBuf>, Error> {
        if project.requirements().is_empty() {
            return Ok(Vec::new());
        }
        match Pylock::read(project)? {
            Some(lock) if lock.is_for(project.requirements()) => self.sites_of(&lock),
            there => Err(Error::Unlocked {
                path: Pylock::path(project),
                there: there.is_some(),
            }),
        }
    }

    fn sites_of(&self, lock: &Pylock) -> Result<Vec<PathBuf>, Error> {
        lock.packages
            .iter()
            .map(|locked| self.install(&self.wheel_of(locked)?))
            .collect()
    }

    /// Resolves a lock for `project`, preferring the versions of the lock of `before` or not.
    fn resolved(
        &self,
        project: &Project,
        before: &Project,
        prefer: Prefer,
    ) -> Result<Pylock, Error> {
        let previous = match prefer {
            Prefer::Locked => Pylock::read(before)?,
            Prefer::Newest => None,
        };
        let requirements: Vec<String> = project
            .requirements()
            .iter()
            .map(|requirement| requirement.as_str().to_owned())
            .collect();
        let answer = resolve(
            self.cache,
            self.reporter,
            &self.target.native,
            &requirements,
            Reach::Closure,
            previous.as_ref().map(|lock| lock.text.as_str()),
        )?;
        Pylock::new(project, &answer)
    }
}

/// Writes files, all or none: first each beside its target, then renames each. If a rename fails, restores the old files.
fn write_all(files: &[(PathBuf, String)]) -> Result<(), Error> {
    let beside = |path: &Path| path.with_extension("toml.new");
    let result = (|| {
        for (path, text) in files {
            let new = beside(path);
            fs::write(&new, text).map_err(CacheError::io("write", &new))?;
        }
        let mut undo: Vec<(&Path, Option<Vec<u8>>)> = Vec::new();
        for (path, _) in files {
            let old = fs::read(path).ok();
            if let Err(e) = fs::rename(beside(path), path) {
                for (path, old) in undo {
                    // Best effort: the first error is the one to report.
                    let _ = match old {
                        Some(old) => fs::write(path, old),
                        None => fs::remove_file(path),
                    };
                }
                return Err(CacheError::io("write", path)(e));
            }
            undo.push((path, old));
        }
        Ok(())
    })();
    if result.is_err() {
        for (path, _) in files {
            let _ = fs::remove_file(beside(path));
        }
    }
    Ok(result?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_written_all_or_none() {
        let dir = tempfile::tempdir().expect("a directory");
        let (a, b) = (dir.path().join("a.toml"), dir.path().join("b.toml"));
        fs::write(&a, "old").expect("written");
        fs::create_dir_all(b.join("in the way")).expect("made");
        let files = [(a.clone(), "new".to_owned()), (b.clone(), "new".to_owned())];
        assert!(write_all(&files).is_err());
        assert_eq!(fs::read_to_string(&a).expect("read"), "old");
        assert_eq!(
            fs::read_dir(dir.path()).expect("read").count(),
            2,
            "nothing is left"
        );
        fs::remove_dir_all(&b).expect("removed");
        write_all(&files).expect("nothing is in the way");
        assert_eq!(fs::read_to_string(&b).expect("read"), "new");
    }
}
