//! The cases over the fake engine: how each load group is bound, decided at run time and by a plan.

use std::process::ExitCode;

use libtest_mimic::Arguments;
use pymode_dylink_conformance::fake::{Fake, Planned};
use pymode_dylink_conformance::trials;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let mut all = trials::<Fake>("fake");
    all.extend(trials::<Planned>("plan"));
    libtest_mimic::run(&arguments, all).exit_code()
}
