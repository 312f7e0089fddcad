//! The error type of the build.

use std::io;
use std::path::{Path, PathBuf};

use pymode_host::image::ImageWriteError;
use pymode_toolchain::{CacheError, DownloadError, StepError, archive::ArchiveError};

/// A failure of the build of Python. Each variant says what failed, where, and what to do next.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The cache, zig or the C libraries.
    #[error(transparent)]
    Toolchain(#[from] pymode_toolchain::Error),
    /// The cache, or a file in it.
    #[error(transparent)]
    Cache(#[from] CacheError),
    /// A command of the build.
    #[error(transparent)]
    Step(#[from] StepError),
    /// A download.
    #[error(transparent)]
    Download(#[from] DownloadError),
    /// The archive with CPython's source.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// The image of the standard library.
    #[error(transparent)]
    Image(#[from] ImageWriteError),
    /// The build tools do not work in this directory.
    #[error(
        "could not build CPython in the cache `{}`: its path contains white space\n  hint: set `PYMODE_CACHE` to a path without",
        path.display()
    )]
    BlankInPath {
        /// The cache.
        path: PathBuf,
    },
    /// A patch that does not apply to upstream's source.
    #[error(
        "could not apply the patch `{name}` to CPython's source: {reason}\n  hint: check that the patch was made for this version"
    )]
    Patch {
        /// Name of the patch in `python/patches`.
        name: &'static str,
        /// Reason that it does not apply.
        reason: String,
    },
    /// One of zig's libraries is missing from its link command.
    #[error(
        "could not find `{library}` in zig's link command\n  command: {command}\n  hint: check the version of zig"
    )]
    NoLibrary {
        /// File name of the library.
        library: &'static str,
        /// The command that zig printed.
        command: String,
    },
    /// The linker's output is not a module.
    #[error("the linker's output `{}` is not a WebAssembly module: {source}", path.display())]
    Wasm {
        /// The linker's output.
        path: PathBuf,
        /// Reason that it is not one.
        source: pymode_toolchain::sections::SectionError,
    },
    /// A failed file operation.
    #[error("could not {doing} `{}`: {source}{}", path.display(), pymode_toolchain::cache::io_hint(source))]
    Io {
        /// The operation, as a verb.
        doing: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// Error of the file system.
        source: io::Error,
    },
}

impl Error {
    /// Names the verb and the path of a failed file operation; for `map_err`.
    pub(crate) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Io {
            doing,
            path,
            source,
        }
    }
}
