//! Every engine call of every `dlopen` of every case fails once: then nothing is left of it, and the same `dlopen`
//! succeeds.

use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};
use pymode_dylink_conformance::fake::Fake;
use pymode_dylink_conformance::{case, faults};

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let trials = case::all()
        .into_iter()
        .map(|case| {
            Trial::test(format!("faults/{}", case.name), move || {
                faults::<Fake>(&case.script, &case.files()?).map_err(Failed::from)
            })
        })
        .collect();
    libtest_mimic::run(&arguments, trials).exit_code()
}
