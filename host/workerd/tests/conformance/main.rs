//! The linker on V8, in a real workerd: runs the cases of `loader/conformance`, and again with a failure of every engine call.
//!
//! A Worker cannot compile, so the modules of all cases are in one bundle, like the side modules of a program: their files are
//! stubs, and their code is fetched by key. Every case also runs with a link plan, and with rewritten modules, as in a bundle.
//! `loader/js/tests/worker` runs the cases.

#[path = "../../../../loader/rewrite/tests/case/mod.rs"]
mod case;
mod packed;
// Both ends of the wire include it.
#[path = "../../../../loader/js/tests/worker/src/task.rs"]
mod task;
mod worker;

use std::process::ExitCode;
use std::sync::Arc;

use libtest_mimic::{Arguments, Failed, Trial};
use pymode_dylink_conformance::case::{Case, all};
use pymode_dylink_conformance::{CaseOutput, check};

use crate::packed::{Modules, Packed};
use crate::task::{Task, What};
use crate::worker::TestWorker;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let worker = Arc::new(TestWorker::default());
    let trials = all().into_iter().flat_map(|case| {
        let case = Arc::new(case);
        let ways = [
            ("workerd", What::Run, false, Modules::AsTheyAre),
            ("workerd/plan", What::Run, true, Modules::AsTheyAre),
            ("workerd/faults", What::Faults, false, Modules::AsTheyAre),
            (
                "workerd/plan/faults",
                What::Faults,
                true,
                Modules::AsTheyAre,
            ),
            ("workerd/rewritten", What::Run, false, Modules::Rewritten),
            (
                "workerd/plan/rewritten",
                What::Run,
                true,
                Modules::Rewritten,
            ),
            (
                "workerd/plan/rewritten/faults",
                What::Faults,
                true,
                Modules::Rewritten,
            ),
        ];
        ways.map(|(prefix, what, by_plan, modules)| {
            let (case, worker) = (Arc::clone(&case), Arc::clone(&worker));
            let name = format!("{prefix}/{}", case.name);
            Trial::test(name, move || run(&worker, &case, what, by_plan, modules))
        })
    });
    let conclusion = libtest_mimic::run(&arguments, trials.collect());
    conclusion.exit_code()
}

fn run(
    worker: &TestWorker,
    case: &Case,
    what: What,
    by_plan: bool,
    modules: Modules,
) -> Result<(), Failed> {
    let packed = Packed::new(case, modules)?;
    let said = worker.ask(&Task {
        script: case.text.clone(),
        what,
        by_plan,
        set: 0,
        plan: packed.plan,
        files: packed.files,
        library_path: case.script.library_path.clone(),
        keys: packed.modules.into_iter().map(|(key, _)| key).collect(),
    })?;
    if matches!(what, What::Faults) {
        return Ok(());
    }
    let said = CaseOutput {
        errors: said.errors,
        plan: None,
    };
    check(case, &said).map_err(Failed::from)
}
