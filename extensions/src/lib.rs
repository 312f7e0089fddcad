//! From a name, an sdist or a source tree to a wheel with side modules.
//!
//! ```text
//! Spec ──lock──► exact files ──sdist──► source tree ──backend──► wheel ──check──► cache
//! ```
//!
//! The package's own build backend does the building, under a native Python, with compilers and `sysconfig` that are the
//! guest's; recipes are for exceptions. Nothing leaves this crate unchecked: a wheel that would not load is an error.

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
mod overlay;
mod project;
mod pylock;
mod pyproject;
mod recipe;
mod sdist;
mod site;
mod skips;
mod spec;
mod suite;
mod sync;
mod wheel;

pub use build::{Builder, Keep};
pub use check::check;
pub use cross::Target;
pub use error::Error;
pub use pyproject::{Project, Requirement};
pub use recipe::{Recipe, RecipeError, TestRecipe};
pub use spec::{ProjectName, Spec, SpecError, Version};
pub use suite::{Files, Outcome, Suite};
pub use sync::Prefer;
pub use wheel::{Wheel, WheelError, WheelName};
