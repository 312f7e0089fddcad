//! Threads of a guest: which one runs is decided by [`pymode_host::scheduler`], and `scheduler.wat` has their stacks.
//!
//! wasmtime switches stacks on x86-64 only. Elsewhere a guest cannot start a thread, and its one thread sleeps.

mod guest;
mod imports;

use wasmtime::{Engine, Instance, InstancePre, Linker, Module, Ref, Store};

pub(crate) use self::guest::Threads;
pub(crate) use self::imports::{NAMES, add};
use crate::guest::GuestProcess;
use pymode_abi::MODULE;
use pymode_dylink_wasmtime::CodeCache;
use pymode_host::program::{START, THREAD_START, WAITS, WAITS_PREFIX};
use std::sync::Arc;

/// `true` where wasmtime can switch stacks.
pub(crate) const SUPPORTED: bool = cfg!(all(target_arch = "x86_64", unix));

const SCHEDULER: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/scheduler.wasm"));

const PARK: &str = "thread_park";

/// Returns `true` if a program is linked with the thread library.
pub(crate) fn has_threads(module: &Module) -> bool {
    let mut imports = module.imports();
    imports.any(|import| import.module() == MODULE && import.name() == PARK)
}

/// Compiles the module that switches stacks.
pub(crate) fn scheduler(
    engine: &Engine,
    code: &CodeCache,
) -> wasmtime::Result<InstancePre<GuestProcess>> {
    let module = code.host_module(engine, SCHEDULER)?;
    let mut linker = Linker::new(engine);
    imports::add_host(&mut linker)?;
    linker.instantiate_pre(&module)
}

/// A program's instance whose threads are about to run.
pub(crate) struct Threaded {
    scheduler: Instance,
    pub(crate) main: Instance,
    /// For side modules: what waits lets other threads run.
    pub(crate) imports: Arc<Linker<GuestProcess>>,
}

impl Threaded {
    /// Instantiates main on top of the scheduler.
    pub(crate) fn new(
        store: &mut Store<GuestProcess>,
        scheduler: &InstancePre<GuestProcess>,
        imports: &Linker<GuestProcess>,
        module: &Module,
    ) -> wasmtime::Result<Threaded> {
        let scheduler = scheduler.instantiate(&mut *store)?;
        let mut imports = imports.clone();
        imports.allow_shadowing(true);
        let park = scheduler.get_func(&mut *store, "park");
        let park = park.expect("the module that switches stacks exports it");
        imports.define(&mut *store, MODULE, PARK, park)?;
        let main = imports.instantiate(&mut *store, module)?;
        for name in WAITS {
            if let Some(function) = main.get_func(&mut *store, &format!("{WAITS_PREFIX}{name}")) {
                imports.define(&mut *store, "wasi_snapshot_preview1", name, function)?;
            }
        }
        let functions = scheduler.get_table(&mut *store, "functions");
        let functions = functions.expect("the module that switches stacks exports it");
        for (at, export) in [START, THREAD_START].into_iter().enumerate() {
            let function = main.get_func(&mut *store, export);
            let function = function.ok_or_else(|| {
                wasmtime::Error::msg(format!(
                    "the program starts threads and exports no function `{export}`"
                ))
            })?;
            functions.set(&mut *store, at as u64, Ref::Func(Some(function)))?;
        }
        store.data_mut().threads = Some(Threads::new());
        store.data_mut().wasi.never_wait();
        Ok(Threaded {
            scheduler,
            main,
            imports: Arc::new(imports),
        })
    }

    /// Runs main to its end; the others end with it.
    pub(crate) fn run(&self, store: &mut Store<GuestProcess>) -> wasmtime::Result<()> {
        let run = self
            .scheduler
            .get_typed_func::<(), ()>(&mut *store, "run")?;
        run.call(store, ())
    }
}
