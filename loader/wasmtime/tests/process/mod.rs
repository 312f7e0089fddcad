//! A process of the suite: wasmtime, the files of a case, and a `dlopen` for its guest.

use std::sync::Arc;

use pymode_dylink::{ContentHash, FileId, Plan, dlfcn, now};
use pymode_dylink_conformance::Subject;
use pymode_dylink_conformance::config;
use pymode_dylink_conformance::files::{Files, MAIN, hash};
use pymode_dylink_wasmtime::{Linkage, MainModule, WasmtimeEngine, engine_config};
use wasmtime::{Caller, Engine, Linker, Memory, Module, Ref, Store, Table, Val};

/// A running main module.
pub(crate) type WasmtimeSubject = Running<false>;

/// The same with a link plan for all its files.
pub(crate) type PlannedSubject = Running<true>;

pub(crate) struct Running<const PLANNED: bool> {
    store: Store<State>,
    memory: Memory,
    table: Option<Table>,
}

/// The store's data.
pub(crate) struct State {
    linkage: Linkage<State>,
    files: Files,
    plan: Option<Arc<Plan>>,
    memory: Option<Memory>,
}

impl pymode_dylink_wasmtime::StoreData for State {
    fn linkage(&mut self) -> &mut Linkage<Self> {
        &mut self.linkage
    }

    fn list(&mut self, directory: &str) -> Vec<String> {
        self.files.list(directory)
    }

    fn identify(&mut self, path: &str) -> Option<FileId> {
        self.files.identify(path)
    }

    fn read(&mut self, path: &str) -> Result<Vec<u8>, String> {
        self.files.read(path)
    }

    fn plan(&mut self) -> Option<Arc<Plan>> {
        self.plan.clone()
    }

    fn hash(&self, content: &[u8]) -> ContentHash {
        hash(content)
    }
}

/// Returns `true` for functions of the host.
fn has_host(module: &str, name: &str) -> bool {
    module == "test" && ["dlopen", "dlclose", "dlsym", "seven"].contains(&name)
}

impl<const PLANNED: bool> Subject for Running<PLANNED> {
    const RUNS: bool = true;

    fn new(files: Files) -> Self {
        let engine = Engine::new(&engine_config()).expect("an engine");
        let bytes = files.read(MAIN).expect("a case has a main module");
        let module = Module::new(&engine, &bytes).expect("the main module compiles");
        let mut linker = Linker::new(&engine);
        linker
            .func_wrap("test", "dlopen", dlopen)
            .and_then(|linker| linker.func_wrap("test", "dlclose", dlclose))
            .and_then(|linker| linker.func_wrap("test", "dlsym", dlsym))
            .and_then(|linker| linker.func_wrap("test", "seven", || 7))
            .expect("four host functions");
        let linker = Arc::new(linker);
        let state = State {
            linkage: Linkage::new(config(&files), None),
            plan: PLANNED.then(|| files.plan(&has_host)),
            files,
            memory: None,
        };
        let mut store = Store::new(&engine, state);
        let instance = linker
            .instantiate(&mut store, &module)
            .expect("the main module is instantiated");
        let memory = instance.get_memory(&mut store, "memory");
        store.data_mut().memory = memory;
        let table = instance.get_table(&mut store, "__indirect_function_table");
        store.data_mut().linkage.set_main(MainModule {
            name: MAIN.into(),
            instance,
            bytes: Box::new(move || Ok(bytes.clone())),
            names: None,
            imports: linker,
        });
        Self {
            store,
            memory: memory.expect("main has a memory"),
            table,
        }
    }

    fn open(&mut self, path: Option<&str>, flags: u32) -> u32 {
        now(dlfcn::open(&mut self.engine(), path, flags)).unwrap_or_default()
    }

    fn sym(&mut self, handle: u32, name: &str) -> Option<u32> {
        dlfcn::sym(&mut self.engine(), handle, name)
    }

    fn close(&mut self, handle: u32) -> bool {
        now(dlfcn::close(&mut self.engine(), handle)).unwrap_or_default()
    }

    fn error(&mut self) -> Option<String> {
        self.store.data_mut().linkage.program().error.take()
    }

    fn call(&mut self, slot: u32, args: &[i32]) -> Result<i32, String> {
        let table = self.table.ok_or("main has no table")?;
        let function = match table.get(&mut self.store, u64::from(slot)) {
            Some(Ref::Func(Some(function))) => function,
            other => return Err(format!("slot {slot} holds {other:?}")),
        };
        let args: Vec<Val> = args.iter().map(|arg| Val::I32(*arg)).collect();
        let results = function.ty(&self.store).results().len();
        let mut results = vec![Val::I32(0); results];
        function
            .call(&mut self.store, &args, &mut results)
            .map_err(|error| format!("{error:?}"))?;
        Ok(results.first().and_then(Val::i32).unwrap_or(0))
    }

    fn read(&mut self, address: u32) -> i32 {
        let mut bytes = [0; 4];
        self.memory
            .read(&self.store, address as usize, &mut bytes)
            .expect("the address is in memory");
        i32::from_le_bytes(bytes)
    }

    fn loaded(&mut self) -> Vec<String> {
        self.store.data_mut().linkage.program().loaded()
    }
}

impl<const PLANNED: bool> Running<PLANNED> {
    fn engine(&mut self) -> WasmtimeEngine<'_, State> {
        WasmtimeEngine::new(&mut self.store)
    }
}

/// `dlopen(path, length, flags)` for the guest's own code.
fn dlopen(mut caller: Caller<'_, State>, path: u32, length: u32, flags: u32) -> u32 {
    let path = text(&mut caller, path, length);
    now(dlfcn::open(
        &mut WasmtimeEngine::new(&mut caller),
        Some(&path),
        flags,
    ))
    .unwrap_or_default()
}

/// `dlclose(handle)`: 0, or -1.
fn dlclose(mut caller: Caller<'_, State>, handle: u32) -> i32 {
    match now(dlfcn::close(&mut WasmtimeEngine::new(&mut caller), handle)) {
        Ok(true) => 0,
        _ => -1,
    }
}

/// `dlsym(handle, name, length)`: the address, or -1.
fn dlsym(mut caller: Caller<'_, State>, handle: u32, name: u32, length: u32) -> u32 {
    let name = text(&mut caller, name, length);
    let found = dlfcn::sym(&mut WasmtimeEngine::new(&mut caller), handle, &name);
    found.unwrap_or(u32::MAX)
}

/// Text in main's memory. A side module has no `memory` export of its own: it is found by main's instance.
fn text(caller: &mut Caller<'_, State>, start: u32, length: u32) -> String {
    let memory = caller.data().memory.expect("main is instantiated");
    let mut bytes = vec![0; length as usize];
    memory
        .read(&*caller, start as usize, &mut bytes)
        .expect("the text is in memory");
    String::from_utf8(bytes).expect("the text is UTF-8")
}
