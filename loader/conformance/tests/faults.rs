//! Every engine call of every `dlopen` of every case fails once: then nothing is left of it, and the same `dlopen`
//! succeeds.

use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};
use pymode_dylink_conformance::case::{self, Case, Step};
use pymode_dylink_conformance::fake::Fake;
use pymode_dylink_conformance::{Subject, files::Files};

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let trials = case::all()
        .into_iter()
        .map(|case| {
            Trial::test(format!("faults/{}", case.name), move || {
                faults(&case).map_err(Failed::from)
            })
        })
        .collect();
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn faults(case: &Case) -> Result<(), String> {
    let files = case.files()?;
    let opens: Vec<_> = case.script.step.iter().filter_map(open_step).collect();
    for at in 0..opens.len() {
        let clean = {
            let mut process = prepared(&files, &opens[..at]);
            let before = process.calls();
            let opened = open(&mut process, &opens[at]) != 0;
            (process, opened, before)
        };
        let (clean, opened, before) = clean;
        for fault in 0..clean.calls() - before {
            let mut process = prepared(&files, &opens[..at]);
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

fn prepared(files: &Files, opens: &[Open]) -> Fake {
    let mut process = Fake::process(files.clone());
    // Main becomes known by the first call, and stays known.
    let _ = process.sym(0, "no such symbol");
    for step in opens {
        let _ = open(&mut process, step);
    }
    process.take_guest_ran();
    process
}

fn open(process: &mut Fake, (path, flags): &Open) -> u32 {
    process.open(path.as_deref(), *flags)
}

fn one_fault(
    process: &mut Fake,
    step: &Open,
    fault: u32,
    clean: &Fake,
    opened: bool,
) -> Result<(), String> {
    let before = process.snapshot();
    process.fail_in(Some(fault));
    let handle = open(process, step);
    if process.will_fail() {
        return Err("the run is shorter than the one without faults".into());
    }
    if handle == 0 {
        let after = process.snapshot();
        let guest_ran = process.take_guest_ran();
        if guest_ran {
            // The guest may hold pointers: memory and slots stay, and nothing else.
            same(
                "what is loaded",
                &before.census.modules,
                &after.census.modules,
            )?;
            same(
                "the global scope",
                &before.census.global,
                &after.census.global,
            )?;
            same("the files", &before.census.files, &after.census.files)?;
            same("the stack", &before.stack_pointer, &after.stack_pointer)?;
        } else {
            same("the state", &before, &after)?;
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
    let (found, wanted) = (process.snapshot(), clean.snapshot());
    same(
        "what is loaded",
        &wanted.census.modules,
        &found.census.modules,
    )?;
    same(
        "the global scope",
        &wanted.census.global,
        &found.census.global,
    )?;
    same("the files", &wanted.census.files, &found.census.files)
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, before: &T, after: &T) -> Result<(), String> {
    if before == after {
        return Ok(());
    }
    Err(format!("{what} was {before:#?}\nand is {after:#?}"))
}
