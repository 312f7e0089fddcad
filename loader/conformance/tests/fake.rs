//! The cases over the fake engine: how each load group is bound.

use std::process::ExitCode;

use libtest_mimic::Arguments;
use pymode_dylink_conformance::fake::Fake;
use pymode_dylink_conformance::trials;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    libtest_mimic::run(&arguments, trials::<Fake>("fake")).exit_code()
}
