//! Builds wheels with side modules from a name, an sdist or a source tree.
//!
//! ```text
//! Spec ──lock──► exact files ──sdist──► source tree ──backend──► wheel ──check──► cache
//! ```
//!
//! The package's own build backend does the work, in a native Python, with the guest's compilers and `sysconfig`. Recipes
//! are for exceptions. Every wheel is checked: one that would not load is an error.

mod build;
pub mod check;
mod cross;
mod diagnosis;
mod environment;
mod error;
mod finish;
mod headers;
mod hook;
mod job;
mod library;
mod lock;
mod marker;
mod name;
mod overlay;
mod project;
mod pylock;
mod pyproject;
mod recipe;
mod requirement;
mod sdist;
mod site;
mod skips;
mod spec;
mod suite;
mod sync;
mod version;
mod wheel;

/// Hash of this crate's sources, part of the key of everything that it puts into the cache.
const SOURCES: &str = env!("SOURCES");

pub use build::{Builder, Keep};
pub use check::check;
pub use cross::Target;
pub use error::Error;
pub use name::ProjectName;
pub use pyproject::Project;
pub use recipe::{Recipe, RecipeError, TestRecipe};
pub use requirement::Requirement;
pub use spec::{Spec, SpecError};
pub use suite::{Files, Outcome, Suite};
pub use sync::Prefer;
pub use version::Version;
pub use wheel::{Wheel, WheelError, WheelName};
