//! Builds wheels: a specification in, a checked wheel out, each step in the cache.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use pymode_toolchain::cache::Lock;
use pymode_toolchain::{Cache, CacheError, Key, Reporter, cc, download, rust};

use crate::SOURCES;
use crate::check::{check_wheel, provided};
use crate::cross::{Cross, Target, needs_rust};
use crate::environment;
use crate::error::Error;
use crate::finish::finish;
use crate::hook::Frontend;
use crate::job::{Job, Origin, no_sdist, require_pinned};
use crate::library::{self, Library};
use crate::lock::{Artifact, Locked};
use crate::project::Backend;
use crate::recipe::Recipe;
use crate::spec::Spec;
use crate::suite::TIME;
use crate::wheel::{Wheel, WheelName};

/// Keep or delete the directory that a package is built in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Keep {
    /// Delete it.
    #[default]
    No,
    /// Keep it and report its path.
    Yes,
}

/// Builds packages for the guest.
#[derive(Clone, Debug)]
pub struct Builder<'a> {
    pub(crate) cache: &'a Cache,
    pub(crate) reporter: &'a Reporter,
    pub(crate) target: Target,
    driver: PathBuf,
    keep: Keep,
}

impl<'a> Builder<'a> {
    /// Creates a builder for a Python. `driver` is a program that acts as `pymode cc` when called with the arguments `cc …`.
    pub fn new(cache: &'a Cache, reporter: &'a Reporter, target: Target, driver: &Path) -> Self {
        Self {
            cache,
            reporter,
            target,
            driver: driver.to_path_buf(),
            keep: Keep::No,
        }
    }

    /// Sets whether build directories are kept.
    #[must_use]
    pub fn keep(mut self, keep: Keep) -> Self {
        self.keep = keep;
        self
    }

    /// Returns the wheel of a specification, from the cache or built now. A wheel is checked and returned as it is.
    ///
    /// # Errors
    /// When the source is not available, the backend or a compiler fails, or the result would not load.
    pub fn build(&self, spec: &Spec) -> Result<Wheel, Error> {
        match self.job(spec)? {
            Some(job) => self.run(&job),
            None => {
                let Spec::Wheel(path) = spec else {
                    unreachable!("all else is a job")
                };
                let wheel = Wheel::at(path)?;
                self.require_valid(&wheel.file(), &wheel)?;
                Ok(wheel)
            }
        }
    }

