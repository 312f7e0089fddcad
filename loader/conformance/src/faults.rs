//! An engine that fails, once, at each of its calls.

use std::fmt::Debug;

use pymode_dylink::Census;

use crate::files::Files;
use crate::script::{Script, Step};
use crate::subject::Subject;

/// A subject whose engine can fail on request.
pub trait Faulty: Subject {
    /// Everything that a failed `dlopen` must leave as it was.
    type Snapshot: PartialEq + Debug;

    /// Returns the number of engine calls.
    fn calls(&self) -> u32;

    /// Lets the engine call after `calls` others fail, once.
    fn fail_in(&mut self, calls: Option<u32>);

    /// Returns `true` if the failure is still to come.
    fn will_fail(&self) -> bool;

    /// Returns `true` if code of a side module has run since the last call.
    fn take_guest_ran(&mut self) -> bool;

    /// Returns `true` if guest code has called `dlopen` since the last call.
    fn take_guest_opened(&mut self) -> bool {
        false
    }

    /// Returns the size of the table.
    fn table_size(&self) -> usize;

    /// The state now.
    fn snapshot(&self) -> Self::Snapshot;

    /// Returns the state of the linker.
    fn census(&self) -> Census;

    /// Returns the shadow stack pointer.
    fn stack_pointer(&self) -> u32;
}

/// Lets every engine call of every `dlopen` of a case fail, each in a process of its own.
///
/// # Errors
/// With the first one after which something was left, or the same `dlopen` did not do what it does without a fault.
pub fn faults<F: Faulty>(script: &Script, files: &Files) -> Result<(), String> {
    let opens: Vec<_> = script.step.iter().filter_map(open_step).collect();
    for at in 0..opens.len() {
        let mut clean = prepared::<F>(files, &opens[..at]);
        let before = clean.calls();
        let opened = open(&mut clean, &opens[at]) != 0;
        for fault in 0..clean.calls() - before {
            let mut process = prepared::<F>(files, &opens[..at]);
            one_fault(&mut process, &opens[at], fault, &clean, opened)
                .map_err(|error| format!("{:?}, engine call {fault}: {error}", opens[at].0))?;
        }
    }
    Ok(())
}

type Open = (Option<String>, u32);

fn open_step(step: &Step) -> Option<Open> {
    match step {
        Step::Open { path, flags, .. } => {
            let bits = flags.iter().fold(2, |bits, flag| bits | flag.bits());
            Some((path.clone(), bits))
        }
        _ => None,
    }
}

fn prepared<F: Faulty>(files: &Files, opens: &[Open]) -> F {
    let mut process = F::new(files.clone());
    // Main becomes known by the first call, and stays known.
    let _ = process.sym(0, "no such symbol");
    for step in opens {
        let _ = open(&mut process, step);
    }
    process.take_guest_ran();
    process.take_guest_opened();
    process
}

fn open<F: Faulty>(process: &mut F, (path, flags): &Open) -> u32 {
    process.open(path.as_deref(), *flags)
}

fn one_fault<F: Faulty>(
    process: &mut F,
    step: &Open,
    fault: u32,
    clean: &F,
    opened: bool,
) -> Result<(), String> {
    let (before, census, stack) = (
        process.snapshot(),
        process.census(),
        process.stack_pointer(),
    );
    process.fail_in(Some(fault));
    let handle = open(process, step);
    if process.will_fail() {
        return Err("the run is shorter than the one without faults".into());
    }
    // A guest that opens libraries itself goes another way when it fails at it.
    let guest_opened = process.take_guest_opened();
    if handle == 0 {
        let guest_ran = process.take_guest_ran();
        if !guest_ran {
            same("the state", &before, &process.snapshot())?;
        } else if !guest_opened {
            // The guest may hold pointers: memory and slots stay, and nothing else.
            same_census(&census, &process.census())?;
            same("the stack", &stack, &process.stack_pointer())?;
        }
        let again = open(process, step) != 0;
        if again != opened {
            return Err(format!(
                "the same dlopen afterwards: {again}, without a fault: {opened}"
            ));
        }
        if !guest_ran && process.table_size() != clean.table_size() {
            return Err("slots were lost".into());
        }
    } else if !opened {
        return Err("it succeeds only with a fault".into());
    }
    if guest_opened {
        return Ok(());
    }
    same_census(&clean.census(), &process.census())
}

fn same_census(wanted: &Census, found: &Census) -> Result<(), String> {
    same("what is loaded", &wanted.modules, &found.modules)?;
    same("the global scope", &wanted.global, &found.global)?;
    same("the files", &wanted.files, &found.files)
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, before: &T, after: &T) -> Result<(), String> {
    if before == after {
        return Ok(());
    }
    Err(format!("{what} was {before:#?}\nand is {after:#?}"))
}
