//! Calls of a build backend. Its hooks run in their own Python, which writes the result to a file.

use std::fs;
use std::path::{Path, PathBuf};

use pymode_toolchain::rust::RustWasm;
use pymode_toolchain::{Cache, CacheError, Reporter, Step, StepError, cc};

use crate::build::Keep;
use crate::cross::Cross;
use crate::diagnosis::{self, Evidence};
use crate::error::Error;
use crate::job::Job;
use crate::library::{Library, Prefix};
use crate::project::Backend;

const BACKEND: &str = include_str!("../helpers/backend.py");

/// A source tree with its backend, and a directory for the result.
pub(crate) struct Frontend<'b> {
    pub(crate) cache: &'b Cache,
    pub(crate) reporter: &'b Reporter,
    pub(crate) job: &'b Job,
    pub(crate) cross: &'b Cross,
    pub(crate) backend: &'b Backend,
    pub(crate) rust: Option<RustWasm>,
    pub(crate) libraries: Vec<Prefix>,
    pub(crate) tree: &'b Path,
    pub(crate) work: &'b Path,
    /// Keep or delete `work`.
    pub(crate) keep: Keep,
}

/// A hook of the backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hook {
    /// Returns the requirements of the build on this machine.
    Requires,
    /// Builds the wheel.
    Wheel,
}

impl Hook {
    fn name(self) -> &'static str {
        match self {
            Self::Requires => "requires",
            Self::Wheel => "wheel",
        }
    }
}

impl Frontend<'_> {
    /// The backend's requirements beyond those in `pyproject.toml`.
    pub(crate) fn requires(&self, packages: &Path) -> Result<Vec<String>, Error> {
        // The call is fast, and its result rarely needs attention.
        self.call(
            &Reporter::quiet(),
            packages,
            Hook::Requires,
            &format!("reading the build requirements of {}", self.job.what),
        )
    }

    /// Builds the wheel. Returns its path.
    pub(crate) fn wheel(&self, packages: &Path) -> Result<PathBuf, Error> {
        let file: String = self.call(
            self.reporter,
            packages,
            Hook::Wheel,
            &format!("building {}", self.job.what),
        )?;
        let log = fs::read(self.log(Hook::Wheel)).unwrap_or_default();
        for note in diagnosis::notes(&String::from_utf8_lossy(&log)) {
            self.reporter
                .println(&format!("note: {}: {note}", self.job.what));
        }
        Ok(self
            .out()
            .join(Path::new(&file).file_name().unwrap_or_default()))
    }

    /// The compiler's last error, if there is one.
    pub(crate) fn compiler_error(&self) -> Option<String> {
        diagnosis::of_compiler(&self.failure())
    }

    /// The library whose absence made a compiler or a build system fail last, if it can be built.
    pub(crate) fn missing_library(&self) -> Option<Library> {
        diagnosis::missing_library(&self.failure(), &self.log(Hook::Wheel))
    }

    fn call<T: serde::de::DeserializeOwned>(
        &self,
        reporter: &Reporter,
        packages: &Path,
        hook: Hook,
        title: &str,
    ) -> Result<T, Error> {
        let (out, hook_name) = (self.out(), hook.name());
        fs::create_dir_all(&out).map_err(CacheError::io("create", &out))?;
        let helper = self.work.join("backend.py");
        fs::write(&helper, BACKEND).map_err(CacheError::io("write", &helper))?;
        let result = self.work.join(format!("{hook_name}.json"));
        let mut python = self
            .cross
            .python(packages, &self.libraries, self.rust.as_ref());
        let settings = serde_json::to_string(&self.cross.settings(self.work));
        if hook == Hook::Requires {
            self.cross.be_this_machine(&mut python);
        }
        python
            .arg(&helper)
            .arg(hook_name)
            .arg(&result)
            .arg(settings.expect("paths of the cache are text"))
            .arg(&self.backend.object)
            .arg(&out)
            .args(&self.backend.paths);
        // The failure of an earlier try may not be the failure of this one.
        match fs::remove_file(self.failure()) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                return Err(CacheError::io("delete", &self.failure())(e).into());
            }
            _ => {}
        }
        python
            .current_dir(self.tree)
            .env(cc::FAILURE, self.failure());
        if let Some(recipe) = &self.job.recipe {
            python.envs(&recipe.env);
        }
        Step::run(reporter, title, python, &self.log(hook)).map_err(|e| self.explained(e))?;
        let text = fs::read_to_string(&result).map_err(CacheError::io("read", &result))?;
        serde_json::from_str(&text).map_err(|e| Error::Build {
            what: self.job.what.clone(),
            reason: format!("  invalid result of the backend's hook `{hook_name}`: {e}"),
        })
    }

    /// The reason of a failed backend, in a few lines.
    fn explained(&self, error: StepError) -> Error {
        let StepError::Failed(failed) = &error else {
            return error.into();
        };
        let evidence = Evidence {
            failure: &self.failure(),
            log: &failed.log,
            tree: (self.keep == Keep::Yes).then_some(self.work),
        };
        Error::Build {
            what: self.job.what.clone(),
            reason: evidence.explain(),
        }
    }

    /// The log of a hook's process.
    fn log(&self, hook: Hook) -> PathBuf {
        let name = self.job.what.replace([' ', '/'], "-");
        let file = format!("{name}-{}.log", hook.name());
        self.cache.root().join("logs").join(file)
    }

    fn out(&self) -> PathBuf {
        self.work.join("out")
    }

    /// File in which `pymode cc` records its last failure.
    fn failure(&self) -> PathBuf {
        self.work.join("failure.txt")
    }
}
