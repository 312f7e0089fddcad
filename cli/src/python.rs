//! `pymode python`: the interpreter itself, and how the other commands get it.

use std::path::Path;
use std::process::ExitCode;

use pymode_python::{Built, Options};
use pymode_toolchain::{Cache, Reporter};

use crate::args::Python;
use crate::failure::Failure;

/// The cache, a voice, and an interpreter that is there.
pub(crate) struct Workshop {
    pub(crate) cache: Cache,
    pub(crate) reporter: Reporter,
    pub(crate) python: Built,
}

impl Workshop {
    /// Opens the cache and builds what is missing of the interpreter.
    pub(crate) fn open() -> Result<Self, Failure> {
        Self::with(Options::default())
    }

    /// The same with an interpreter of some other form.
    pub(crate) fn with(options: Options) -> Result<Self, Failure> {
        let reporter = Reporter::stderr();
        let cache = Cache::open()?.with_reporter(&reporter);
        let python = pymode_python::build(&cache, &reporter, options)?;
        Ok(Self {
            cache,
            reporter,
            python,
        })
    }

    /// The interpreter on wasmtime.
    pub(crate) fn native(&self) -> Result<pymode_native::Python, Failure> {
        let code = self.cache.root().join("code");
        Ok(pymode_native::Python::open(
            &self.python.wasm,
            &self.python.image,
            &code,
        )?)
    }

    /// The interpreter for Workers, and a local workerd.
    pub(crate) fn worker(&self) -> Result<pymode_workerd::Python, Failure> {
        Ok(pymode_workerd::Python::open(
            &self.cache,
            &self.reporter,
            &self.python.wasm,
            &self.python.image,
        )?)
    }
}

pub(crate) fn python(verb: &Python) -> Result<ExitCode, Failure> {
    let Python::Build {
        no_docstrings,
        sources,
    } = verb;
    let workshop = Workshop::with(Options {
        docstrings: !no_docstrings,
        sources: *sources,
    })?;
    for path in [&workshop.python.wasm, &workshop.python.image] {
        println!("{}\t{}", path.display(), size(path)?);
    }
    Ok(ExitCode::SUCCESS)
}

fn size(path: &Path) -> Result<String, Failure> {
    let bytes = std::fs::metadata(path)?.len();
    Ok(format!("{:.2} MB", bytes as f64 / 1e6))
}
