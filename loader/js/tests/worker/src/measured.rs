//! Operations that are timed from outside: time stands still inside a Worker.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

use js_sys::{Function, Object, Promise, Reflect, WebAssembly};
use pymode_dylink::{FetchError, FileId, ImportKind, Main, ModuleInfo, Plan, Program, dlfcn, now};
use pymode_dylink_conformance::Subject;
use pymode_dylink_conformance::files::Files;
use pymode_dylink_js::{
    CommonThunks, Host, JsEngineError, JsExtern, JsInstance, JsProcess, JsSource, reason, stub_hash,
};
use wasm_bindgen::prelude::*;

use crate::linking::{Linking, compiled, main_module, plan};
use crate::subject::JsSubject;

pub(crate) const SIDE: &str = "/side.wasm";
/// `RTLD_NOW | RTLD_LOCAL` of the guest's libc.
const FLAGS: u32 = 2 | 8;
/// `RTLD_NOW | RTLD_GLOBAL`.
const GLOBAL: u32 = 2 | 256;

/// Many files, of which each is the same library.
struct Many {
    linking: Linking,
    next: Cell<u64>,
}

impl Host for Many {
    fn program<R>(&self, visit: impl FnOnce(&mut Program<JsInstance, JsExtern>) -> R) -> R {
        self.linking.program(visit)
    }

    fn main_exports(&self) -> &Object {
        self.linking.main_exports()
    }

    fn suspends(&self) -> bool {
        false
    }

    async fn wait(&self, promise: Promise) -> Result<JsValue, JsValue> {
        self.linking.wait(promise).await
    }

    fn main(&self) -> Result<Main<JsInstance>, JsEngineError> {
        self.linking.main()
    }

    fn plan(&self) -> Option<Arc<Plan>> {
        self.linking.plan()
    }

    fn identify(&self, _: &str) -> Option<FileId> {
        let file = self.next.replace(self.next.get() + 1);
        Some(FileId { volume: 1, file })
    }

    async fn fetch(&self, _: &str) -> Result<JsSource, FetchError> {
        self.linking.fetch(SIDE).await
    }

    fn describe_file(&self, _: &str) -> Option<Arc<ModuleInfo>> {
        self.linking.describe_file(SIDE)
    }

    fn imports(&self) -> &Object {
        self.linking.imports()
    }

    async fn common_thunks(&self) -> Result<Rc<CommonThunks>, JsEngineError> {
        self.linking.common_thunks().await
    }
}

/// The work of so many `dlopen`s; `late`: when another was opened with `RTLD_GLOBAL` before.
pub(crate) fn open(files: Files, count: u32, late: bool) -> Result<(), String> {
    let mut guest = JsSubject::new(files);
    let mut process = JsProcess(Many {
        linking: guest.linking(),
        next: Cell::new(0),
    });
    let first = late.then_some(GLOBAL).into_iter();
    for flags in first.chain((0..count).map(|_| FLAGS)) {
        if !now(dlfcn::open(&mut process, Some(SIDE), flags)).is_ok_and(|handle| handle != 0) {
            return Err(guest.error().unwrap_or_default());
        }
    }
    Ok(())
}

/// The work of so many instantiations.
pub(crate) fn instantiate(files: &Files, count: u32) -> Result<(), String> {
    let (module, imports) = ready(files)?;
    let instance = || WebAssembly::Instance::new(&module, &imports);
    // They stay, as what was opened does.
    let all: Result<Vec<_>, _> = (0..count).map(|_| instance()).collect();
    all.map(drop).map_err(|thrown| reason(&thrown))
}

