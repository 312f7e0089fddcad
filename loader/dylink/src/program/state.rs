//! Access to the linker's own state.

use crate::program::Program;

/// The types by which an engine names what it has made.
pub trait Objects {
    /// An instance. A clone is another name for the same one.
    type Instance: Clone;
    /// Anything that can be imported: function, global, memory, table or tag. A clone is another name for it.
    type Extern: Clone;
}

/// The place where a process keeps its [`Program`].
pub trait State: Objects {
    /// Visits the linker's state. `visit` cannot reach an engine or a file, and cannot wait: so no borrow of the state crosses
    /// an `.await`, and guest code that runs there may call `dlopen`.
    fn program<R>(
        &mut self,
        visit: impl FnOnce(&mut Program<Self::Instance, Self::Extern>) -> R,
    ) -> R;
}
