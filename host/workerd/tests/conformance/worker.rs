//! The Worker that runs the cases, with the modules of all cases.

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::OnceLock;

use libtest_mimic::Failed;
use pymode_dylink_conformance::case::all;
use pymode_workerd_linker::Linker;

use crate::packed::{Modules, Packed};
use crate::task::{Task, TaskOutput};

/// A workerd that is started by the first case.
#[derive(Default)]
pub(crate) struct TestWorker(OnceLock<Result<Linker, String>>);

impl TestWorker {
    /// Runs a task.
    pub(crate) fn ask(&self, task: &Task) -> Result<TaskOutput, Failed> {
        let linker = self
            .0
            .get_or_init(|| serve().map_err(|error| error.to_string()));
        let answer = linker.as_ref()?.ask(&serde_json::to_vec(task)?)?;
        let said: Result<TaskOutput, String> = serde_json::from_slice(&answer)?;
        Ok(said?)
    }
}

fn serve() -> Result<Linker, Box<dyn Error>> {
    let mut compiled = BTreeMap::new();
    for case in all() {
        for modules in [Modules::AsTheyAre, Modules::Rewritten] {
            let packed = Packed::new(&case, modules).map_err(|error| format!("{error:?}"))?;
            compiled.extend(packed.modules);
        }
    }
    Ok(Linker::serve(compiled)?)
}
