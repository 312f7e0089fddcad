//! Whole-runtime tests: command lines, run by the real command on each engine, and their expected results.
//!
//! A case is an entry in a file of `cases/`; the file's name is its group. `runtime.rs` runs every case on every engine, so a
//! test's name reads `wasmtime/plain/exit-code`.

mod case;
mod command;
mod sdist;
mod verdict;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

pub use case::{Case, load_all};
pub use command::{Engine, Pymode};
pub use sdist::sdist;
pub use verdict::judge;

/// Runs the trials of the command, with this test's own arguments.
pub fn run(trials: impl FnOnce(&Pymode) -> Vec<Trial>) -> ExitCode {
    let arguments = Arguments::from_args();
    match Pymode::find() {
        Ok(pymode) => libtest_mimic::run(&arguments, trials(&pymode)).exit_code(),
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
