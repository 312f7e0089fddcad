//! Builds what runs inside a Worker, bundles it with Python, and serves it in a local workerd.

pub mod bundle;
pub mod config;
mod cwd;
pub mod door;
mod entry;
pub mod linker;
pub mod manifest;
mod module;
mod notice;
pub mod pack;
pub mod project;
mod prune;
pub mod python;
pub mod run;
pub mod serve;
mod share;
pub mod skeleton;
pub mod stdlib;
pub mod window;
pub mod worker;
pub mod wrangler;

// One text for both ends of the wire.
#[path = "../../worker/src/wire.rs"]
mod wire;

pub use bundle::{Bundle, Kind, Mode, Module, Place};
pub use cwd::Room;
pub use manifest::{Manifest, ManifestError, Settings};
pub use project::{Project, ProjectError};
pub use python::{MEMORY_LIMIT, Python, PythonError};
pub use run::{Exit, Run, RunError};
pub use serve::{Compiled, LocalWorkerd, Log, ServeError};
pub use share::Share;
