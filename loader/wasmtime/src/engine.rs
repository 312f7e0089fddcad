//! The engine: thin, and without a state of its own.

use std::fmt::Write;
use std::sync::Arc;

use pymode_dylink::{
    Address, Bridge, ContentHash, Engine, Fault, FetchError, Fetched, FileId, Inspection, Main,
    ModuleInfo, Mutability, Plan, Process, Program, Slot, ValType,
};
use wasmtime::{
    AsContextMut, Extern, FuncType, Global, GlobalType, HeapType, Instance, Module, Ref, RefType,
    StoreContextMut, Tag, TagType, ThrownException, Val, WasmBacktrace,
};

use crate::codes::Source;
use crate::guest::Guest;

/// How many functions a message about a trap shows.
const SHOWN: usize = 6;

/// A store, seen by the linker.
pub struct WasmtimeEngine<'a, T: 'static> {
    store: StoreContextMut<'a, T>,
}

impl<'a, T: Guest> WasmtimeEngine<'a, T> {
    /// The process of a store, of a `Caller`, or of any other context.
    pub fn new<C: AsContextMut<Data = T>>(context: &'a mut C) -> Self {
        Self {
            store: context.as_context_mut(),
        }
    }

    /// A failed guest call. If it ended the process, the host must hear of it, too.
    fn failed(&mut self, error: wasmtime::Error) -> Fault {
        let mut fault = fault(&error);
        if let Some(trace) = error.downcast_ref::<WasmBacktrace>() {
            let linkage = self.store.data_mut().linkage();
            for frame in trace.frames().iter().take(SHOWN) {
                let _ = write!(fault.0, "\n  in {}", linkage.frame(frame));
            }
        }
        if T::is_exit(&error) {
            self.store.data_mut().linkage().exit = Some(error);
        }
        fault
    }

    /// What the plan says of main, if it was made for this one. If not, that is said when the plan is to be used.
    fn planned(&mut self, main: &[u8]) -> Option<Arc<ModuleInfo>> {
        let guest = self.store.data_mut();
        let plan = guest.plan()?;
        plan.main(guest.hash(main), "").ok()
    }

    fn suspends(&mut self) -> bool {
        self.store.data_mut().linkage().suspends
    }
}

impl<T> std::fmt::Debug for WasmtimeEngine<'_, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WasmtimeEngine").finish_non_exhaustive()
    }
}

