//! Fuzz targets of the linker.
//!
//! A target is a function that takes bytes and panics when something is wrong. [`TARGETS`] lists those that need no engine:
//! `fuzz/` runs them under libFuzzer, `tests/bounded.rs` for a while on the stable compiler, with the same bytes each time.
//! [`story`] is the structured one: bytes become a group of side modules and a program that uses them, a model predicts the
//! results, and every [`Subject`](pymode_dylink_conformance::Subject) has to agree.

#![warn(clippy::missing_errors_doc)]

mod bytes;
mod generate;
mod model;
mod parse;
pub mod story;

pub use bytes::Random;
pub use parse::{dylink_section, module, plan};

/// A target.
pub type Target = fn(&[u8]);

/// Every target that needs no engine, by name.
pub const TARGETS: &[(&str, Target)] = &[
    ("dylink_section", dylink_section),
    ("module", module),
    ("plan", plan),
    ("story", story::on_fake),
];
