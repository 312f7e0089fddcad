//! Whole-runtime tests: what a user types, run by the real command on each engine, and what must come back.
//!
//! A case is an entry in a file of `cases/`; the file's name is its group. `runtime.rs` mounts every case over every
//! engine, so a test's name reads `wasmtime/plain/exit-code`.

mod case;
mod command;
mod verdict;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

pub use case::{Case, load_all};
pub use command::{Engine, Pymode};
pub use verdict::judge;

/// Runs what `trials` makes of the command, as the arguments of this test say.
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