impl<T: Guest> Engine for WasmtimeEngine<'_, T> {
    type Source = Source;
    type Code = Module;
    type Instance = Instance;
    type Extern = Extern;

    fn compile(&mut self, source: &Source) -> Result<Module, Fault> {
        let engine = self.store.engine().clone();
        let compiled = self
            .store
            .data_mut()
            .linkage()
            .codes
            .module(&engine, source);
        compiled.map_err(|error| fault(&error))
    }

    fn bridge(&mut self, bridge: &Bridge) -> Result<Module, Fault> {
        let wasm = bridge.to_wasm();
        let engine = self.store.engine().clone();
        let known = &mut self.store.data_mut().linkage().bridges;
        if let Some((_, module)) = known.iter().find(|(known, _)| *known == wasm) {
            return Ok(module.clone());
        }
        let module = Module::new(&engine, &wasm).map_err(|error| fault(&error))?;
        known.push((wasm, module.clone()));
        Ok(module)
    }

    async fn instantiate(&mut self, code: &Module, imports: &[Extern]) -> Result<Instance, Fault> {
        let result = if self.suspends() {
            Instance::new_async(&mut self.store, code, imports).await
        } else {
            Instance::new(&mut self.store, code, imports)
        };
        result.map_err(|error| self.failed(error))
    }

    fn export(&mut self, instance: &Instance, name: &str) -> Option<Extern> {
        instance.get_export(&mut self.store, name)
    }

    fn host(&mut self, module: &str, name: &str) -> Option<Extern> {
        let main = self.store.data_mut().linkage().main.as_ref()?;
        let imports = Arc::clone(&main.imports);
        imports.get(&mut self.store, module, name).ok()
    }

    fn zero(&mut self, memory: &Extern, at: Address, len: u32) -> Result<(), Fault> {
        let Extern::Memory(memory) = memory else {
            return Err(Fault::new("main's memory is not a memory"));
        };
        let start = at.0 as usize;
        let bytes = memory.data_mut(&mut self.store);
        let bytes = start
            .checked_add(len as usize)
            .and_then(|end| bytes.get_mut(start..end))
            .ok_or_else(|| Fault(format!("{len} bytes at {at} lie outside of main's memory")))?;
        bytes.fill(0);
        Ok(())
    }

    fn grow(&mut self, table: &Extern, slots: u32) -> Result<Slot, Fault> {
        let table = as_table(table)?;
        let first = table
            .grow(&mut self.store, u64::from(slots), Ref::Func(None))
            .map_err(|error| fault(&error))?;
        u32::try_from(first)
            .map(Slot)
            .map_err(|_| Fault::new("the table has more than 2^32 slots"))
    }

    fn set(&mut self, table: &Extern, slot: Slot, function: Option<&Extern>) -> Result<(), Fault> {
        let function = match function {
            Some(Extern::Func(function)) => Some(*function),
            Some(_) => return Err(Fault::new("only functions have slots")),
            None => None,
        };
        as_table(table)?
            .set(&mut self.store, u64::from(slot.0), Ref::Func(function))
            .map_err(|error| fault(&error))
    }

    fn global(&mut self, mutability: Mutability, value: u32) -> Result<Extern, Fault> {
        let mutability = match mutability {
            Mutability::Const => wasmtime::Mutability::Const,
            Mutability::Var => wasmtime::Mutability::Var,
        };
        let ty = GlobalType::new(wasmtime::ValType::I32, mutability);
        Global::new(&mut self.store, ty, Val::I32(value.cast_signed()))
            .map(Extern::Global)
            .map_err(|error| fault(&error))
    }

    fn read(&mut self, global: &Extern) -> Result<u32, Fault> {
        match as_global(global)?.get(&mut self.store) {
            Val::I32(value) => Ok(value.cast_unsigned()),
            _ => Err(Fault::new("the global is not an i32")),
        }
    }

    fn write(&mut self, global: &Extern, value: u32) -> Result<(), Fault> {
        as_global(global)?
            .set(&mut self.store, Val::I32(value.cast_signed()))
            .map_err(|error| fault(&error))
    }

    fn tag(&mut self, params: &[ValType]) -> Result<Extern, Fault> {
        let params = params.iter().copied().map(val_type);
        let ty = TagType::new(FuncType::new(self.store.engine(), params, []));
        Tag::new(&mut self.store, &ty)
            .map(Extern::Tag)
            .map_err(|error| fault(&error))
    }

    async fn call(&mut self, function: &Extern, args: &[u32]) -> Result<Option<u32>, Fault> {
        let Extern::Func(function) = function else {
            return Err(Fault::new("it is not a function"));
        };
        let args: Vec<Val> = args.iter().map(|arg| Val::I32(arg.cast_signed())).collect();
        let results = function.ty(&self.store).results().len();
        let mut results = vec![Val::I32(0); results];
        let called = if self.suspends() {
            function
                .call_async(&mut self.store, &args, &mut results)
                .await
        } else {
            function.call(&mut self.store, &args, &mut results)
        };
        called.map_err(|error| self.failed(error))?;
        match results.as_slice() {
            [] => Ok(None),
            [Val::I32(value)] => Ok(Some(value.cast_unsigned())),
            _ => Err(Fault::new("it returns something else than an i32")),
        }
    }
}

