//! Runs cases of the conformance suite on the engine that this module itself runs on.
//!
//! The entry of a test Worker has the modules of a case compiled and calls [`answer`]; who asked is
//! `host/workerd/tests/conformance`, which knows the cases and what they are to say.

mod engine;
mod linking;
mod live;
mod measured;
mod subject;
mod task;

use js_sys::Map;
use pymode_dylink_conformance::script::Script;
use pymode_dylink_conformance::{faults, run};
use wasm_bindgen::prelude::*;

use crate::subject::JsSubject;
use crate::task::{Task, TaskOutput, What};

/// Does a [`Task`], which comes as JSON, and says what came of it, as JSON. `modules` are compiled, or sentences that say
/// why they are not, by key.
///
/// # Errors
/// When the task makes no sense.
#[wasm_bindgen]
pub fn answer(task: &str, modules: &Map) -> Result<String, JsError> {
    let task: Task = serde_json::from_str(task)?;
    linking::provide(&task, modules)?;
    let files = task.files();
    // What goes wrong in the case is an answer.
    let said: Result<TaskOutput, String> = match task.what {
        What::Run => Script::parse(&task.script)
            .and_then(|script| run::<JsSubject>(&script, files))
            .map(|said| TaskOutput {
                errors: said.errors,
                ..TaskOutput::default()
            }),
        What::Faults => Script::parse(&task.script)
            .and_then(|script| faults::<JsSubject>(&script, &files))
            .map(|()| TaskOutput::default()),
        What::Open(count) => measured::open(files, count, false).map(|()| TaskOutput::default()),
        What::OpenLate(count) => measured::open(files, count, true).map(|()| TaskOutput::default()),
        What::Instantiate(count) => {
            measured::instantiate(&files, count).map(|()| TaskOutput::default())
        }
        What::Symbols(count) => measured::symbols(files, count).map(|()| TaskOutput::default()),
        What::Properties(count) => {
            measured::properties(&files, count).map(|()| TaskOutput::default())
        }
        What::Call(count) => measured::call(files, count).map(|()| TaskOutput::default()),
        What::Processes(count, libraries, flags) => {
            live::processes(files, count, libraries, flags).map(|()| TaskOutput::default())
        }
        What::BareProcesses(count, libraries) => {
            live::bare_processes(&files, count, libraries).map(|()| TaskOutput::default())
        }
        What::Step(step) => live::step(files, &step).map(|sizes| TaskOutput {
            sizes,
            ..TaskOutput::default()
        }),
        What::CallBare(count) => measured::call_bare(&files, count).map(|()| TaskOutput::default()),
    };
    Ok(serde_json::to_string(&said)?)
}
