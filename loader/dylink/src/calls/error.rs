//! The reasons why a call failed.

use alloc::string::String;
use alloc::sync::Arc;

use crate::act::engine::EngineError;
use crate::act::error::{ActError, Cause};
use crate::closed_set::PlanError;
use crate::closed_set::recall::RecallError;
use crate::decide::error::DecideError;
use crate::find::error::FindError;
use crate::program::main_module::UnusableMain;
use crate::program::registry::HandleError;

/// The reason why `dlopen` failed. [`Display`](core::fmt::Display) is what the guest's `dlerror` returns, hints included. `E` is the
/// engine's own error.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError<E> {
    /// The main module could not be read, or cannot carry side modules.
    #[error(transparent)]
    Main(#[from] MainError<E>),
    /// A file was not found, or is not a side module that can be loaded.
    #[error(transparent)]
    Find(#[from] FindError),
    /// The link plan cannot be used.
    #[error("cannot load `{path}`: {reason}")]
    Plan {
        /// The file that was asked for.
        path: String,
        /// The reason.
        #[source]
        reason: PlanError,
    },
    /// The modules cannot be bound.
    #[error(transparent)]
    Decide(#[from] DecideError),
    /// The plan could not be carried out.
    #[error(transparent)]
    Act(#[from] ActError<E>),
}

impl<E> From<RecallError> for OpenError<E> {
    fn from(error: RecallError) -> Self {
        match error {
            RecallError::Find(error) => Self::Find(error),
            RecallError::Plan { path, reason } => Self::Plan { path, reason },
        }
    }
}

impl<E: EngineError> OpenError<E> {
    /// Returns the engine's error if the guest has ended its program meanwhile, else the error as it was.
    ///
    /// # Errors
    /// With the error as it was.
    pub fn into_exit(self) -> Result<E, Self> {
        match self {
            Self::Act(error) => error.into_exit().map_err(Self::Act),
            other => Err(other),
        }
    }
}

/// The reason why the main module cannot carry side modules.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MainError<E> {
    /// It could not be read.
    #[error("cannot read the main module: {reason}")]
    Unreadable {
        /// The engine's error.
        reason: E,
    },
    /// It lacks something, or was built for another version of the contract.
    #[error(transparent)]
    Unusable(#[from] UnusableMain),
}

/// The reason why `dlsym` found nothing. `E` is the engine's own error.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SymError<E> {
    /// The handle is none that `dlopen` returned, or is closed.
    #[error(transparent)]
    Handle(#[from] HandleError),
    /// No module that the handle reaches defines the symbol.
    #[error("undefined symbol `{name}` in {place}")]
    Undefined {
        /// The symbol.
        name: String,
        /// The modules that were searched.
        place: String,
    },
    /// The symbol is there, but has no address.
    #[error("symbol `{name}` in `{path}` is {kind}: it has no address")]
    NoAddress {
        /// The symbol.
        name: String,
        /// The module that defines it.
        path: Arc<str>,
        /// The kind of export that it is.
        kind: &'static str,
    },
    /// The table could not grow, or the engine could not read a global.
    #[error("no address for symbol `{name}`: {reason}")]
    Engine {
        /// The symbol.
        name: String,
        /// The reason.
        reason: Cause<E>,
    },
    /// The main module could not be read, or cannot carry side modules.
    #[error(transparent)]
    Main(#[from] MainError<E>),
}

/// The reason why `dlclose` failed. `E` is the engine's own error.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CloseError<E> {
    /// The handle is none that `dlopen` returned, or is closed.
    #[error(transparent)]
    Handle(#[from] HandleError),
    /// An exit handler of a module that was unloaded did not return.
    #[error("an exit handler of `{path}` failed: {reason}")]
    ExitHandler {
        /// The module.
        path: Arc<str>,
        /// The engine's error.
        reason: E,
    },
}
