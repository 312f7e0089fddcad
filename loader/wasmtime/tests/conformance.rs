//! The cases over wasmtime: what is bound really runs.

mod process;

use std::process::ExitCode;

use libtest_mimic::Arguments;
use pymode_dylink_conformance::trials;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let mut all = trials::<process::Guest>("wasmtime");
    all.extend(trials::<process::PlannedGuest>("wasmtime-plan"));
    libtest_mimic::run(&arguments, all).exit_code()
}
