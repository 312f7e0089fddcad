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
use crate::task::{Said, Task, What};

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
    let said: Result<Said, String> = match task.what {
        What::Run => Script::parse(&task.script)
            .and_then(|script| run::<JsSubject>(&script, files))
            .map(|said| Said {
                errors: said.errors,
                ..Said::default()
            }),
        What::Faults => Script::parse(&task.script)
            .and_then(|script| faults::<JsSubject>(&script, &files))
            .map(|()| Said::default()),
        What::Open(count) => measured::open(files, count, false).map(|()| Said::default()),
        What::OpenLate(count) => measured::open(files, count, true).map(|()| Said::default()),
        What::Instantiate(count) => measured::instantiate(&files, count).map(|()| Said::default()),
        What::Symbols(count) => measured::symbols(files, count).map(|()| Said::default()),
        What::Properties(count) => measured::properties(&files, count).map(|()| Said::default()),
        What::Call(count) => measured::call(files, count).map(|()| Said::default()),
        What::Processes(count, libraries, flags) => {
            live::processes(files, count, libraries, flags).map(|()| Said::default())
        }
        What::BareProcesses(count, libraries) => {
            live::bare_processes(&files, count, libraries).map(|()| Said::default())
        }
        What::Step(step) => live::step(files, &step).map(|sizes| Said {
            sizes,
            ..Said::default()
        }),
        What::CallBare(count) => measured::call_bare(&files, count).map(|()| Said::default()),
    };
    Ok(serde_json::to_string(&said)?)
}
