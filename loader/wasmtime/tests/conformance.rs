//! The cases over wasmtime: what is bound really runs. Their modules, and what is made of them for a closed set.

#[path = "../../rewrite/tests/case/mod.rs"]
mod case;
mod process;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};
use pymode_dylink_conformance::case::all;
use pymode_dylink_conformance::{CaseOutput, Subject, check, run, trials};
use pymode_dylink_rewrite::Kinds;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let mut all = trials::<process::WasmtimeSubject>("wasmtime");
    all.extend(trials::<process::PlannedSubject>("wasmtime-plan"));
    all.extend(rewritten::<process::WasmtimeSubject>("wasmtime-rewritten"));
    all.extend(rewritten::<process::PlannedSubject>(
        "wasmtime-plan-rewritten",
    ));
    libtest_mimic::run(&arguments, all).exit_code()
}

/// Checks that rewritten modules give the same output as the original ones.
fn rewritten<S: Subject + 'static>(engine: &str) -> Vec<Trial> {
    let trial = |case: pymode_dylink_conformance::case::Case| {
        Trial::test(format!("{engine}/{}", case.name), move || {
            let (files, _) = case::rewritten(&case, Kinds::ALL)?;
            let said = CaseOutput {
                errors: run::<S>(&case.script, files)?.errors,
                plan: None,
            };
            check(&case, &said).map_err(Failed::from)
        })
    };
    all().into_iter().map(trial).collect()
}
