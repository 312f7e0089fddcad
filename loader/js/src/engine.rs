//! The engine itself.

use std::rc::Rc;
use std::sync::Arc;

use js_sys::{Array, Function, Object, Promise, Reflect, Uint8Array, WebAssembly};
use pymode_dylink::{
    Address, ContentHash, Diagnostics, Engine, Event, FetchError, FileId, Files, Inspection, Main,
    ModuleError, ModuleInfo, Mutability, Objects, Plan, Process, Program, Slot, State, ThunkModule,
    ValType,
};
use wasm_bindgen::prelude::*;

use crate::code::{CodeKind, JsCode, JsSource, Side};
use crate::error::{JsEngineError, JsFailure};
use crate::externs::{JsExtern, JsInstance, get};
use crate::thunks::CommonThunks;

/// The engine's interface to its guest and the guest's files.
pub trait Host {
    /// See [`State::program`].
    fn program<R>(&self, visit: impl FnOnce(&mut Program<JsInstance, JsExtern>) -> R) -> R;

    /// Returns the exports of the main module's instance.
    fn main_exports(&self) -> &Object;

    /// Reports whether guest code that the linker calls may wait for something.
    fn suspends(&self) -> bool;

    /// Waits for guest code that was entered. Asked for only if it [may wait](Self::suspends).
    ///
    /// # Errors
    /// When the guest code does not return.
    fn wait(&self, promise: Promise) -> impl Future<Output = Result<JsValue, JsValue>>;

    /// See [`Engine::main`].
    ///
    /// # Errors
    /// When main's description cannot be read.
    fn main(&self) -> Result<Main<JsInstance>, JsEngineError>;

    /// See [`Process::plan`].
    fn plan(&self) -> Option<Arc<Plan>>;

    /// See [`Files::identify`].
    fn identify(&self, path: &str) -> Option<FileId>;

    /// See [`Files::fetch`]. A module that does not compile is a file that can be read.
    ///
    /// # Errors
    /// As there.
    fn fetch(&self, path: &str) -> impl Future<Output = Result<JsSource, FetchError>>;

    /// See [`Files::prefetch`].
    fn prefetch(&self, paths: &[Arc<str>]) -> impl Future<Output = ()> {
        let _ = paths;
        std::future::ready(())
    }

    /// See [`Diagnostics::describe_file`].
    fn describe_file(&self, path: &str) -> Option<Arc<ModuleInfo>>;

    /// Returns what main imports: an object for each module.
    fn imports(&self) -> &Object;

    /// Makes an error of guest code that did not return: by default of what JavaScript tells.
    fn failed(&self, thrown: &JsValue) -> JsEngineError {
        JsEngineError::thrown(thrown)
    }

    /// See [`Diagnostics::inspect`].
    fn inspect(&self, path: &str) -> Option<Inspection> {
        let _ = path;
        None
    }

    /// See [`Files::list`].
    fn list(&self, directory: &str) -> Vec<String> {
        let _ = directory;
        Vec::new()
    }

    /// See [`Diagnostics::traces`].
    fn traces(&self) -> bool {
        false
    }

    /// See [`Diagnostics::trace`].
    fn trace(&self, event: Event<'_>) {
        let _ = event;
    }

    /// Returns the module of common thunks that was compiled with all that may be loaded. A host may have to wait for it.
    ///
    /// # Errors
    /// When there is none.
    fn common_thunks(&self) -> impl Future<Output = Result<Rc<CommonThunks>, JsEngineError>>;
}

/// A process of the linker. Making one costs nothing; all state is the host's.
pub struct JsProcess<H>(pub H);

impl<H: Host> JsProcess<H> {
    fn value(&self, of: &JsExtern) -> Result<JsValue, JsEngineError> {
        of.value(self.0.main_exports())
    }

    fn typed<T: JsCast>(&self, of: &JsExtern, kind: &'static str) -> Result<T, JsEngineError> {
        self.value(of)?
            .dyn_into()
            .map_err(|_| JsEngineError::expected(kind))
    }

