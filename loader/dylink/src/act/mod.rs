//! A plan carried out, and taken back if it fails.

pub(crate) mod apply;
pub(crate) mod bind;
pub(crate) mod copy;
pub(crate) mod engine;
pub(crate) mod error;
pub(crate) mod initialize;
pub(crate) mod memory;
pub(crate) mod stack;
pub(crate) mod undo;