impl<T: Guest> Process for WasmtimeEngine<'_, T> {
    fn program<R>(&mut self, visit: impl FnOnce(&mut Program<Instance, Extern>) -> R) -> R {
        visit(&mut self.store.data_mut().linkage().program)
    }

    fn main(&mut self) -> Result<Main<Instance>, Fault> {
        let main = self.store.data_mut().linkage().main.as_mut();
        let main = main.ok_or_else(|| Fault::new("the host has not told which one it is"))?;
        let bytes = (main.bytes)().map_err(|error| Fault(error.to_string()))?;
        let (name, instance) = (main.name.as_str().into(), main.instance);
        let info = match self.planned(&bytes) {
            Some(info) => info,
            None => {
                let info = ModuleInfo::main_from_bytes(&bytes);
                Arc::new(info.map_err(|error| Fault(error.to_string()))?)
            }
        };
        Ok(Main {
            name,
            info,
            instance,
        })
    }

    fn traces(&mut self) -> bool {
        self.store.data_mut().traces()
    }

    fn trace(&mut self, text: &str) {
        self.store.data_mut().trace(text);
    }

    fn plan(&mut self) -> Option<Arc<Plan>> {
        self.store.data_mut().plan()
    }

    fn main_hash(&mut self) -> Option<ContentHash> {
        let guest = self.store.data_mut();
        let bytes = (guest.linkage().main.as_mut()?.bytes)().ok()?;
        Some(guest.hash(&bytes))
    }

    fn fetch_hashed(&mut self, path: &str) -> Result<(Source, ContentHash), FetchError> {
        let guest = self.store.data_mut();
        let bytes = guest
            .read(path)
            .map_err(|reason| FetchError::Unreadable { reason })?;
        let hash = guest.hash(&bytes);
        let path = path.into();
        Ok((Source { path, bytes }, hash))
    }

    fn inspect(&mut self, path: &str) -> Option<Inspection> {
        let guest = self.store.data_mut();
        let bytes = match guest.linkage().main.as_mut() {
            Some(main) if main.name == path => main.named_bytes()?,
            _ => guest.read(path).ok()?,
        };
        Inspection::from_bytes(&bytes)
    }

    fn list(&mut self, directory: &str) -> Vec<String> {
        self.store.data_mut().list(directory)
    }

    fn identify(&mut self, path: &str) -> Option<FileId> {
        self.store.data_mut().identify(path)
    }

    fn fetch(&mut self, path: &str) -> Result<Fetched<Source>, FetchError> {
        let bytes = self
            .store
            .data_mut()
            .read(path)
            .map_err(|reason| FetchError::Unreadable { reason })?;
        Ok(Fetched {
            info: Arc::new(ModuleInfo::from_bytes(&bytes)?),
            source: Source {
                path: path.into(),
                bytes,
            },
        })
    }
}

fn as_table(table: &Extern) -> Result<wasmtime::Table, Fault> {
    match table {
        Extern::Table(table) => Ok(*table),
        _ => Err(Fault::new("main's table is not a table")),
    }
}

fn as_global(global: &Extern) -> Result<Global, Fault> {
    match global {
        Extern::Global(global) => Ok(*global),
        _ => Err(Fault::new("it is not a global")),
    }
}

fn val_type(ty: ValType) -> wasmtime::ValType {
    match ty {
        ValType::I32 => wasmtime::ValType::I32,
        ValType::I64 => wasmtime::ValType::I64,
        ValType::F32 => wasmtime::ValType::F32,
        ValType::F64 => wasmtime::ValType::F64,
        ValType::V128 => wasmtime::ValType::V128,
        ValType::FuncRef => wasmtime::ValType::FUNCREF,
        ValType::ExternRef => wasmtime::ValType::EXTERNREF,
        ValType::ExnRef => wasmtime::ValType::Ref(RefType::new(true, HeapType::Exn)),
    }
}

/// The engine's sentence. The root cause says what happened; what stands around it says where in wasmtime.
fn fault(error: &wasmtime::Error) -> Fault {
    if error.is::<ThrownException>() {
        return Fault::new("it threw an exception that nobody caught");
    }
    Fault(error.root_cause().to_string())
}
