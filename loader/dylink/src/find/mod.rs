//! From a path to a load group.

pub(crate) mod error;
pub(crate) mod files;
pub(crate) mod gather;
pub(crate) mod group;
pub(crate) mod search;
