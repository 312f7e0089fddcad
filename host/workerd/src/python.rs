//! Python in a local workerd.

use std::net::TcpListener;
use std::path::Path;

use pymode_toolchain::{Cache, Reporter};

use crate::bundle::Bundle;
use crate::make::project::{Project, ProjectError};
use crate::make::python::Interpreter;
use crate::runtime::{Runtime, RuntimeError};
use crate::serve::{Compiled, LocalWorkerd, LogTarget, ServeError};

/// An interpreter, and the runtime that serves bundles with it.
#[derive(Debug, Clone)]
pub struct Python {
    pub(crate) runtime: Runtime,
    pub(crate) interpreter: Interpreter,
}

impl Python {
    /// Builds the Worker's code and downloads workerd, unless the cache has them. `wasm` and `image` are packed when they are needed.
    ///
    /// # Errors
    /// When the build or the download fails.
    pub fn open(
        cache: &Cache,
        reporter: &Reporter,
        wasm: &Path,
        image: &Path,
    ) -> Result<Python, RuntimeError> {
        let runtime = Runtime::open(cache, reporter)?;
        let interpreter = Interpreter {
            cache: cache.clone(),
            code: runtime.code.clone(),
            wasm: wasm.into(),
            image: image.into(),
        };
        Ok(Python {
            runtime,
            interpreter,
        })
    }

    /// Returns a directory for temporary files, on the cache's file system: files of the cache can be linked there.
    pub fn scratch(&self) -> &Path {
        self.runtime.scratch()
    }

    /// Bundles a project. Its packed files go into `dir`, which must be empty, and must outlive the bundle.
    ///
    /// `compiler` is a native Python of the same version, which compiles the modules in advance.
    ///
    /// # Errors
    /// When a file cannot be read or bundled, a module does not compile, or there is no entry with a handler.
    pub fn bundle(
        &self,
        compiler: &Path,
        project: &Project<'_>,
        dir: &Path,
    ) -> Result<Bundle, ProjectError> {
        self.interpreter.bundle(compiler, project, dir)
    }

    /// Serves a bundle with the local workerd, from `dir`.
    ///
    /// # Errors
    /// As [`LocalWorkerd::start`].
    pub fn serve(&self, bundle: &Bundle, dir: &Path) -> Result<LocalWorkerd, ServeError> {
        LocalWorkerd::start(&self.runtime.workerd, bundle, dir)
    }

    /// Compiles a bundle's configuration, so that the local workerd starts faster.
    ///
    /// # Errors
    /// When a file cannot be written, or workerd refuses the bundle.
    pub fn compile(&self, bundle: &Bundle, dir: &Path) -> Result<Compiled, ServeError> {
        Compiled::new(&self.runtime.workerd, bundle, dir)
    }

    /// Serves a bundle on an existing socket, with its log on this process's standard error.
    ///
    /// # Errors
    /// As [`LocalWorkerd::start`].
    pub fn serve_on(
        &self,
        bundle: &Bundle,
        dir: &Path,
        listener: &TcpListener,
    ) -> Result<LocalWorkerd, ServeError> {
        LocalWorkerd::start_on(
            &self.runtime.workerd,
            bundle,
            dir,
            listener,
            LogTarget::Show,
        )
    }
}
