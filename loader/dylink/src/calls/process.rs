//! All that a `dlopen` needs, in one object.

use alloc::sync::Arc;

use crate::act::engine::Engine;
use crate::closed_set::Plan;
use crate::find::files::Files;
use crate::program::diagnostics::Diagnostics;
use crate::program::state::State;

/// A process: an engine that runs a main module, the files it may load, an observer, and the linker's state.
///
/// Only the calls ([`open`](crate::open), [`sym`](crate::sym()), [`close`](crate::close)) see all of it. What finds files has no
/// engine, and what is bound is decided on plain data.
pub trait Process: Engine<Source = <Self as Files>::Source> + Files + Diagnostics + State {
    /// Returns the link plan of the set that main and the files belong to, if one was made.
    fn plan(&mut self) -> Option<Arc<Plan>> {
        None
    }
}
