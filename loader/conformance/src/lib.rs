//! Cases that every engine of [`pymode_dylink`] must pass.
//!
//! A case is a folder below `cases/`: a `case.toml` that says which rule it shows and what is done, and the modules as
//! `.wat`. An engine mounts all of them by [`trials`] with something that makes a [`Subject`]. [`fake`] is an engine that
//! runs nothing, checks everything and can fail at any call.
//!
//! What is expected as text stands beside the case: `plan.txt` is how each load group is bound, `error.txt` is what
//! `dlerror` says. With `BLESS=1` they are written instead of compared.

pub mod case;
pub mod fake;
pub mod files;
mod golden;
mod run;
mod subject;

pub use run::trials;
pub use subject::Subject;
