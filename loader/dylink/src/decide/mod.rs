//! Decides the bindings of a load group: plain data in, a plan out.

pub(crate) mod binding;
pub(crate) mod error;
pub(crate) mod plan;
pub(crate) mod print;
pub(crate) mod resolve;
pub(crate) mod scope;
pub(crate) mod substitute;
pub(crate) mod thunk;
pub(crate) mod unresolved;
