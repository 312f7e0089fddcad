//! The engine: thin, and without a state of its own.

use std::sync::Arc;

use pymode_dylink::{
    Address, ContentHash, Diagnostics, Engine, Event, FetchError, FileId, Files, Inspection, Main,
    ModuleError, ModuleInfo, Mutability, Objects, Plan, Process, Program, Slot, State, ThunkModule,
    ValType,
};
use wasmtime::{
    AsContextMut, Extern, FuncType, Global, GlobalType, HeapType, Instance, Module, Ref, RefType,
    StoreContextMut, Tag, TagType, Val, WasmBacktrace,
};

use crate::codes::WasmtimeSource;
use crate::error::WasmtimeError;
use crate::store::StoreData;

/// The number of functions that a message about a trap shows.
const SHOWN: usize = 6;

/// A store, seen by the linker.
pub struct WasmtimeEngine<'a, T: 'static> {
    store: StoreContextMut<'a, T>,
}

impl<'a, T: StoreData> WasmtimeEngine<'a, T> {
    /// The process of a store, of a `Caller`, or of any other context.
    pub fn new<C: AsContextMut<Data = T>>(context: &'a mut C) -> Self {
        Self {
            store: context.as_context_mut(),
        }
    }

    /// The error of guest code that did not return.
    fn failed(&mut self, error: wasmtime::Error) -> WasmtimeError {
        if T::is_exit(&error) {
            return WasmtimeError::Exit(error);
        }
        let mut frames = Vec::new();
        if let Some(trace) = error.downcast_ref::<WasmBacktrace>() {
            let linkage = self.store.data_mut().linkage();
            let shown = trace.frames().iter().take(SHOWN);
            frames.extend(shown.map(|frame| linkage.frame(frame)));
        }
        WasmtimeError::Guest { error, frames }
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

impl<T: StoreData> Objects for WasmtimeEngine<'_, T> {
    type Instance = Instance;
    type Extern = Extern;
}

impl<T: StoreData> Engine for WasmtimeEngine<'_, T> {
    type Source = WasmtimeSource;
    type Code = Module;
    type Error = WasmtimeError;

    fn main(&mut self) -> Result<Main<Instance>, WasmtimeError> {
        let guest = self.store.data_mut();
        let main = guest.linkage().main.as_mut().ok_or(WasmtimeError::NoMain)?;
        let bytes = (main.bytes)().map_err(WasmtimeError::MainFile)?;
        let (name, instance) = (main.name.as_str().into(), main.instance);
        let plan = guest.plan();
        let hash = plan.as_ref().map(|_| guest.hash(&bytes));
        // A plan that was made for another main is refused when it is to be used.
        let planned = plan.zip(hash);
        let planned = planned.and_then(|(plan, hash)| plan.main(hash, "").ok());
        let info = match planned {
            Some(info) => info,
            None => Arc::new(ModuleInfo::main_from_bytes(&bytes)?),
        };
        Ok(Main {
            name,
            info,
            instance,
            hash,
        })
    }

    fn compile(&mut self, source: &WasmtimeSource) -> Result<Module, WasmtimeError> {
        let engine = self.store.engine().clone();
        let compiled = self
            .store
            .data_mut()
            .linkage()
            .codes
            .module(&engine, source);
        Ok(compiled?)
    }

    async fn thunks(&mut self, thunks: &ThunkModule) -> Result<Module, WasmtimeError> {
        let wasm = thunks.to_wasm();
        let engine = self.store.engine().clone();
        let known = &mut self.store.data_mut().linkage().thunks;
        if let Some((_, module)) = known.iter().find(|(known, _)| *known == wasm) {
            return Ok(module.clone());
        }
        let module = Module::new(&engine, &wasm)?;
        known.push((wasm, module.clone()));
        Ok(module)
    }

