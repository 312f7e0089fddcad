//! Makes a bundle: from a project or a program, the Worker's code, and images.
//!
//! | module | contents |
//! |---|---|
//! | [`worker`], [`sources`], [`thunk`], [`memory_view`] | the Worker's code: its sources, and the small modules around it |
//! | [`manifest`], [`project`], [`tree`] | a project and its settings |
//! | [`python`], [`stdlib`] | the interpreter and the standard library |
//! | [`pack`], [`stub`] | files as a Worker gets them |
//! | [`rewritten`], [`prune`], [`limit`] | changes of modules: side modules for a closed set, exports, memory |
//! | [`link`], [`entry`], [`assemble`] | the link plan, the entry, the bundle |
//! | [`notice`], [`share`], [`wrangler`] | messages in a bundle, its size, and a folder for wrangler |

pub(crate) mod assemble;
mod entry;
pub(crate) mod limit;
pub mod link;
pub(crate) mod manifest;
pub(crate) mod memory_view;
mod notice;
pub mod pack;
pub(crate) mod project;
mod prune;
pub(crate) mod python;
pub(crate) mod rewritten;
pub(crate) mod share;
pub(crate) mod sources;
pub(crate) mod stdlib;
pub mod stub;
pub(crate) mod thunk;
mod tree;
pub mod worker;
pub mod wrangler;
