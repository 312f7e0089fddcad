//! The cases as tests.

use libtest_mimic::{Failed, Trial};

use crate::case::{self, Case};
use crate::golden;
use crate::run::{Said, run};
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
pub fn check(case: &Case, said: &Said) -> Result<(), String> {
    check_with(case, said, |_| true)
}

/// The same for an engine that cannot look into the modules that it runs, as it never has their bytes: it says nothing of how a
/// missing symbol is reached, or of who has it for itself.
///
/// # Errors
/// With both texts.
pub fn check_without_a_closer_look(case: &Case, said: &Said) -> Result<(), String> {
    const CLOSER: [&str; 3] = [
        "      reached ",
        "      hint: give it default visibility",
        "has a function of this name, but does not export it",
    ];
    check_with(case, said, |line| {
        !CLOSER.iter().any(|part| line.contains(part))
    })
}

fn check_with(case: &Case, said: &Said, can_say: impl Fn(&str) -> bool) -> Result<(), String> {
    golden::check(&case.path, "error.txt", &said.errors, can_say)?;
    match &said.plan {
        Some(plan) => golden::check(&case.path, "plan.txt", plan, |_| true),
        None => Ok(()),
    }
}
