//! The linker's view of a case: its files, and the modules that were compiled of them.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use js_sys::{Map, Object, Promise, WebAssembly};
use pymode_dylink::{ContentHash, FetchError, FileId, Inspection, Main, ModuleInfo, Plan, Program};
use pymode_dylink_conformance::files::{Files, MAIN};
use pymode_dylink_js::{
    CommonThunks, Host, JsEngineError, JsExtern, JsFailure, JsInstance, JsSource, Modules,
    NotKnown, key, stub_hash,
};
use wasm_bindgen::prelude::*;

use crate::task::Task;

/// Name of the case's notes.
const NOTES: &str = "notes";

thread_local! {
    static MODULES: Modules = Modules::default();
    static PLAN: RefCell<Option<(Arc<Plan>, bool)>> = const { RefCell::new(None) };
    /// Those of earlier tasks, by the numbers of their sets.
    static PLANS: RefCell<HashMap<usize, Arc<Plan>>> = RefCell::default();
}

/// Takes the plan, and the compiled modules, or the reasons why they are none.
pub(crate) fn provide(task: &Task, modules: &Map) -> Result<(), JsError> {
    let plan =
        PLANS.with_borrow_mut(|plans| match (task.plan.is_empty(), plans.get(&task.set)) {
            (true, Some(known)) => Ok(Arc::clone(known)),
            (true, None) => Err(JsError::new("the set has no plan yet")),
            (false, _) => {
                let plan = Arc::new(Plan::from_bytes(&task.plan)?);
                plans.insert(task.set, Arc::clone(&plan));
                Ok(plan)
            }
        })?;
    for key in &task.keys {
        let module = modules.get(&key.into());
        let module = match module.dyn_into() {
            Ok(module) => Ok(module),
            Err(reason) => Err(JsFailure::Thrown {
                reason: reason.as_string().unwrap_or_default(),
                frames: Vec::new(),
            }
            .into()),
        };
        let hash = hash(key).ok_or_else(|| JsError::new("a key is no hash"))?;
        MODULES.with(|all| all.add(hash, module, &plan));
    }
    PLAN.with_borrow_mut(|task_plan| *task_plan = Some((plan, task.by_plan)));
    Ok(())
}

fn hash(key: &str) -> Option<ContentHash> {
    let bytes = (0..key.len()).step_by(2).map(|at| {
        let byte = key.get(at..at + 2)?;
        u8::from_str_radix(byte, 16).ok()
    });
    let bytes = bytes.collect::<Option<Vec<u8>>>()?;
    Some(ContentHash(bytes.try_into().ok()?))
}

/// The plan of the task, and whether it is to be used.
pub(crate) fn plan() -> (Arc<Plan>, bool) {
    PLAN.with_borrow(Clone::clone).expect("a task was taken")
}

/// The compiled form of what a stub stands for.
pub(crate) fn compiled(file: &[u8]) -> Option<Result<WebAssembly::Module, JsEngineError>> {
    MODULES.with(|all| all.compiled(plan().0.code(stub_hash(file)?)?))
}

/// A process: one main module and what it has loaded.
pub(crate) struct State {
    pub(crate) files: Files,
    pub(crate) program: RefCell<Program<JsInstance, JsExtern>>,
    pub(crate) exports: Object,
    pub(crate) info: Arc<ModuleInfo>,
    /// Imports of main.
    pub(crate) imports: Object,
    pub(crate) plan: Arc<Plan>,
    pub(crate) by_plan: bool,
    /// Injected faults.
    pub(crate) faults: Faults,
}

/// Engine calls are counted, and one of them may fail.
#[derive(Default)]
pub(crate) struct Faults {
    pub(crate) calls: Cell<u32>,
    pub(crate) fail_in: Cell<Option<u32>>,
    pub(crate) guest_ran: Cell<bool>,
    pub(crate) guest_opened: Cell<bool>,
}

