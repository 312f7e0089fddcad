//! How a load group is bound: plain data in, a plan out.

pub(crate) mod plan;
pub(crate) mod resolve;
pub(crate) mod thunk;
pub(crate) mod unresolved;
