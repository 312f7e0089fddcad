//! Whatever can fail here, as one type.

use crate::archive::ArchiveError;
use crate::cache::CacheError;
use crate::download::DownloadError;
use crate::pypi::PypiError;
use crate::step::StepError;

/// An error of the toolchain.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The cache, or a file in it.
    #[error(transparent)]
    Cache(#[from] CacheError),
    /// A command of a build.
    #[error(transparent)]
    Step(#[from] StepError),
    /// A download.
    #[error(transparent)]
    Download(#[from] DownloadError),
    /// A wheel of a tool.
    #[error(transparent)]
    Pypi(#[from] PypiError),
    /// An archive.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
}
