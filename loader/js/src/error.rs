//! The engine's errors.

use std::fmt;

use pymode_dylink::{EngineError, ModuleError, PlanError, Signature};
use wasm_bindgen::prelude::*;

/// The reason why the JavaScript engine could not do what the linker asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum JsEngineError {
    /// JavaScript threw.
    Thrown {
        /// The error as text.
        reason: String,
        /// The functions of the guest that were running, innermost first, if they are known.
        frames: Vec<String>,
    },
    /// Code waits that runs while its module is instantiated.
    CannotWait,
    /// A value is of another kind.
    Expected {
        /// The kind that is needed.
        kind: &'static str,
    },
    /// A range lies outside of main's memory.
    Outside,
    /// An export or import that has to be there is not.
    Missing {
        /// Its name.
        name: String,
    },
    /// A thunk is needed of a type that no module was compiled for.
    NoThunk {
        /// The function that the thunk stands in for.
        name: Box<str>,
        /// Its type.
        signature: Box<Signature>,
    },
    /// No thunk module was compiled.
    NoThunks,
    /// The bytes are not a module.
    Module(ModuleError),
    /// The link plan cannot be used.
    Plan(PlanError),
}

impl JsEngineError {
    pub(crate) fn expected(kind: &'static str) -> JsEngineError {
        JsEngineError::Expected { kind }
    }

    /// Makes an error of what was thrown.
    #[must_use]
    pub fn thrown(thrown: &JsValue) -> JsEngineError {
        if let Some(error) = thrown.dyn_ref::<js_sys::Error>()
            && error.name() == "SuspendError"
        {
            return JsEngineError::CannotWait;
        }
        JsEngineError::Thrown {
            reason: reason(thrown),
            frames: Vec::new(),
        }
    }
}

impl EngineError for JsEngineError {}

impl From<JsValue> for JsEngineError {
    fn from(thrown: JsValue) -> JsEngineError {
        JsEngineError::thrown(&thrown)
    }
}

impl fmt::Display for JsEngineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            JsEngineError::Thrown { reason, frames } => {
                f.write_str(reason)?;
                frames
                    .iter()
                    .try_for_each(|frame| write!(f, "\n  in {frame}"))
            }
            JsEngineError::CannotWait => f.write_str(
                "it waits for something, which a module cannot do while it is instantiated\n  hint: a constructor can wait, a start function cannot",
            ),
            JsEngineError::Expected { kind } => write!(f, "expected {kind}"),
            JsEngineError::Outside => f.write_str("it lies outside of the memory"),
            JsEngineError::Missing { name } => write!(f, "no `{name}`"),
            JsEngineError::NoThunk { name, signature } => write!(
                f,
                "`{name}` needs a thunk, and the bundle has none of its type {signature}\n  hint: have the library where the bundle is made"
            ),
            JsEngineError::NoThunks => f.write_str("the bundle has no thunks"),
            JsEngineError::Module(error) => error.fmt(f),
            JsEngineError::Plan(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for JsEngineError {}

/// Returns what was thrown as text.
#[must_use]
pub fn reason(thrown: &JsValue) -> String {
    match thrown.dyn_ref::<js_sys::Error>() {
        Some(error) => String::from(error.to_string()),
        None => format!("{thrown:?}"),
    }
}
