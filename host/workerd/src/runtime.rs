//! The parts that all Workers of this machine share: code, workerd, and a directory for files.

use std::fs;
use std::path::{Path, PathBuf};

use pymode_toolchain::npm::{self, NpmError, Workerd};
use pymode_toolchain::{Cache, CacheError, Reporter};

use crate::make::worker::{self, WorkerCode, WorkerError};

/// Why there is none.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RuntimeError {
    /// The cache, or a file.
    #[error(transparent)]
    Cache(#[from] CacheError),
    /// The Worker's own code did not build.
    #[error(transparent)]
    Worker(#[from] WorkerError),
    /// There is no workerd.
    #[error(transparent)]
    Npm(#[from] NpmError),
}

/// The Worker's code, and a workerd.
#[derive(Debug, Clone)]
pub struct Runtime {
    pub(crate) code: WorkerCode,
    pub(crate) workerd: Workerd,
    pub(crate) cache: Cache,
    scratch: PathBuf,
}

impl Runtime {
    /// Builds the Worker's code if it is not there, and gets workerd.
    ///
    /// # Errors
    /// When something cannot be built or had.
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

    /// A directory for what is there only for a while, on the file system of the cache: files of it can be linked there.
    pub fn scratch(&self) -> &Path {
        &self.scratch
    }
}