/// The library, and imports for it that are ready.
pub(crate) fn ready(files: &Files) -> Result<(WebAssembly::Module, Object), String> {
    let thrown = |thrown: JsValue| reason(&thrown);
    let (main, _) = main_module(files);
    let main = WebAssembly::Instance::new(&main, &Object::new()).map_err(thrown)?;
    let main = main.exports();
    let bytes = files.read(SIDE)?;
    let hash = stub_hash(&bytes).ok_or("the library is no stub")?;
    let info = plan().0.describe(hash).ok_or("the plan has no library")?;
    let info = info.map_err(|error| error.to_string())?;
    let module = compiled(&bytes).ok_or("the library was not sent")?;
    let imports = Object::new();
    for import in &info.imports {
        let object = Reflect::get(&imports, &import.module[..].into()).map_err(thrown)?;
        let object = match object.dyn_into::<Object>() {
            Ok(object) => object,
            Err(_) => {
                let object = Object::new();
                Reflect::set(&imports, &import.module[..].into(), &object).map_err(thrown)?;
                object
            }
        };
        let value = match import.kind {
            ImportKind::MemoryBase | ImportKind::TableBase => JsValue::from(1024),
            ImportKind::DataAddress { .. } | ImportKind::FunctionAddress { .. } => {
                variable().map_err(thrown)?.into()
            }
            _ => Reflect::get(&main, &import.name[..].into()).map_err(thrown)?,
        };
        Reflect::set(&object, &import.name[..].into(), &value).map_err(thrown)?;
    }
    Ok((module.map_err(|error| error.to_string())?, imports))
}

fn variable() -> Result<WebAssembly::Global, JsValue> {
    let kind = Object::new();
    Reflect::set(&kind, &"value".into(), &"i32".into())?;
    Reflect::set(&kind, &"mutable".into(), &JsValue::TRUE)?;
    WebAssembly::Global::new(&kind, &1024.into())
}

/// The work of `dlsym` of all exports, so often.
pub(crate) fn symbols(files: Files, count: u32) -> Result<(), String> {
    let mut guest = JsSubject::new(files);
    let mut process = JsProcess(guest.linking());
    let handle = now(dlfcn::open(&mut process, Some(SIDE), FLAGS)).unwrap_or_default();
    for _ in 0..count {
        let mut found = 0;
        while dlfcn::sym(&mut process, handle, &format!("f{found}")).is_some() {
            found += 1;
        }
        if found == 0 {
            return Err(guest.error().unwrap_or_default());
        }
    }
    Ok(())
}

/// The work of reading all exports as properties, so often.
pub(crate) fn properties(files: &Files, count: u32) -> Result<(), String> {
    let (module, imports) = ready(files)?;
    let instance = WebAssembly::Instance::new(&module, &imports);
    let exports = instance.map_err(|thrown| reason(&thrown))?.exports();
    for _ in 0..count {
        let mut found = 0;
        while Reflect::get(&exports, &format!("f{found}").into())
            .is_ok_and(|function| function.is_function())
        {
            found += 1;
        }
    }
    Ok(())
}

/// Function that calls a function of main repeatedly.
const CALLER: &str = "across";

/// The work of so many calls from a library into main.
pub(crate) fn call(files: Files, count: u32) -> Result<(), String> {
    let mut guest = JsSubject::new(files);
    let mut process = JsProcess(guest.linking());
    let handle = now(dlfcn::open(&mut process, Some(SIDE), FLAGS)).unwrap_or_default();
    match dlfcn::sym(&mut process, handle, CALLER) {
        Some(slot) => guest.call(slot, &[count as i32]).map(drop),
        None => Err(guest.error().unwrap_or_default()),
    }
}

/// The same work of a library that no linker has seen.
pub(crate) fn call_bare(files: &Files, count: u32) -> Result<(), String> {
    let thrown = |thrown: JsValue| reason(&thrown);
    let (module, imports) = ready(files)?;
    let instance = WebAssembly::Instance::new(&module, &imports).map_err(thrown)?;
    let caller = Reflect::get(&instance.exports(), &CALLER.into()).map_err(thrown)?;
    let caller: Function = caller.dyn_into().map_err(thrown)?;
    caller
        .call1(&JsValue::UNDEFINED, &count.into())
        .map(drop)
        .map_err(thrown)
}
