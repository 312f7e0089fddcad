//! Errors of a task.

use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;

use pymode_abi::model::ModelError;

/// A failed task. A violation that a check finds is a result, not an error.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("`{}`: {source}", path.display())]
    File { path: PathBuf, source: io::Error },
    #[error("`{path}`: {source}")]
    Table {
        path: &'static str,
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    #[error("not an archive of WebAssembly objects: `{}`: {reason}", path.display())]
    Archive { path: PathBuf, reason: String },
    #[error("could not start `{command}`: {source}")]
    Start { command: String, source: io::Error },
    #[error("`{command}` failed: {status}\n{stderr}")]
    Command {
        command: String,
        status: ExitStatus,
        stderr: String,
    },
    #[error(
        "undefined symbol `{name}` in `abi/policy.toml`: no archive defines it\nhint: remove it, or correct its name"
    )]
    Nowhere { name: String },
    #[error("invalid output of `cargo metadata`: {source}")]
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
