//! Serves a bundle in a local workerd.

mod config;
mod workerd;

pub use workerd::{Compiled, LocalWorkerd, LogTarget, ServeError};
