//! The cases as tests.

use libtest_mimic::{Failed, Trial};

use crate::case::{self, Case};
use crate::golden;
use crate::run::{CaseOutput, run};
use crate::subject::Subject;

/// One test for each case, named `engine/case`.
#[must_use]
pub fn trials<S: Subject + 'static>(engine: &str) -> Vec<Trial> {
    case::all()
        .into_iter()
        .filter(|case| S::RUNS || !case.script.runs)
        .map(|case| {
            Trial::test(format!("{engine}/{}", case.name), move || {
                let said = run::<S>(&case.script, case.files()?)?;
                check(&case, &said).map_err(Failed::from)
            })
        })
        .collect()
}

/// Compares what was said with what stands beside the case.
///
/// # Errors
/// With both texts.
pub fn check(case: &Case, said: &CaseOutput) -> Result<(), String> {
    golden::check(&case.path, "error.txt", &said.errors)?;
    match &said.plan {
        Some(plan) => golden::check(&case.path, "plan.txt", plan),
        None => Ok(()),
    }
}
