//! The cases over wasmtime: what is bound really runs.

mod process;

use std::process::ExitCode;

use libtest_mimic::Arguments;
use pymode_dylink_conformance::trials;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    libtest_mimic::run(&arguments, trials::<process::Guest>("wasmtime")).exit_code()
}
