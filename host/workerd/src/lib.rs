//! Builds what runs inside a Worker, bundles it with Python, and serves it in a local workerd.

pub mod bundle;
pub mod config;
mod cwd;
pub mod door;
pub mod pack;
pub mod project;
pub mod python;
pub mod run;
pub mod serve;
pub mod skeleton;
pub mod window;
pub mod worker;
pub mod wrangler;

// One text for both ends of the wire.
#[path = "../../worker/src/wire.rs"]
mod wire;

pub use bundle::{Bundle, Mode};
pub use project::{Project, ProjectError};
pub use python::{MEMORY_LIMIT, Python, PythonError};
pub use run::{Exit, Run, RunError};
pub use serve::{LocalWorkerd, ServeError};
