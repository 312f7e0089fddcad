//! Whatever can fail while Python is built, as one type.

use std::io;
use std::path::{Path, PathBuf};

use pymode_host::image::ImageWriteError;
use pymode_toolchain::{CacheError, DownloadError, StepError, archive::ArchiveError};

/// A build of Python that failed; each says what, where, and what to do next.
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
    /// The build tools cannot work in this directory.
    #[error(
        "the cache is `{}`, and CPython cannot be built in a directory with blanks in its name\n  hint: set `PYMODE_CACHE` to one without",
        path.display()
    )]
    BlankInPath {
        /// The cache.
        path: PathBuf,
    },
    /// A patch of ours does not fit upstream's source.
    #[error(
        "the patch `{name}` cannot be applied to CPython's source: {reason}\n  hint: was it made for another version?"
    )]
    Patch {
        /// Its name in `python/patches`.
        name: &'static str,
        /// What does not fit.
        reason: String,
    },
    /// zig links a program without one of its libraries.
    #[error(
        "zig's link command names no `{library}`\n  command: {command}\n  hint: is this another version of zig?"
    )]
    NoLibrary {
        /// The file that was looked for.
        library: &'static str,
        /// The command that zig printed.
        command: String,
    },
    /// The linker wrote something that is no module.
    #[error("`{}`, which the linker wrote, is no WebAssembly module: {source}", path.display())]
    Wasm {
        /// The linker's output.
        path: PathBuf,
        /// What is wrong with it.
        source: wasmparser::BinaryReaderError,
    },
    /// The file system said no.
    #[error("cannot {doing} `{}`: {source}{}", path.display(), pymode_toolchain::cache::io_hint(source))]
    Io {
        /// What was tried, as a verb.
        doing: &'static str,
        /// On which file or directory.
        path: PathBuf,
        /// The answer of the file system.
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
