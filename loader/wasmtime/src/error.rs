//! The engine's errors.

use std::fmt;

use pymode_dylink::{Address, EngineError, ModuleError};
use wasmtime::ThrownException;

/// The reason why wasmtime could not do what the linker asked for.
#[derive(Debug)]
#[non_exhaustive]
pub enum WasmtimeError {
    /// The guest has ended its program: there is nothing to return to.
    Exit(wasmtime::Error),
    /// StoreData code did not return.
    Guest {
        /// The trap, or the exception.
        error: wasmtime::Error,
        /// The functions that were running, innermost first, as `module!function+offset`.
        frames: Vec<String>,
    },
    /// Wasmtime itself refused.
    Engine(wasmtime::Error),
    /// An import or export is of another kind.
    Expected {
        /// The kind that is needed.
        kind: &'static str,
    },
    /// A range lies outside of main's memory.
    Outside {
        /// Its begin.
        at: Address,
        /// Its length in bytes.
        len: u32,
    },
    /// The host has not set the main module.
    NoMain,
    /// The main module's bytes cannot be read.
    MainFile(std::io::Error),
    /// The main module's bytes are damaged.
    MainModule(ModuleError),
}

impl WasmtimeError {
    pub(crate) fn expected(kind: &'static str) -> Self {
        Self::Expected { kind }
    }

    /// Returns wasmtime's own error, if it is one: the host function that called the linker returns that of an
    /// [exit](EngineError::is_exit).
    #[must_use]
    pub fn into_wasmtime(self) -> wasmtime::Error {
        match self {
            Self::Exit(error) | Self::Guest { error, .. } | Self::Engine(error) => error,
            other => wasmtime::Error::msg(other.to_string()),
        }
    }
}

impl EngineError for WasmtimeError {
    fn is_exit(&self) -> bool {
        matches!(self, Self::Exit(_))
    }
}

impl From<wasmtime::Error> for WasmtimeError {
    fn from(error: wasmtime::Error) -> Self {
        Self::Engine(error)
    }
}

impl From<ModuleError> for WasmtimeError {
    fn from(error: ModuleError) -> Self {
        Self::MainModule(error)
    }
}

impl fmt::Display for WasmtimeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exit(error) | Self::Engine(error) => write!(f, "{}", error.root_cause()),
            Self::Guest { error, frames } => {
                // The root cause is the trap. Its context only names places in wasmtime.
                match error.is::<ThrownException>() {
                    true => f.write_str("uncaught exception")?,
                    false => write!(f, "{}", error.root_cause())?,
                }
                frames
                    .iter()
                    .try_for_each(|frame| write!(f, "\n  in {frame}"))
            }
            Self::Expected { kind } => write!(f, "expected {kind}"),
            Self::Outside { at, len } => {
                write!(f, "{len} bytes at {at} lie outside of main's memory")
            }
            Self::NoMain => f.write_str("the host has not set the main module"),
            Self::MainFile(error) => error.fmt(f),
            Self::MainModule(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for WasmtimeError {}
