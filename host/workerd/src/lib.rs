//! Builds what runs inside a Worker, bundles it with Python, and serves it in a local workerd.

pub mod bundle;
pub mod config;
mod conversation;
mod cwd;
mod entry;
mod fault;
pub mod limit;
pub mod link;
pub mod manifest;
pub mod memory_view;
mod module;
mod notice;
pub mod pack;
pub mod program;
pub mod project;
mod prune;
pub mod python;
pub mod rewritten;
mod run;
pub mod runtime;
pub mod serve;
mod share;
mod sources;
pub mod stdlib;
pub mod stub;
mod symbols;
pub mod thunk;
mod tree;
pub mod worker;
pub mod wrangler;

/// A hash of what this library is made of, for the keys of what it makes: other words may make other files of the same input.
const OWN_SOURCES: &str = env!("PYMODE_WORKERD_SOURCES");

pub use bundle::{Bundle, Kind, Module, Place};
pub use cwd::Room;
pub use manifest::{Manifest, ManifestError, Settings};
pub use program::{Program, ProgramError};
pub use project::{Project, ProjectError};
pub use pymode_bundle::Mode;
pub use pymode_bundle::paths::SOURCES;
pub use pymode_host::{Exit, GuestFailure};
pub use python::{MEMORY_LIMIT, Python};
pub use run::{Run, RunError};
pub use runtime::{Runtime, RuntimeError};
pub use serve::{Compiled, LocalWorkerd, Log, ServeError};
pub use share::Share;
pub use sources::Sources;