impl Faults {
    /// Counts one more engine call, and reports whether it fails.
    pub(crate) fn tick(&self) -> bool {
        self.calls.set(self.calls.get() + 1);
        let left = self.fail_in.get();
        self.fail_in.set(left.and_then(|left| left.checked_sub(1)));
        left == Some(0)
    }
}

/// The compiled main module of a case, and its description.
///
/// # Panics
/// If there is none: then the case is broken.
pub(crate) fn main_module(files: &Files) -> (WebAssembly::Module, Arc<ModuleInfo>) {
    let file = files.read(MAIN).expect("a case has a main module");
    let hash = stub_hash(&file).expect("a case has a stub for it");
    let info = plan().0.main(hash, MAIN).expect("it is the plan's");
    let module = compiled(&file).expect("the main module was sent");
    (module.expect("the main module compiles"), info)
}

#[derive(Clone)]
pub(crate) struct Linking(pub(crate) Rc<State>);

impl Host for Linking {
    fn program<R>(&self, visit: impl FnOnce(&mut Program<JsInstance, JsExtern>) -> R) -> R {
        visit(&mut self.0.program.borrow_mut())
    }

    fn main_exports(&self) -> &Object {
        &self.0.exports
    }

    fn suspends(&self) -> bool {
        false
    }

    async fn wait(&self, _: Promise) -> Result<JsValue, JsValue> {
        unreachable!("it does not suspend")
    }

    fn main(&self) -> Result<Main<JsInstance>, JsEngineError> {
        Ok(Main {
            name: MAIN.into(),
            info: Arc::clone(&self.0.info),
            instance: JsInstance::main(Arc::clone(&self.0.info)),
            hash: { self.0.files.read(MAIN).ok() }.and_then(|file| stub_hash(&file)),
        })
    }

    fn plan(&self) -> Option<Arc<Plan>> {
        self.0.by_plan.then(|| Arc::clone(&self.0.plan))
    }

    fn identify(&self, path: &str) -> Option<FileId> {
        self.0.files.identify(path)
    }

    async fn fetch(&self, path: &str) -> Result<JsSource, FetchError> {
        self.known(path)
    }

    fn describe_file(&self, path: &str) -> Option<Arc<ModuleInfo>> {
        let file = self.0.files.read(path).ok()?;
        self.0.plan.describe(stub_hash(&file)?)?.ok()
    }

    fn imports(&self) -> &Object {
        &self.0.imports
    }

    fn inspect(&self, path: &str) -> Option<Inspection> {
        let notes = String::from_utf8(self.0.files.read(NOTES).ok()?).ok()?;
        let file = self.0.files.read(path).ok()?;
        Inspection::from_notes(&notes, &key(stub_hash(&file)?))
    }

    fn list(&self, directory: &str) -> Vec<String> {
        self.0.files.list(directory)
    }

    async fn common_thunks(&self) -> Result<Rc<CommonThunks>, JsEngineError> {
        let thunks = self.0.plan.common_thunks();
        let (hash, thunks) = thunks.ok_or(JsFailure::NoThunks)?;
        let module = MODULES.with(|all| all.compiled(hash));
        let module = module.ok_or(JsFailure::NoThunks)?;
        Ok(Rc::new(CommonThunks::new(module?, &thunks)))
    }
}

impl Linking {
    fn known(&self, path: &str) -> Result<JsSource, FetchError> {
        let unreadable = |reason| FetchError::Unreadable { reason };
        let bytes = self.0.files.read(path).map_err(unreadable)?;
        let known = MODULES.with(|all| all.fetch(&bytes, &self.0.plan));
        known.map_err(|unknown| match (ModuleInfo::from_bytes(&bytes), unknown) {
            (_, NotKnown::Malformed(reason)) => reason.into(),
            // What is no side module is sent as it is.
            (Err(reason), NotKnown::NoStub) => reason.into(),
            (_, unknown) => unreadable(format!("it was not sent: {unknown:?}")),
        })
    }
}
