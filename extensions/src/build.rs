//! The build: a specification in, a checked wheel out, each step in the cache.

use std::fs;
use std::path::{Path, PathBuf};

use pymode_toolchain::{Cache, CacheError, Key, Sha256Hex, Step, StepError, Talk, cc, download};

use crate::check::{check_wheel, provided};
use crate::cross::{Cross, Target};
use crate::diagnosis;
use crate::environment;
use crate::error::Error;
use crate::finish::finish;
use crate::lock::{Artifact, Locked, Reach, lock};
use crate::project::Backend;
use crate::recipe::Recipe;
use crate::sdist;
use crate::spec::{ProjectName, Spec, Version};
use crate::wheel::Wheel;

const BACKEND: &str = include_str!("../helpers/backend.py");

/// Whether the directory that a package is built in stays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Keep {
    /// It is deleted.
    #[default]
    No,
    /// It stays, and its path is told.
    Yes,
}

/// Builds packages for the guest.
#[derive(Clone, Debug)]
pub struct Builder<'a> {
    pub(crate) cache: &'a Cache,
    pub(crate) talk: &'a Talk,
    pub(crate) target: Target,
    driver: PathBuf,
    keep: Keep,
}

/// Where a package's source is, known well enough to name what is built from it.
#[derive(Clone, Debug)]
enum Origin {
    /// An sdist of the index; its address is looked up when it is needed.
    Index(Artifact),
    /// The same, of which only the hash is known yet.
    Pinned(ProjectName, Version, Sha256Hex),
    Sdist(PathBuf, Sha256Hex),
    Tree(PathBuf, Key),
}

/// A package that is to be built.
struct Job {
    /// How it is called in messages and logs.
    what: String,
    origin: Origin,
    recipe: Option<Recipe>,
}

impl<'a> Builder<'a> {
    /// A builder for a Python. `driver` is a program that is `pymode cc` when called with the arguments `cc …`.
    pub fn new(cache: &'a Cache, talk: &'a Talk, target: Target, driver: &Path) -> Self {
        Self {
            cache,
            talk,
            target,
            driver: driver.to_path_buf(),
            keep: Keep::No,
        }
    }

    /// The same, keeping build directories or not.
    #[must_use]
    pub fn keep(mut self, keep: Keep) -> Self {
        self.keep = keep;
        self
    }

    /// The wheel of a specification: from the cache, or built now. A wheel is given back as it is, checked.
    ///
    /// # Errors
    /// When the source cannot be had, the backend or a compiler fails, or the result would not load.
    pub fn build(&self, spec: &Spec) -> Result<Wheel, Error> {
        match self.job(spec)? {
            Some(job) => self.run(&job),
            None => {
                let Spec::Wheel(path) = spec else {
                    unreachable!("all else is a job")
                };
                let wheel = Wheel::at(path)?;
                self.require_well(&wheel.file(), &wheel)?;
                Ok(wheel)
            }
        }
    }

    /// The wheel of a package that was resolved: plain Python as it is published, all else built.
    pub(crate) fn wheel_of(&self, locked: &Locked) -> Result<Wheel, Error> {
        let recipe = Recipe::find(&locked.name)?.filter(|recipe| recipe.version == locked.version);
        let is_pure = |artifact: &&Artifact| {
            crate::wheel::WheelName::parse(&artifact.file).is_ok_and(|name| name.is_pure())
        };
        let pure = locked.wheels.iter().find(is_pure);
        // A project that publishes wheels for single platforms has C code, even if it publishes a plain one as well.
        let has_native = locked.wheels.iter().any(|artifact| !is_pure(&artifact));
        match (pure, &locked.sdist) {
            (Some(pure), sdist) if recipe.is_none() && (!has_native || sdist.is_none()) => {
                let path = download(
                    self.cache,
                    self.talk,
                    &pure.file,
                    std::slice::from_ref(&pure.source),
                    &pure.sha256,
                )?;
                Ok(Wheel::at(&path)?)
            }
            (_, Some(sdist)) => {
                let what = format!("{} {}", locked.name, locked.version);
                require_pinned(recipe.as_ref(), &locked.name, &locked.version, sdist)?;
                self.run(&Job {
                    what,
                    origin: Origin::Index(sdist.clone()),
                    recipe,
                })
            }
            (_, None) => Err(no_sdist(locked)),
        }
    }

    /// The source tree of a specification, in a directory that is the caller's to fill; with the recipe, if there is one.
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