    /// One object for each import module. The one for `env` has main's exports as its prototype.
    fn imports(&self, code: &Side, externs: &[JsExtern]) -> Result<Object, JsEngineError> {
        let all = Object::new();
        let mut objects: Vec<(&str, Object)> = Vec::new();
        for (at, (import, found)) in code.info.imports.iter().zip(externs).enumerate() {
            let module = &*import.module;
            let object = match objects.iter().find(|(known, _)| *known == module) {
                Some((_, object)) => object,
                None => {
                    let object = match module {
                        "env" => Object::create(self.0.main_exports()),
                        _ => Object::new(),
                    };
                    Reflect::set(&all, &module.into(), &object)?;
                    objects.push((module, object));
                    &objects[objects.len() - 1].1
                }
            };
            match found {
                JsExtern::Main(export) if module == "env" && *export.name() == *import.name => {}
                found => {
                    let value = self.value(found)?;
                    let property = code.property(at);
                    // Main's exports are read-only, and so is what inherits from them under their names.
                    if !Reflect::set(object, property, &value)? {
                        define(object, property, &value)?;
                    }
                }
            }
        }
        Ok(all)
    }
}

fn define(object: &Object, name: &JsValue, value: &JsValue) -> Result<(), JsEngineError> {
    let property = Object::new();
    Reflect::set(&property, &"value".into(), value)?;
    match Reflect::define_property(object, name, &property) {
        Ok(true) => Ok(()),
        Ok(false) => Err(JsEngineError::expected("an import that can be set")),
        Err(thrown) => Err(thrown.into()),
    }
}

impl<H: Host> Objects for JsProcess<H> {
    type Instance = JsInstance;
    type Extern = JsExtern;
}

impl<H: Host> Engine for JsProcess<H> {
    type Source = JsSource;
    type Code = JsCode;
    type Error = JsEngineError;

    fn main(&mut self) -> Result<Main<JsInstance>, JsEngineError> {
        self.0.main()
    }

    fn compile(&mut self, source: &JsSource) -> Result<JsCode, JsEngineError> {
        source.compiled.clone()
    }

    async fn thunks(&mut self, thunks: &ThunkModule) -> Result<JsCode, JsEngineError> {
        JsCode::thunks(self.0.common_thunks().await?, thunks)
    }

    async fn instantiate(
        &mut self,
        code: &JsCode,
        imports: &[JsExtern],
    ) -> Result<JsInstance, JsEngineError> {
        match &code.0 {
            CodeKind::Side(code) => {
                let imports = self.imports(code, imports)?;
                let instance = WebAssembly::Instance::new(&code.module, &imports);
                let instance = instance.map_err(|thrown| self.0.failed(&thrown))?;
                Ok(JsInstance::side(instance.exports()))
            }
            CodeKind::Thunks(thunks) => {
                let functions = thunks.instantiate(imports, self.0.main_exports())?;
                Ok(JsInstance::thunks(functions))
            }
        }
    }

    fn export(&mut self, instance: &JsInstance, name: &str) -> Option<JsExtern> {
        instance.export(name)
    }

    fn host(&mut self, module: &str, name: &str) -> Option<JsExtern> {
        let object = get(self.0.imports(), module)?;
        // The exports of an instance are an object without a prototype: no `instanceof` knows them as one.
        get(object.unchecked_ref(), name).map(JsExtern::Value)
    }

    fn zero(&mut self, memory: &JsExtern, at: Address, len: u32) -> Result<(), JsEngineError> {
        let memory: WebAssembly::Memory = self.typed(memory, "a memory")?;
        let bytes = Uint8Array::new(&memory.buffer());
        match at.0.checked_add(len) {
            Some(end) if end <= bytes.length() => {
                bytes.fill(0, at.0, end);
                Ok(())
            }
            _ => Err(JsFailure::Outside.into()),
        }
    }

    fn grow(&mut self, table: &JsExtern, slots: u32) -> Result<Slot, JsEngineError> {
        let table: WebAssembly::Table = self.typed(table, "a table")?;
        Ok(Slot(table.grow(slots)?))
    }

    fn set(
        &mut self,
        table: &JsExtern,
        slot: Slot,
        function: Option<&JsExtern>,
    ) -> Result<(), JsEngineError> {
        let table: WebAssembly::Table = self.typed(table, "a table")?;
        let function = match function {
            Some(function) => self.value(function)?,
            None => JsValue::NULL,
        };
        Ok(table.set_raw(slot.0, &function)?)
    }

    fn global(&mut self, mutability: Mutability, value: u32) -> Result<JsExtern, JsEngineError> {
        match mutability {
            Mutability::Const => Ok(JsExtern::Value(JsValue::from(value as i32))),
            Mutability::Var => Ok(JsExtern::Value(variable(value)?.into())),
        }
    }

