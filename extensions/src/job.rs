//! Build jobs: from a specification to a pinned source and its tree.

use std::fs;
use std::path::{Path, PathBuf};

use pymode_toolchain::{CacheError, Key, Sha256Hex, download};

use crate::build::Builder;
use crate::error::Error;
use crate::lock::{Artifact, Locked, Reach, lock};
use crate::name::ProjectName;
use crate::recipe::Recipe;
use crate::sdist;
use crate::spec::Spec;
use crate::version::Version;

/// The source of a package, known well enough to identify the result.
#[derive(Clone, Debug)]
pub(crate) enum Origin {
    /// An sdist of the index. Its address is looked up when it is needed.
    Index(Artifact),
    /// An sdist of the index of which only the hash is known.
    Pinned(ProjectName, Version, Sha256Hex),
    Sdist(PathBuf, Sha256Hex),
    Tree(PathBuf, Key),
}

/// A package to build.
pub(crate) struct Job {
    /// Name in messages and logs.
    pub(crate) what: String,
    pub(crate) origin: Origin,
    pub(crate) recipe: Option<Recipe>,
}

impl Job {
    /// The key of the job's inputs.
    pub(crate) fn key(&self) -> Key {
        let mut key = Key::new("job");
        key = match &self.origin {
            Origin::Index(Artifact { sha256, .. })
            | Origin::Pinned(_, _, sha256)
            | Origin::Sdist(_, sha256) => key.field("sdist", sha256.as_str()),
            Origin::Tree(_, tree) => key.key("tree", tree),
        };
        match &self.recipe {
            Some(recipe) => key.key("recipe", &recipe.build_key()),
            None => key,
        }
    }
}

impl Builder<'_> {
    /// Unpacks the source tree of a specification into a directory. Returns it with its recipe, if there is one.
    pub(crate) fn source(
        &self,
        spec: &Spec,
        into: &Path,
    ) -> Result<(PathBuf, Option<Recipe>), Error> {
        let job = self.job(spec)?.ok_or_else(|| Error::NoTests {
            what: spec.to_string(),
        })?;
        let tree = self.unpack(&job, into)?;
        Ok((tree, job.recipe))
    }

    /// The job of a specification. `None` for a wheel.
    pub(crate) fn job(&self, spec: &Spec) -> Result<Option<Job>, Error> {
        let index = |name: &ProjectName, version: Option<&Version>| -> Result<Job, Error> {
            let recipe = Recipe::find(name)?;
            if let Some(recipe) = &recipe
                && version.is_none_or(|version| *version == recipe.version)
            {
                let origin =
                    Origin::Pinned(name.clone(), recipe.version.clone(), recipe.sha256.clone());
                return Ok(Job {
                    what: format!("{name} {}", recipe.version),
                    origin,
                    recipe: Some(recipe.clone()),
                });
            }
            let locked = self.lookup(name, &wanted(name, version))?;
            let sdist = locked.sdist.clone().ok_or_else(|| no_sdist(&locked))?;
            Ok(Job {
                what: format!("{name} {}", locked.version),
                origin: Origin::Index(sdist),
                recipe: recipe.map(|recipe| recipe.for_version(&locked.version)),
            })
        };
        Ok(Some(match spec {
            Spec::Project(name) => index(name, None)?,
            Spec::Exact(name, version) => index(name, Some(version))?,
            Spec::Fitting(requirement) => {
                let name = requirement.name();
                let locked = self.lookup(name, requirement.as_str())?;
                self.reporter.println(&format!(
                    "{}: {name} {}",
                    requirement.as_str(),
                    locked.version
                ));
                index(name, Some(&locked.version))?
            }
            Spec::Sdist(path) => {
                let sha256 = Sha256Hex::of_file(path).map_err(CacheError::io("read", path))?;
                let file = path
                    .file_name()
                    .map(|name| name.to_string_lossy().into_owned())
                    .unwrap_or_default();
                let recipe = match sdist::named(&file) {
                    Some((name, version)) => {
                        Recipe::find(&name)?.map(|recipe| recipe.for_version(&version))
                    }
                    None => None,
                };
                Job {
                    what: file,
                    origin: Origin::Sdist(path.clone(), sha256),
                    recipe,
                }
            }
            Spec::Tree(path) => {
                let path = fs::canonicalize(path).map_err(CacheError::io("open", path))?;
                let what = path
                    .file_name()
                    .map(|name| name.to_string_lossy().into_owned())
                    .unwrap_or_default();
                let key = sdist::tree_key(&path)?;
                Job {
                    what,
                    origin: Origin::Tree(path, key),
                    recipe: None,
                }
            }
            Spec::Wheel(_) => return Ok(None),
        }))
    }

    /// The newest version of a project that fits a requirement.
    fn lookup(&self, name: &ProjectName, requirement: &str) -> Result<Locked, Error> {
        let locked = lock(
            self.cache,
            self.reporter,
            &self.target.native,
            &[requirement.to_owned()],
            Reach::Alone,
        )?;
        let found = locked.into_iter().find(|locked| locked.name == *name);
        found.ok_or_else(|| Error::Lock {
            reason: format!("`{name}` is missing"),
        })
    }

    /// Unpacks the job's source tree below a directory. Returns its root.
    pub(crate) fn unpack(&self, job: &Job, into: &Path) -> Result<PathBuf, Error> {
        fs::create_dir_all(into).map_err(CacheError::io("create", into))?;
        match &job.origin {
            Origin::Index(sdist) => sdist::unpack_sdist(&self.fetch(sdist)?, into),
            Origin::Pinned(name, version, _) => {
                let locked = self.lookup(name, &wanted(name, Some(version)))?;
                let sdist = locked.sdist.as_ref().ok_or_else(|| no_sdist(&locked))?;
                require_pinned(job.recipe.as_ref(), name, version, sdist)?;
                sdist::unpack_sdist(&self.fetch(sdist)?, into)
            }
            Origin::Sdist(path, _) => sdist::unpack_sdist(path, into),
            Origin::Tree(path, _) => {
                sdist::copy_tree(path, into, &[])?;
                Ok(into.to_path_buf())
            }
        }
    }

    fn fetch(&self, sdist: &Artifact) -> Result<PathBuf, Error> {
        Ok(download(
            self.cache,
            self.reporter,
            &sdist.file,
            std::slice::from_ref(&sdist.source),
            &sdist.sha256,
        )?)
    }
}

/// The requirement for one version of a project, or for any.
fn wanted(name: &ProjectName, version: Option<&Version>) -> String {
    match version {
        Some(version) => format!("{name}=={version}"),
        None => name.to_string(),
    }
}

pub(crate) fn no_sdist(locked: &Locked) -> Error {
    Error::NoSdist {
        name: locked.name.to_string(),
        version: locked.version.to_string(),
    }
}

/// Fails unless the index has the very file that the recipe names.
pub(crate) fn require_pinned(
    recipe: Option<&Recipe>,
    name: &ProjectName,
    version: &Version,
    sdist: &Artifact,
) -> Result<(), Error> {
    match recipe {
        Some(recipe) if recipe.version == *version && recipe.sha256 != sdist.sha256 => {
            Err(Error::OtherSdist {
                name: name.to_string(),
                version: version.to_string(),
                found: sdist.sha256.to_string(),
                wanted: recipe.sha256.to_string(),
            })
        }
        _ => Ok(()),
    }
}