    fn job(&self, spec: &Spec) -> Result<Option<Job>, Error> {
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
            let locked = self.lookup(name, version)?;
            let sdist = locked.sdist.clone().ok_or_else(|| no_sdist(&locked))?;
            Ok(Job {
                what: format!("{name} {}", locked.version),
                origin: Origin::Index(sdist),
                recipe,
            })
        };
        Ok(Some(match spec {
            Spec::Project(name) => index(name, None)?,
            Spec::Exact(name, version) => index(name, Some(version))?,
            Spec::Sdist(path) => {
                let sha256 = Sha256Hex::of_file(path).map_err(CacheError::io("read", path))?;
                let file = path
                    .file_name()
                    .map(|name| name.to_string_lossy().into_owned())
                    .unwrap_or_default();
                let recipe = match sdist::named(&file) {
                    Some((name, _)) => Recipe::find(&name)?,
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

    fn lookup(&self, name: &ProjectName, version: Option<&Version>) -> Result<Locked, Error> {
        let requirement = match version {
            Some(version) => format!("{name}=={version}"),
            None => name.to_string(),
        };
        let locked = lock(
            self.cache,
            self.talk,
            &self.target.native,
            &[requirement],
            Reach::Alone,
        )?;
        let found = locked.into_iter().find(|locked| locked.name == *name);
        found.ok_or_else(|| Error::Lock {
            reason: format!("it does not contain `{name}`"),
        })
    }

    fn run(&self, job: &Job) -> Result<Wheel, Error> {
        let mut key = Key::new(&job.what.replace(' ', "-"))
            .key("target", &self.target.key())
            .key("cc", &cc::key())
            .field("backend", BACKEND)
            .field("recipe", include_str!("build.rs"))
            .field("finish", include_str!("finish.rs"));
        key = match &job.origin {
            Origin::Index(Artifact { sha256, .. })
            | Origin::Pinned(_, _, sha256)
            | Origin::Sdist(_, sha256) => key.field("sdist", sha256.as_str()),
            Origin::Tree(_, tree) => key.key("tree", tree),
        };
        if let Some(recipe) = &job.recipe {
            key = key.field("package recipe", recipe.text);
        }
        let dir = self.cache.entry("wheels", &key, |dir| {
            let work = match self.keep {
                Keep::No => dir.join("work"),
                Keep::Yes => self.cache.root().join("kept").join(key.hex()),
            };
            if self.keep == Keep::Yes {
                remove(&work)?;
                self.talk
                    .note(&format!("building {} in `{}`", job.what, work.display()));
            }
            self.make(job, &work, dir)?;
            if self.keep == Keep::No {
                remove(&work)?;
            }
            Ok::<_, Error>(())
        })?;
        only_wheel(&dir)
    }

    /// Builds in `work`, which must not exist; the wheel is put into `into` when all is well with it.
    fn make(&self, job: &Job, work: &Path, into: &Path) -> Result<(), Error> {
        let out = work.join("out");
        fs::create_dir_all(&out).map_err(CacheError::io("create", &out))?;
        let tree = self.unpack(job, &work.join("source"))?;
        let backend = Backend::of(&tree)?;
        let cross = Cross::provision(self.cache, &self.target, &self.driver)?;

        let mut requires = backend.requires.clone();
        let mut packages =
            environment::provision(self.cache, self.talk, &self.target.native, &requires)?;
        let more: Vec<String> =
            self.hook(job, &backend, &cross, &packages, &tree, work, "requires")?;
        if !more.is_empty() {
            requires.extend(more);
            packages =
                environment::provision(self.cache, self.talk, &self.target.native, &requires)?;
        }
        let file: String = self.hook(job, &backend, &cross, &packages, &tree, work, "wheel")?;
        let path = out.join(Path::new(&file).file_name().unwrap_or_default());
        let finished = work.join("finished");
        fs::create_dir(&finished).map_err(CacheError::io("create", &finished))?;
        let wheel = finish(&Wheel::at(&path)?, &finished)?;
        self.require_modules(job, &wheel, work)?;
        self.require_well(&job.what, &wheel)?;
        let target = into.join(wheel.file());
        fs::copy(&wheel.path, &target).map_err(CacheError::io("write", &target))?;
        Ok(())
    }

    fn unpack(&self, job: &Job, into: &Path) -> Result<PathBuf, Error> {
        fs::create_dir_all(into).map_err(CacheError::io("create", into))?;
        match &job.origin {
            Origin::Index(sdist) => sdist::unpack_sdist(&self.fetch(sdist)?, into),
            Origin::Pinned(name, version, _) => {
                let locked = self.lookup(name, Some(version))?;
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
            self.talk,
            &sdist.file,
            std::slice::from_ref(&sdist.source),
            &sdist.sha256,
        )?)
    }

    /// Calls a hook of the backend; what it gives back.
    #[expect(
        clippy::too_many_arguments,
        reason = "each is another thing, and they are together only here"
    )]
    fn hook<T: serde::de::DeserializeOwned>(
        &self,
        job: &Job,
        backend: &Backend,
        cross: &Cross,
        packages: &Path,
        tree: &Path,
        work: &Path,
        hook: &str,
    ) -> Result<T, Error> {
        let helper = work.join("backend.py");
        fs::write(&helper, BACKEND).map_err(CacheError::io("write", &helper))?;
        let result = work.join(format!("{hook}.json"));
        let mut python = cross.python(packages);
        python
            .arg(&helper)
            .arg(hook)
            .arg(&result)
            .arg(&backend.object)
            .arg(work.join("out"))
            .args(&backend.paths);
        python.current_dir(tree).env(cc::FAILURE, failure(work));
        if let Some(recipe) = &job.recipe {
            python.envs(&recipe.env);
        }
        let title = match hook {
            "requires" => format!("asking what building {} requires", job.what),
            _ => format!("building {}", job.what),
        };
        let log = self
            .cache
            .root()
            .join("logs")
            .join(format!("{}-{hook}.log", job.what.replace([' ', '/'], "-")));
        // The question is quick and its answer rarely worth a line.
        let talk = if hook == "requires" {
            &Talk::quiet()
        } else {
            self.talk
        };
        Step::run(talk, &title, python, &log).map_err(|e| self.explained(job, work, e))?;
        let text = fs::read_to_string(&result).map_err(CacheError::io("read", &result))?;
        serde_json::from_str(&text).map_err(|e| Error::Build {
            what: job.what.clone(),
            reason: format!("  the backend's answer to `{hook}` is not understood: {e}"),
        })
    }

    /// A failed backend: the compiler's words where a compiler failed, else the end of the log.
    fn explained(&self, job: &Job, work: &Path, error: StepError) -> Error {
        let (StepError::Failed(failed), Some(said)) =
            (&error, diagnosis::of_compiler(&failure(work)))
        else {
            return error.into();
        };
        let reason = format!("{said}\n  log: {}", failed.log.display());
        Error::Build {
            what: job.what.clone(),
            reason,
        }
    }

    /// That it can be installed and will load.
    fn require_well(&self, what: &str, wheel: &Wheel) -> Result<(), Error> {
        wheel.name.require_usable(&wheel.file())?;
        let mut reports = check_wheel(wheel, &|name| provided(self.cache, self.talk, name))?;
        reports.retain(|report| !report.is_well());
        if reports.is_empty() {
            Ok(())
        } else {
            Err(Error::Check {
                what: what.to_owned(),
                reports,
            })
        }
    }

    /// That the extension modules which the recipe names are there: some packages go on without them.
    fn require_modules(&self, job: &Job, wheel: &Wheel, work: &Path) -> Result<(), Error> {
        let Some(recipe) = &job.recipe else {
            return Ok(());
        };
        let there = wheel.side_modules()?;
        let missing: Vec<String> = recipe
            .modules
            .iter()
            .filter(|module| {
                !there.contains_key(&format!(
                    "{}{}",
                    module.replace('.', "/"),
                    pymode_abi::EXT_SUFFIX
                ))
            })
            .cloned()
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        let reason = diagnosis::of_compiler(&failure(work)).unwrap_or_default();
        Err(Error::NoModules {
            what: job.what.clone(),
            missing,
            reason,
        })
    }
}

/// Where `pymode cc` notes its last failure.
fn failure(work: &Path) -> PathBuf {
    work.join("failure.txt")
}

fn no_sdist(locked: &Locked) -> Error {
    Error::NoSdist {
        name: locked.name.to_string(),
        version: locked.version.to_string(),
    }
}

fn require_pinned(
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

fn only_wheel(dir: &Path) -> Result<Wheel, Error> {
    for entry in fs::read_dir(dir).map_err(CacheError::io("read", dir))? {
        let path = entry.map_err(CacheError::io("read", dir))?.path();
        if path.extension().is_some_and(|ext| ext == "whl") {
            return Ok(Wheel::at(&path)?);
        }
    }
    let missing = std::io::Error::new(
        std::io::ErrorKind::NotFound,
        "there is no wheel in it; delete it",
    );
    Err(CacheError::io("use the cached build", dir)(missing).into())
}

fn remove(dir: &Path) -> Result<(), CacheError> {
    match fs::remove_dir_all(dir) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(CacheError::io("delete", dir)(e)),
        _ => Ok(()),
    }
}
