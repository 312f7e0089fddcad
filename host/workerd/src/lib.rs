//! Builds the code that runs inside a Worker, bundles it with Python, and serves it in a local workerd.
//!
//! | folder | contents |
//! |---|---|
//! | `make/` | makes a [`Bundle`] |
//! | `serve/` | serves a [`Bundle`] in a local workerd |
//! | `run/` | makes a bundle for one program, serves it, and exchanges frames with it |
//!
//! `make/` and `serve/` do not use each other.

mod bundle;
mod make;
mod module;
mod python;
mod run;
mod runtime;
mod serve;
mod symbols;

/// A hash of the sources that determine this library's output, for cache keys.
const OWN_SOURCES: &str = env!("PYMODE_WORKERD_SOURCES");

pub use bundle::{Bundle, Module, ModuleKind, WriteMode};
pub use make::manifest::{Manifest, ManifestError, Settings};
pub use make::project::{Project, ProjectError};
pub use make::python::MEMORY_LIMIT;
pub use make::share::Share;
pub use make::sources::{SourceLocation, Sources};
pub use make::{link, pack, stub, worker, wrangler};
pub use pymode_bundle::WorkerMode;
pub use pymode_bundle::paths::SOURCES;
pub use pymode_host::{Exit, GuestFailure};
pub use python::Python;
pub use run::{Program, ProgramError, Room, Run, RunError};
pub use runtime::{Runtime, RuntimeError};
pub use serve::{Compiled, LocalWorkerd, LogTarget, ServeError};