    /// Returns the wheel of a resolved package: pure Python wheels as published, everything else built.
    pub(crate) fn wheel_of(&self, locked: &Locked) -> Result<Wheel, Error> {
        let recipe = Recipe::find(&locked.name)?.map(|recipe| recipe.for_version(&locked.version));
        let is_pure = |artifact: &&Artifact| {
            WheelName::parse(&artifact.file).is_ok_and(|name| name.is_pure())
        };
        let pure = locked.wheels.iter().find(is_pure);
        // A project that publishes wheels for single platforms has C code, even if it also publishes a pure wheel.
        let has_native = locked.wheels.iter().any(|artifact| !is_pure(&artifact));
        match (pure, &locked.sdist) {
            (Some(pure), sdist) if recipe.is_none() && (!has_native || sdist.is_none()) => {
                let path = download(
                    self.cache,
                    self.reporter,
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

    fn run(&self, job: &Job) -> Result<Wheel, Error> {
        let key = Key::new(&job.what.replace(' ', "-"))
            .key("job", &job.key())
            .key("target", &self.target.key())
            .key("cc", &cc::key())
            .key("libraries", &library::all_key())
            .field("sources", SOURCES);
        if self.keep == Keep::Yes {
            return self.run_and_keep(job, &key);
        }
        let dir = self.cache.entry("wheels", &key, |dir| {
            let work = self.work(job);
            let _lock = self.alone_in(&work)?;
            remove(&work)?;
            let made = self.make(job, &work, dir);
            remove(&work)?;
            made
        })?;
        only_wheel(&dir)
    }

    /// Builds even if the cache has the wheel, because the user wants to look at the build tree.
    fn run_and_keep(&self, job: &Job, key: &Key) -> Result<Wheel, Error> {
        let work = self.work(job);
        let _lock = self.alone_in(&work)?;
        remove(&work)?;
        self.reporter
            .println(&format!("building {} in `{}`", job.what, work.display()));
        let kept = work.join("wheel");
        fs::create_dir_all(&kept).map_err(CacheError::io("create", &kept))?;
        self.make(job, &work, &kept)?;
        let wheel = only_wheel(&kept)?;
        let dir = self.cache.entry("wheels", key, |dir| {
            for file in [wheel.file().as_str(), TIME] {
                let (from, to) = (kept.join(file), dir.join(file));
                fs::copy(&from, &to).map_err(CacheError::io("copy", &from))?;
            }
            Ok::<_, Error>(())
        })?;
        only_wheel(&dir)
    }

    /// The directory of a build. It depends on the source alone, so that compiler caches recognise it.
    fn work(&self, job: &Job) -> PathBuf {
        let key = Key::new(&job.what.replace(' ', "-")).key("job", &job.key());
        self.cache.root().join("builds").join(key.hex())
    }

    fn alone_in(&self, work: &Path) -> Result<Lock, CacheError> {
        let name = work.file_name().unwrap_or_default().to_string_lossy();
        self.cache
            .lock(&work.with_file_name(format!(".{name}.lock")))
    }

    /// Builds in `work`, which must not exist, and puts the wheel into `into` when it is valid.
    fn make(&self, job: &Job, work: &Path, into: &Path) -> Result<(), Error> {
        let tree = self.unpack(job, &work.join("source"))?;
        let started = Instant::now();
        let backend = Backend::of(&tree)?;
        let cross = Cross::provision(self.cache, self.reporter, &self.target, &self.driver)?;
        let libraries = job.recipe.iter().flat_map(|recipe| &recipe.libraries);
        let mut libraries: Vec<Library> = libraries.cloned().collect();
        let mut frontend = Frontend {
            cache: self.cache,
            reporter: self.reporter,
            job,
            cross: &cross,
            backend: &backend,
            rust: None,
            libraries: Vec::new(),
            tree: &tree,
            work,
            keep: self.keep,
        };
        let install = |requires: &[String]| {
            environment::provision(self.cache, self.reporter, &self.target.native, requires)
        };
        let mut packages = install(&backend.requires)?;
        let more = frontend.requires(&packages)?;
        if !more.is_empty() {
            packages = install(&[backend.requires.clone(), more.clone()].concat())?;
        }
        if needs_rust(&backend.requires) || needs_rust(&more) {
            frontend.rust = Some(rust::provision(
                self.cache,
                self.reporter,
                rust::Target::Side,
            )?);
        }
        let packages = self.with_guests_parts(packages)?;
        let built = loop {
            frontend.libraries = library::provision(self.cache, self.reporter, &cross, &libraries)?;
            match (frontend.wheel(&packages), frontend.missing_library()) {
                (Ok(built), _) => break built,
                (Err(_), Some(missing)) if !missing.is_among(&libraries) => {
                    self.reporter.println(&format!(
                        "{} needs {}: building again with it",
                        job.what, missing.name
                    ));
                    libraries.push(missing);
                }
                (Err(e), _) => return Err(e),
            }
        };

        let finished = work.join("finished");
        fs::create_dir(&finished).map_err(CacheError::io("create", &finished))?;
        let wheel = finish(&Wheel::at(&built)?, &finished)?;
        require_modules(&frontend, &wheel)?;
        self.require_valid(&job.what, &wheel)?;
        let target = into.join(wheel.file());
        fs::copy(&wheel.path, &target).map_err(CacheError::io("write", &target))?;
        let time = into.join(TIME);
        let milliseconds = started.elapsed().as_millis().to_string();
        fs::write(&time, milliseconds).map_err(CacheError::io("write", &time))?;
        Ok(())
    }

    /// Fails unless the wheel can be installed and will load.
    fn require_valid(&self, what: &str, wheel: &Wheel) -> Result<(), Error> {
        wheel.name.require_usable(&wheel.file())?;
        let mut reports = check_wheel(wheel, &|name| provided(self.cache, self.reporter, name))?;
        reports.retain(|report| !report.is_valid());
        if reports.is_empty() {
            Ok(())
        } else {
            Err(Error::Check {
                what: what.to_owned(),
                reports,
            })
        }
    }
}

/// Fails unless the modules that the recipe names exist: some packages silently build without them.
fn require_modules(frontend: &Frontend<'_>, wheel: &Wheel) -> Result<(), Error> {
    let Some(recipe) = &frontend.job.recipe else {
        return Ok(());
    };
    let there = wheel.side_modules()?;
    let file = |module: &str| format!("{}{}", module.replace('.', "/"), pymode_abi::EXT_SUFFIX);
    let missing: Vec<String> = recipe
        .modules
        .iter()
        .filter(|module| !there.contains_key(&file(module)))
        .cloned()
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let reason = frontend.compiler_error().unwrap_or_default();
    Err(Error::NoModules {
        what: frontend.job.what.clone(),
        missing,
        reason,
    })
}

fn only_wheel(dir: &Path) -> Result<Wheel, Error> {
    for entry in fs::read_dir(dir).map_err(CacheError::io("read", dir))? {
        let path = entry.map_err(CacheError::io("read", dir))?.path();
        if path.extension().is_some_and(|ext| ext == "whl") {
            return Ok(Wheel::at(&path)?);
        }
    }
    let missing = std::io::Error::new(std::io::ErrorKind::NotFound, "it holds no wheel; delete it");
    Err(CacheError::io("use the cached build", dir)(missing).into())
}

fn remove(dir: &Path) -> Result<(), CacheError> {
    match fs::remove_dir_all(dir) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(CacheError::io("delete", dir)(e)),
        _ => Ok(()),
    }
}
