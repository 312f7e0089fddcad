//! Observation of the linker: trace events, and closer looks at modules for the sake of messages.

use alloc::sync::Arc;
use core::fmt::{self, Display};

use crate::module::ModuleInfo;
use crate::module::inspect::Inspection;
use crate::program::ids::{Address, Slot, Symbol};

/// An observer of what the linker does. Nothing that it answers changes what is bound.
pub trait Diagnostics {
    /// Reports whether [`trace`](Self::trace) is to be called.
    fn traces(&mut self) -> bool {
        false
    }

    /// Receives an event: `LD_DEBUG` elsewhere.
    fn trace(&mut self, event: Event<'_>) {
        let _ = event;
    }

    /// Looks closer at a module that is loaded or being loaded, main by its name; `None` if its bytes are not available.
    /// Asked for messages only.
    fn inspect(&mut self, path: &str) -> Option<Inspection> {
        let _ = path;
        None
    }

    /// Returns the description of a file, without waiting for what the engine would compile; `None` if it is not a side
    /// module. Asked for messages only.
    fn describe_file(&mut self, path: &str) -> Option<Arc<ModuleInfo>> {
        let _ = path;
        None
    }
}

/// Something that the linker has decided or done. [`Display`] makes the lines of a log of it.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub enum Event<'a> {
    /// The search for a library begins.
    Find {
        /// The path or name that was asked for.
        name: &'a str,
        /// The module that needs it, unless the guest asked for it.
        needed_by: Option<&'a str>,
    },
    /// A path was tried.
    Try {
        /// The path.
        path: &'a str,
        /// There is a file.
        found: bool,
    },
    /// It is decided how a load group is bound.
    Open {
        /// The file that was asked for.
        path: &'a str,
        /// The decisions, a line each.
        plan: &'a str,
    },
    /// A module has a place.
    Place {
        /// The module.
        path: &'a str,
        /// The begin of its data.
        data: Address,
        /// The first of its slots.
        slots: Slot,
    },
    /// A function of a module is called. Guest code runs from here on.
    Call {
        /// The module.
        path: &'a str,
        /// Its exported function.
        function: &'a str,
    },
    /// A symbol was asked for.
    Symbol {
        /// Its name.
        name: &'a str,
        /// The symbol, or the reason why there is none.
        found: Result<Symbol, &'a dyn Display>,
    },
    /// A handle was closed.
    Close {
        /// The module.
        path: &'a str,
        /// The number of opens that are left.
        opens: u32,
    },
    /// A module that nothing holds is unloaded.
    Unload {
        /// The module.
        path: &'a str,
    },
    /// A `dlopen` failed.
    Failed {
        /// The path that was asked for; none for the main module.
        path: Option<&'a str>,
        /// The reason, as `dlerror` reports it.
        reason: &'a dyn Display,
    },
}

impl Display for Event<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Find {
                name,
                needed_by: Some(by),
            } => write!(f, "find {name}, needed by {by}"),
            Self::Find {
                name,
                needed_by: None,
            } => write!(f, "find {name}"),
            Self::Try { path, found } => {
                let found = if found { "found" } else { "nothing" };
                write!(f, "  try {path}: {found}")
            }
            Self::Open { path, plan } => write!(f, "dlopen {path}\n{}", plan.trim_end()),
            Self::Place { path, data, slots } => {
                write!(f, "place {path}: data at {data}, slots from {}", slots.0)
            }
            Self::Call { path, function } => write!(f, "call {path}!{function}"),
            Self::Symbol { name, found } => match found {
                Ok(symbol) => write!(f, "dlsym {name} = {symbol}"),
                Err(reason) => write!(f, "dlsym {name} = {reason}"),
            },
            Self::Close { path, opens } => write!(f, "dlclose {path}: open {opens} times"),
            Self::Unload { path } => write!(f, "unload {path}"),
            Self::Failed { path, reason } => {
                write!(f, "dlopen {} failed: {reason}", path.unwrap_or("NULL"))
            }
        }
    }
}

impl fmt::Debug for Event<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Event({self})")
    }
}
