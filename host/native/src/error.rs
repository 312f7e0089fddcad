//! Why a program could not be run at all. What happens to it while it runs is an [`Exit`](crate::Exit).

use std::io;
use std::path::PathBuf;

use pymode_host::image::ImageError;
use pymode_host::program::Unusable;

/// Why a program was not started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file or directory that is needed cannot be used.
    #[error("cannot {what} `{path}`: {source}")]
    File {
        /// The operation.
        what: &'static str,
        /// The path.
        path: PathBuf,
        /// Error of the system.
        source: io::Error,
    },
    /// The image is none, or is damaged.
    #[error("cannot use the image `{path}`: {source}")]
    Image {
        /// The path.
        path: PathBuf,
        /// Reason.
        source: ImageError,
    },
    /// The module cannot be run.
    #[error(transparent)]
    Program(#[from] Unusable),
    /// An argument, or a variable of the environment, that cannot be given to a program.
    #[error("`{text}` cannot be given to the program: {reason}")]
    Text {
        /// The argument or the variable's name.
        text: String,
        /// Why not.
        reason: &'static str,
    },
    /// A path at which nothing can be mounted.
    #[error("nothing can be mounted at `{path}`: {reason}")]
    MountPoint {
        /// The path in the guest.
        path: String,
        /// Why not.
        reason: &'static str,
    },
    /// The engine could not be set up.
    #[error("cannot set up the WebAssembly engine: {reason}")]
    Engine {
        /// Reason.
        reason: String,
    },
    /// No thread for the guest.
    #[error("cannot start a thread for the program: {source}")]
    Thread {
        /// Error of the system.
        source: io::Error,
    },
}

impl Error {
    pub(crate) fn file(
        what: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Error {
        let path = path.into();
        move |source| Error::File { what, path, source }
    }
}
