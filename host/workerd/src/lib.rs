//! Builds what runs inside a Worker, bundles it with Python, and serves it in a local workerd.

pub mod bundle;
pub mod config;
mod conversation;
mod cwd;
pub mod door;
mod entry;
mod fault;
pub mod limit;
pub mod link;
pub mod linker;
pub mod manifest;
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
pub mod stdlib;
mod symbols;
pub mod ticket;
mod tree;
pub mod window;
pub mod worker;
pub mod wrangler;

// One text for both ends of the wire.
#[path = "../../worker/src/wire.rs"]
mod wire;

pub use bundle::{Bundle, Kind, Mode, Module, Place};
pub use cwd::Room;
pub use manifest::{Manifest, ManifestError, Settings};
pub use program::{Program, ProgramError};
pub use project::{Project, ProjectError};
pub use pymode_bundle::paths::SOURCES;
pub use pymode_host::{Exit, GuestFailure};
pub use python::{MEMORY_LIMIT, Python};
pub use run::{Run, RunError};
pub use runtime::{Runtime, RuntimeError};
pub use serve::{Compiled, LocalWorkerd, Log, ServeError};
pub use share::Share;
