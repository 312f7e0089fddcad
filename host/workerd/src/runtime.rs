//! The Worker's code, workerd, and a directory for temporary files.

use std::fs;
use std::path::{Path, PathBuf};

use pymode_toolchain::npm::{self, NpmError, Workerd};
use pymode_toolchain::{Cache, CacheError, Reporter};

use crate::make::worker::{self, WorkerCode, WorkerError};

/// Errors of opening a runtime.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RuntimeError {
    /// The cache, or a file.
    #[error(transparent)]
    Cache(#[from] CacheError),
    /// The build of the Worker's code failed.
    #[error(transparent)]
    Worker(#[from] WorkerError),
    /// workerd is not available.
    #[error(transparent)]
    Npm(#[from] NpmError),
}

/// The Worker's code, and workerd.
#[derive(Debug, Clone)]
pub struct Runtime {
    pub(crate) code: WorkerCode,
    pub(crate) workerd: Workerd,
    pub(crate) cache: Cache,
    scratch: PathBuf,
}

impl Runtime {
    /// Builds the Worker's code and downloads workerd, unless the cache has them.
    ///
    /// # Errors
    /// When the build or the download fails.
    pub fn open(cache: &Cache, reporter: &Reporter) -> Result<Runtime, RuntimeError> {
        let scratch = cache.root().join("worker-runs");
        fs::create_dir_all(&scratch).map_err(CacheError::io("create", &scratch))?;
        Ok(Runtime {
            code: worker::provision(cache, reporter)?,
            workerd: npm::workerd(cache, reporter)?,
            cache: cache.clone(),
            scratch,
        })
    }

    /// Returns a directory for temporary files, on the cache's file system: files of the cache can be linked there.
    pub fn scratch(&self) -> &Path {
        &self.scratch
    }
}
