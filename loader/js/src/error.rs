//! The engine's errors.

use std::fmt;
use std::rc::Rc;

use pymode_dylink::{EngineError, ModuleError, PlanError, Signature};
use wasm_bindgen::prelude::*;

/// The reason why the JavaScript engine could not do what the linker asked for.
///
/// It is behind a pointer, because most functions of the linker return one: a large error makes the code of all of them larger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsEngineError(Rc<JsFailure>);

/// The kinds of a [`JsEngineError`].
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum JsFailure {
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
        JsFailure::Expected { kind }.into()
    }

    /// Makes an error of what was thrown.
    #[must_use]
    pub fn thrown(thrown: &JsValue) -> JsEngineError {
        if let Some(error) = thrown.dyn_ref::<js_sys::Error>()
            && error.name() == "SuspendError"
        {
            return JsFailure::CannotWait.into();
        }
        let (reason, frames) = (reason(thrown), Vec::new());
        JsFailure::Thrown { reason, frames }.into()
    }
}

impl EngineError for JsEngineError {}

impl From<JsFailure> for JsEngineError {
    fn from(failure: JsFailure) -> JsEngineError {
        JsEngineError(Rc::new(failure))
    }
}

impl From<PlanError> for JsEngineError {
    fn from(error: PlanError) -> JsEngineError {
        JsFailure::Plan(error).into()
    }
}

impl From<JsValue> for JsEngineError {
    fn from(thrown: JsValue) -> JsEngineError {
        JsEngineError::thrown(&thrown)
    }
}

impl fmt::Display for JsEngineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            JsFailure::Thrown { reason, frames } => {
                f.write_str(reason)?;
                frames
                    .iter()
                    .try_for_each(|frame| write!(f, "\n  in {frame}"))
            }
            JsFailure::CannotWait => f.write_str(
                "it waits for something, which a module cannot do while it is instantiated\n  hint: a constructor can wait, a start function cannot",
            ),
            JsFailure::Expected { kind } => write!(f, "expected {kind}"),
            JsFailure::Outside => f.write_str("it lies outside of the memory"),
            JsFailure::Missing { name } => write!(f, "no `{name}`"),
            JsFailure::NoThunk { name, signature } => write!(
                f,
                "`{name}` needs a thunk, and the bundle has none of its type {signature}\n  hint: have the library where the bundle is made"
            ),
            JsFailure::NoThunks => f.write_str("the bundle has no thunks"),
            JsFailure::Module(error) => error.fmt(f),
            JsFailure::Plan(error) => error.fmt(f),
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
