//! Loads the libraries that main was linked with, when main first opens itself and before its own code runs.
//!
//! It is one load group, whose root is main: main is searched first, its libraries breadth first after it, all are in the
//! global scope and stay for good. Main's addresses are numbers before any library has one. So a function of a
//! library gets the slot that main has for it, and a datum that main has for a library begins with the library's bytes
//! ([`Substitutes`](crate::Substitutes)).

use alloc::sync::Arc;

use crate::act::apply::register;
use crate::calls::error::OpenError;
use crate::calls::open::{decide, load};
use crate::calls::process::Process;
use crate::calls::trace;
use crate::find::gather::gather_for_main;
use crate::program::Shared;
use crate::program::ids::ModuleId;

/// Loads what main was linked with, unless it is loaded or being loaded.
pub(crate) async fn start<P: Process>(
    process: &mut P,
    shared: &Shared<P::Extern>,
) -> Result<(), OpenError<P::Error>> {
    let main = process.program(|program| {
        let main = program.modules.get(&ModuleId::MAIN)?;
        if program.is_started || main.info.needed.is_empty() {
            return None;
        }
        program.is_started = true;
        Some(Arc::clone(&main.path))
    });
    let Some(path) = main else { return Ok(()) };
    let started = load_for_main(process, shared, &path).await;
    if started.is_err() {
        process.program(|program| {
            program.is_started = false;
            if let Some(main) = program.modules.get_mut(&ModuleId::MAIN) {
                main.needs.clear();
            }
        });
    }
    started
}

async fn load_for_main<P: Process>(
    process: &mut P,
    shared: &Shared<P::Extern>,
    path: &str,
) -> Result<(), OpenError<P::Error>> {
    let (group, sources) = gather_for_main(process).await?;
    let plan = decide(process, path, &group, None)?;
    trace::plan(process, path, &group, &plan);
    let mut linked = register(process, &group, &plan);
    match load(process, shared, &plan, &sources, &mut linked).await {
        Ok(()) => {
            process.program(|program| program.commit(&linked.ids));
            linked.undo.keep();
            Ok(())
        }
        Err(error) => {
            linked.undo.roll_back(process).await;
            Err(error.into())
        }
    }
}
