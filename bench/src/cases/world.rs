//! A process to measure: a main module that exports the imported functions, and side modules in memory.

use std::collections::HashMap;
use std::fmt::Write;
use std::sync::Arc;

use pymode_dylink::{ClosedSet, Config, FileId, ModuleInfo, Plan, SetFile, dlfcn, now};
use pymode_dylink_wasmtime::{Linkage, MainModule, StoreData, WasmtimeEngine, engine_config};
use wasmtime::{Engine, Linker, Module, Store, StoreLimits, StoreLimitsBuilder};

use super::linker::Fallible;

/// A main module and files.
pub(super) struct World {
    linkage: Linkage<World>,
    limits: StoreLimits,
    main_bytes: Vec<u8>,
    files: HashMap<String, (u64, Arc<Vec<u8>>)>,
    plan: Option<Arc<Plan>>,
    pub(super) main: Option<wasmtime::Instance>,
    pub(super) handles: Vec<u32>,
}

impl StoreData for World {
    fn linkage(&mut self) -> &mut Linkage<Self> {
        &mut self.linkage
    }

    fn identify(&mut self, path: &str) -> Option<FileId> {
        let (file, _) = self.files.get(path)?;
        Some(FileId {
            volume: 0,
            file: *file,
        })
    }

    fn read(&mut self, path: &str) -> Result<Vec<u8>, String> {
        let file = self.files.get(path).ok_or("no such file")?;
        Ok(file.1.to_vec())
    }

    fn plan(&mut self) -> Option<Arc<Plan>> {
        self.plan.clone()
    }
}

impl World {
    /// Creates a main module that exports the imported functions.
    pub(super) fn new(functions: usize) -> Fallible<Self> {
        // A bump allocator with a free list of one entry: it reuses the block that was freed last.
        let mut text = String::from(
            "(module (memory (export \"memory\") 512) (table (export \"__indirect_function_table\") 1 funcref)
             (global (export \"__stack_pointer\") (mut i32) (i32.const 65536))
             (global $end (mut i32) (i32.const 131072)) (global $free (mut i32) (i32.const 0))
             (func (export \"malloc\") (param i32) (result i32) (local i32)
               (if (global.get $free) (then
                 (local.set 1 (global.get $free)) (global.set $free (i32.const 0)) (return (local.get 1))))
               (local.set 1 (global.get $end))
               (global.set $end (i32.and (i32.add (i32.add (global.get $end) (local.get 0)) (i32.const 31)) (i32.const -16)))
               (local.get 1))
             (func (export \"free\") (param i32) (global.set $free (local.get 0)))\n",
        );
        for at in 0..functions {
            let _ = writeln!(
                text,
                "(func (export \"f{at}\") (param i32) (result i32) (local.get 0))"
            );
        }
        text.push(')');
        Ok(Self {
            linkage: Linkage::new(Config::default(), None),
            // The default limit is ten thousand instances, and wasmtime frees none before the end.
            limits: StoreLimitsBuilder::new().instances(1 << 20).build(),
            main_bytes: wat::parse_str(text)?,
            files: HashMap::new(),
            plan: None,
            main: None,
            handles: Vec::new(),
        })
    }

    pub(super) fn file(&mut self, path: &str, content: Vec<u8>) {
        let id = self.files.len() as u64;
        self.files.insert(path.into(), (id, Arc::new(content)));
    }

    pub(super) fn make_plan(&mut self) -> Fallible<()> {
        let hash = |bytes: &[u8]| self.hash(bytes);
        let info = ModuleInfo::main_from_bytes(&self.main_bytes)?;
        let mut sides = Vec::new();
        for (path, (_, bytes)) in &self.files {
            sides.push(SetFile::new(
                path,
                hash(bytes),
                ModuleInfo::from_bytes(bytes)?,
            ));
        }
        sides.sort_by(|a, b| a.path.cmp(&b.path));
        let (plan, refused) = Plan::for_set(ClosedSet {
            main: SetFile::new("main", hash(&self.main_bytes), info),
            sides,
            config: Config::default(),
            has_host: &|_, _| false,
            hash: &hash,
            remake: "run the benchmark again",
        });
        if let Some(refused) = refused.first() {
            return Err(refused.reason.to_string().into());
        }
        eprintln!(
            "  a plan of {} libraries has {} bytes",
            self.files.len(),
            plan.to_bytes().len()
        );
        self.plan = Some(Arc::new(plan));
        Ok(())
    }

    pub(super) fn start(self) -> Fallible<Store<World>> {
        let engine = Engine::new(&engine_config())?;
        let module = Module::new(&engine, &self.main_bytes)?;
        let linker = Arc::new(Linker::new(&engine));
        let bytes = self.main_bytes.clone();
        let mut store = Store::new(&engine, self);
        store.limiter(|world| &mut world.limits);
        let instance = linker.instantiate(&mut store, &module)?;
        store.data_mut().main = Some(instance);
        store.data_mut().linkage.set_main(MainModule {
            name: "main".into(),
            instance,
            bytes: Box::new(move || Ok(bytes.clone())),
            names: None,
            imports: linker,
        });
        Ok(store)
    }
}

pub(super) fn open(store: &mut Store<World>, path: &str, flags: u32) -> Fallible<()> {
    let handle = now(dlfcn::open(
        &mut WasmtimeEngine::new(store),
        Some(path),
        flags,
    ))
    .unwrap_or_default();
    if handle == 0 {
        let message = store.data_mut().linkage.program().error.take();
        return Err(message.unwrap_or_default().into());
    }
    store.data_mut().handles.push(handle);
    Ok(())
}

pub(super) fn close(store: &mut Store<World>, handle: u32) -> Fallible<()> {
    match now(dlfcn::close(&mut WasmtimeEngine::new(store), handle)) {
        Ok(true) => Ok(()),
        _ => Err("dlclose failed".into()),
    }
}