    fn read(&mut self, global: &JsExtern) -> Result<u32, JsEngineError> {
        let value = self.value(global)?;
        let number = match value.dyn_ref::<WebAssembly::Global>() {
            Some(global) => global.value(),
            None => value,
        };
        let number = number
            .as_f64()
            .ok_or_else(|| JsEngineError::expected("a global of a number"))?;
        Ok(number as i32 as u32)
    }

    fn write(&mut self, global: &JsExtern, value: u32) -> Result<(), JsEngineError> {
        let global: WebAssembly::Global = self.typed(global, "a mutable global")?;
        Reflect::set(&global, &"value".into(), &JsValue::from(value as i32))?;
        Ok(())
    }

    fn tag(&mut self, params: &[ValType]) -> Result<JsExtern, JsEngineError> {
        let types: Array = params
            .iter()
            .map(|ty| JsValue::from_str(&ty.to_string()))
            .collect();
        let descriptor = Object::new();
        Reflect::set(&descriptor, &"parameters".into(), &types)?;
        Ok(JsExtern::Value(WebAssembly::Tag::new(&descriptor)?.into()))
    }

    async fn call(
        &mut self,
        function: &JsExtern,
        args: &[u32],
    ) -> Result<Option<u32>, JsEngineError> {
        let args: Array = args.iter().map(|arg| JsValue::from(*arg as i32)).collect();
        let waits = function.may_wait() && self.0.suspends();
        let function: Function = self.typed(function, "a function")?;
        let result = if waits {
            // On a stack of its own: on this one there are frames of JavaScript, through which nothing can be suspended.
            let entered = WebAssembly::promising(&function).apply(&JsValue::UNDEFINED, &args)?;
            self.0.wait(entered.unchecked_into()).await
        } else {
            function.apply(&JsValue::UNDEFINED, &args)
        };
        let number = result.map_err(|thrown| self.0.failed(&thrown))?.as_f64();
        Ok(number.map(|number| number as i32 as u32))
    }
}

impl<H: Host> State for JsProcess<H> {
    fn program<R>(&mut self, visit: impl FnOnce(&mut Program<JsInstance, JsExtern>) -> R) -> R {
        self.0.program(visit)
    }
}

impl<H: Host> Diagnostics for JsProcess<H> {
    fn traces(&mut self) -> bool {
        self.0.traces()
    }

    fn trace(&mut self, event: Event<'_>) {
        self.0.trace(event);
    }

    fn inspect(&mut self, path: &str) -> Option<Inspection> {
        self.0.inspect(path)
    }

    fn describe_file(&mut self, path: &str) -> Option<Arc<ModuleInfo>> {
        self.0.describe_file(path)
    }
}

impl<H: Host> Files for JsProcess<H> {
    type Source = JsSource;

    fn identify(&mut self, path: &str) -> Option<FileId> {
        self.0.identify(path)
    }

    async fn fetch(&mut self, path: &str) -> Result<JsSource, FetchError> {
        self.0.fetch(path).await
    }

    async fn prefetch(&mut self, paths: &[Arc<str>]) {
        self.0.prefetch(paths).await;
    }

    fn describe(&mut self, source: &JsSource) -> Result<Arc<ModuleInfo>, ModuleError> {
        Ok(Arc::clone(&source.info))
    }

    fn hash(&mut self, source: &JsSource) -> ContentHash {
        source.hash
    }

    fn list(&mut self, directory: &str) -> Vec<String> {
        self.0.list(directory)
    }
}

impl<H: Host> Process for JsProcess<H> {
    fn plan(&mut self) -> Option<Arc<Plan>> {
        self.0.plan()
    }
}

/// A mutable global.
pub(crate) fn variable(value: u32) -> Result<WebAssembly::Global, JsEngineError> {
    let value = JsValue::from(value as i32);
    VARIABLE
        .with(|kind| WebAssembly::Global::new(kind, &value))
        .map_err(JsEngineError::from)
}

thread_local! {
    /// `{ value: "i32", mutable: true }`
    static VARIABLE: Object = {
        let kind = Object::new();
        for (name, value) in [("value", JsValue::from("i32")), ("mutable", JsValue::TRUE)] {
            // A fresh object takes every property.
            let set = Reflect::set(&kind, &name.into(), &value);
            debug_assert!(set.is_ok());
        }
        kind
    };
}
