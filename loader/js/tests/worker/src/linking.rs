//! The linker's view of a case: its files, and the modules that were compiled of them.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use js_sys::{Map, Object, Promise, WebAssembly};
use pymode_dylink::{Fault, FetchError, Fetched, FileId, Inspection, Main, ModuleInfo, Program};
use pymode_dylink_conformance::files::{Files, MAIN};
use pymode_dylink_js::{Forwarders, Host, JsCode, JsExtern, JsInstance, Modules, NotKnown, key};
use wasm_bindgen::prelude::*;

/// Where the module of forwarders lies, if the case has one.
const FORWARDERS: &str = "forwarders";
/// Where the notes of the case lie.
const NOTES: &str = "notes";

thread_local! {
    static MODULES: Modules = Modules::default();
}

/// Takes the compiled modules, or the reasons why they are none.
pub(crate) fn provide(modules: &Map) {
    modules.for_each(&mut |module, key| {
        let Some(key) = key.as_string() else { return };
        let module = match module.dyn_into() {
            Ok(module) => Ok(module),
            Err(reason) => Err(Fault(reason.as_string().unwrap_or_default())),
        };
        MODULES.with(|all| all.add(&key, module));
    });
}

fn module(key: Option<&str>) -> Option<Result<WebAssembly::Module, Fault>> {
    MODULES.with(|all| all.compiled(key?))
}

/// The compiled form of what a skeleton stands for.
pub(crate) fn compiled(skeleton: &[u8]) -> Option<Result<WebAssembly::Module, Fault>> {
    module(key(skeleton))
}

/// A process: one main module and what it has loaded.
pub(crate) struct State {
    pub(crate) files: Files,
    pub(crate) program: RefCell<Program<JsInstance, JsExtern>>,
    pub(crate) exports: Object,
    pub(crate) info: Arc<ModuleInfo>,
    /// What main imports.
    pub(crate) imports: Object,
    /// What goes wrong on purpose.
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
    /// One more engine call.
    pub(crate) fn tick(&self) -> Result<(), Fault> {
        self.calls.set(self.calls.get() + 1);
        match self.fail_in.get() {
            Some(0) => {
                self.fail_in.set(None);
                Err(Fault::new("injected"))
            }
            left => {
                self.fail_in.set(left.map(|left| left - 1));
                Ok(())
            }
        }
    }
}

/// The compiled main module of a case, and what it says of itself.
///
/// # Panics
/// If there is none: then the case is broken.
pub(crate) fn main_module(files: &Files) -> (WebAssembly::Module, ModuleInfo) {
    let bytes = files.read(MAIN).expect("a case has a main module");
    let info = ModuleInfo::main_from_bytes(&bytes).expect("the main module can be read");
    let module = module(key(&bytes)).expect("the main module was sent");
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

    fn main(&self) -> Result<Main<JsInstance>, Fault> {
        Ok(Main {
            name: MAIN.into(),
            info: Arc::clone(&self.0.info),
            instance: JsInstance::main(Arc::clone(&self.0.info)),
        })
    }

    fn identify(&self, path: &str) -> Option<FileId> {
        self.0.files.identify(path)
    }

    fn fetch(&self, path: &str) -> Result<Fetched<Result<JsCode, Fault>>, FetchError> {
        let unreadable = |reason| FetchError::Unreadable { reason };
        let bytes = self.0.files.read(path).map_err(unreadable)?;
        MODULES.with(|all| match all.fetch(&bytes) {
            Ok(fetched) => Ok(fetched),
            Err(NotKnown::Malformed(reason)) => Err(reason.into()),
            Err(unknown) => Err(unreadable(format!("it was not sent: {unknown:?}"))),
        })
    }

    fn imports(&self) -> &Object {
        &self.0.imports
    }

    fn inspect(&self, path: &str) -> Option<Inspection> {
        let notes = String::from_utf8(self.0.files.read(NOTES).ok()?).ok()?;
        let file = self.0.files.read(path).ok()?;
        Inspection::from_notes(&notes, key(&file)?)
    }

    fn forwarders(&self) -> Result<Rc<Forwarders>, Fault> {
        let bytes = self.0.files.read(FORWARDERS).map_err(Fault)?;
        let module = module(key(&bytes)).ok_or_else(|| Fault::new("they were not sent"))?;
        Ok(Rc::new(Forwarders::new(module?, &bytes)?))
    }
}