    async fn instantiate(
        &mut self,
        code: &Module,
        imports: &[Extern],
    ) -> Result<Instance, WasmtimeError> {
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

    fn zero(&mut self, memory: &Extern, at: Address, len: u32) -> Result<(), WasmtimeError> {
        let Extern::Memory(memory) = memory else {
            return Err(WasmtimeError::expected("a memory"));
        };
        let start = at.0 as usize;
        let bytes = memory.data_mut(&mut self.store);
        let bytes = start
            .checked_add(len as usize)
            .and_then(|end| bytes.get_mut(start..end))
            .ok_or(WasmtimeError::Outside { at, len })?;
        bytes.fill(0);
        Ok(())
    }

    fn grow(&mut self, table: &Extern, slots: u32) -> Result<Slot, WasmtimeError> {
        let table = as_table(table)?;
        let first = table.grow(&mut self.store, u64::from(slots), Ref::Func(None))?;
        let first = u32::try_from(first).map_err(|_| WasmtimeError::expected("a 32-bit table"))?;
        Ok(Slot(first))
    }

    fn set(
        &mut self,
        table: &Extern,
        slot: Slot,
        function: Option<&Extern>,
    ) -> Result<(), WasmtimeError> {
        let function = match function {
            Some(Extern::Func(function)) => Some(*function),
            Some(_) => return Err(WasmtimeError::expected("a function")),
            None => None,
        };
        as_table(table)?.set(&mut self.store, u64::from(slot.0), Ref::Func(function))?;
        Ok(())
    }

    fn global(&mut self, mutability: Mutability, value: u32) -> Result<Extern, WasmtimeError> {
        let mutability = match mutability {
            Mutability::Const => wasmtime::Mutability::Const,
            Mutability::Var => wasmtime::Mutability::Var,
        };
        let ty = GlobalType::new(wasmtime::ValType::I32, mutability);
        let global = Global::new(&mut self.store, ty, Val::I32(value.cast_signed()))?;
        Ok(Extern::Global(global))
    }

    fn read(&mut self, global: &Extern) -> Result<u32, WasmtimeError> {
        match as_global(global)?.get(&mut self.store) {
            Val::I32(value) => Ok(value.cast_unsigned()),
            _ => Err(WasmtimeError::expected("an i32 global")),
        }
    }

    fn write(&mut self, global: &Extern, value: u32) -> Result<(), WasmtimeError> {
        as_global(global)?.set(&mut self.store, Val::I32(value.cast_signed()))?;
        Ok(())
    }

    fn tag(&mut self, params: &[ValType]) -> Result<Extern, WasmtimeError> {
        let params = params.iter().copied().map(val_type);
        let ty = TagType::new(FuncType::new(self.store.engine(), params, []));
        Ok(Extern::Tag(Tag::new(&mut self.store, &ty)?))
    }

    async fn call(
        &mut self,
        function: &Extern,
        args: &[u32],
    ) -> Result<Option<u32>, WasmtimeError> {
        let Extern::Func(function) = function else {
            return Err(WasmtimeError::expected("a function"));
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
            _ => Err(WasmtimeError::expected("a function that returns an i32")),
        }
    }
}

impl<T: StoreData> State for WasmtimeEngine<'_, T> {
    fn program<R>(&mut self, visit: impl FnOnce(&mut Program<Instance, Extern>) -> R) -> R {
        visit(&mut self.store.data_mut().linkage().program)
    }
}

impl<T: StoreData> Diagnostics for WasmtimeEngine<'_, T> {
    fn traces(&mut self) -> bool {
        self.store.data_mut().traces()
    }

    fn trace(&mut self, event: Event<'_>) {
        self.store.data_mut().trace(event);
    }

    fn inspect(&mut self, path: &str) -> Option<Inspection> {
        let guest = self.store.data_mut();
        let bytes = match guest.linkage().main.as_mut() {
            Some(main) if main.name == path => main.named_bytes()?,
            _ => guest.read(path).ok()?,
        };
        Inspection::from_bytes(&bytes)
    }

    fn describe_file(&mut self, path: &str) -> Option<Arc<ModuleInfo>> {
        let bytes = self.store.data_mut().read(path).ok()?;
        Some(Arc::new(ModuleInfo::from_bytes(&bytes).ok()?))
    }
}

impl<T: StoreData> Files for WasmtimeEngine<'_, T> {
    type Source = WasmtimeSource;

    fn identify(&mut self, path: &str) -> Option<FileId> {
        self.store.data_mut().identify(path)
    }

    async fn fetch(&mut self, path: &str) -> Result<WasmtimeSource, FetchError> {
        let bytes = self.store.data_mut().read(path);
        let bytes = bytes.map_err(|reason| FetchError::Unreadable { reason })?;
        let path = path.into();
        Ok(WasmtimeSource { path, bytes })
    }

    fn describe(&mut self, source: &WasmtimeSource) -> Result<Arc<ModuleInfo>, ModuleError> {
        Ok(Arc::new(ModuleInfo::from_bytes(&source.bytes)?))
    }

    fn hash(&mut self, source: &WasmtimeSource) -> ContentHash {
        self.store.data().hash(&source.bytes)
    }

    fn list(&mut self, directory: &str) -> Vec<String> {
        self.store.data_mut().list(directory)
    }
}

impl<T: StoreData> Process for WasmtimeEngine<'_, T> {
    fn plan(&mut self) -> Option<Arc<Plan>> {
        self.store.data_mut().plan()
    }
}

fn as_table(table: &Extern) -> Result<wasmtime::Table, WasmtimeError> {
    match table {
        Extern::Table(table) => Ok(*table),
        _ => Err(WasmtimeError::expected("a table")),
    }
}

fn as_global(global: &Extern) -> Result<Global, WasmtimeError> {
    match global {
        Extern::Global(global) => Ok(*global),
        _ => Err(WasmtimeError::expected("a global")),
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
