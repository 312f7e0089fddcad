//! Whole-runtime tests: what a user types, run by the real command on each engine, and what must come back.
//!
//! A case is an entry in a file of `cases/`; the file's name is its group. `runtime.rs` mounts every case over every
//! engine, so a test's name reads `wasmtime/plain/exit-code`.

mod case;
mod command;
mod verdict;

pub use case::{Case, load_all};
pub use command::{Engine, Pymode};
pub use verdict::judge;
