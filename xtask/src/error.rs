//! What can go wrong in a task.

use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;

use pymode_abi::model::ModelError;

/// A task that could not be done. (A check that finds something is not an error: it reports what it found.)
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("`{}`: {source}", path.display())]
    File { path: PathBuf, source: io::Error },
    #[error("`{path}`: {source}")]
    Table {
        path: &'static str,
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    #[error("`{}` is no archive of WebAssembly objects: {reason}", path.display())]
    Archive { path: PathBuf, reason: String },
    #[error("`{command}` could not be started: {source}")]
    Start { command: String, source: io::Error },
    #[error("`{command}` failed: {status}\n{stderr}")]
    Command {
        command: String,
        status: ExitStatus,
        stderr: String,
    },
    #[error(
        "`abi/policy.toml` asks for `{name}`, which no archive defines\nhint: take it out, or correct its name"
    )]
    Nowhere { name: String },
    #[error("cargo's metadata could not be read: {source}")]
    Metadata { source: serde_json::Error },
    #[error(transparent)]
    Model(#[from] ModelError),
    #[error(transparent)]
    Toolchain(#[from] pymode_toolchain::Error),
    #[error(transparent)]
    Python(#[from] Box<pymode_python::Error>),
    #[error(transparent)]
    Cache(#[from] pymode_toolchain::CacheError),
}
