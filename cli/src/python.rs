//! `pymode python`: builds the interpreter, also for the other commands.

use std::path::Path;
use std::process::ExitCode;

use pymode_python::{Built, Options};
use pymode_toolchain::{Cache, Reporter};

use crate::args::Python;
use crate::failure::Failure;

/// The cache, the reporter, and a built interpreter.
pub(crate) struct Context {
    pub(crate) cache: Cache,
    pub(crate) reporter: Reporter,
    pub(crate) python: Built,
}

impl Context {
    /// Opens the cache and builds the interpreter if necessary.
    pub(crate) fn open() -> Result<Self, Failure> {
        Self::with(Options::default())
    }

    /// Like [`open`](Self::open), with an interpreter built with other options.
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
    let context = Context::with(Options {
        docstrings: !no_docstrings,
        sources: *sources,
    })?;
    for path in [&context.python.wasm, &context.python.image] {
        println!("{}\t{}", path.display(), size(path)?);
    }
    Ok(ExitCode::SUCCESS)
}

fn size(path: &Path) -> Result<String, Failure> {
    let bytes = std::fs::metadata(path)?.len();
    Ok(format!("{:.2} MB", bytes as f64 / 1e6))
}
