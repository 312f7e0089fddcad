//! Cases that every engine of [`pymode_dylink`] must pass.
//!
//! A case is a folder below `cases/`: a `case.toml` that says which rule it shows and what is done, and the modules as
//! `.wat`. An engine mounts all of them by [`trials`] with something that makes a [`Subject`]; one that lives in a Worker is
//! sent each case, and does there what [`run()`] does. [`fake`] is an engine that runs nothing, checks everything and can fail
//! at any call; [`faults()`] lets any [`Faulty`] one fail everywhere.
//!
//! What is expected as text stands beside the case: `plan.txt` is how each load group is bound, `error.txt` is what
//! `dlerror` says. With `BLESS=1` they are written instead of compared.
#![warn(clippy::missing_errors_doc)]

#[cfg(not(target_family = "wasm"))]
pub mod case;
mod config;
#[cfg(not(target_family = "wasm"))]
pub mod fake;
mod faults;
pub mod files;
#[cfg(not(target_family = "wasm"))]
mod golden;
mod run;
pub mod script;
mod subject;
#[cfg(not(target_family = "wasm"))]
mod trials;

pub use config::{CONTRACT, config};
pub use faults::{Faulty, faults};
pub use run::{CaseOutput, run};
pub use subject::Subject;
#[cfg(not(target_family = "wasm"))]
pub use trials::{check, trials};
