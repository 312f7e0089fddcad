//! The engine itself.

use std::rc::Rc;
use std::sync::Arc;

use js_sys::{Array, Function, Object, Promise, Reflect, Uint8Array, WebAssembly};
use pymode_dylink::{
    Address, Bridge, ContentHash, Engine, Fault, FetchError, Fetched, FileId, Inspection, Main,
    Mutability, Plan, Process, Program, Slot, ValType,
};
use wasm_bindgen::prelude::*;

use crate::code::{JsCode, Kind, Side};
use crate::externs::{JsExtern, JsInstance, fault, get};
use crate::forwarders::Forwarders;

/// What the engine needs to know of the guest it works for, and of its files.
pub trait Host {
    /// Visits the linker's state. No guest code runs meanwhile.
    fn program<R>(&self, visit: impl FnOnce(&mut Program<JsInstance, JsExtern>) -> R) -> R;

    /// The exports of the main module's instance.
    fn main_exports(&self) -> &Object;

    /// Whether guest code that the linker calls may wait for something.
    fn suspends(&self) -> bool;

    /// Waits for guest code that was entered. Asked for only if it [may wait](Self::suspends).
    fn wait(&self, promise: Promise) -> impl Future<Output = Result<JsValue, JsValue>>;

    /// See [`Process::main`].
    ///
    /// # Errors
    /// When what main exports cannot be read.
    fn main(&self) -> Result<Main<JsInstance>, Fault>;

    /// See [`Process::plan`].
    fn plan(&self) -> Option<Arc<Plan>>;

    /// See [`Process::main_hash`].
    fn main_hash(&self) -> Option<ContentHash>;

    /// See [`Process::fetch_hashed`].
    ///
    /// # Errors
    /// As there.
    fn fetch_hashed(&self, path: &str) -> Result<(Result<JsCode, Fault>, ContentHash), FetchError>;

    /// See [`Process::identify`].
    fn identify(&self, path: &str) -> Option<FileId>;

    /// See [`Process::fetch`]. A module that does not compile is a file that can be read.
    ///
    /// # Errors
    /// As there.
    fn fetch(&self, path: &str) -> Result<Fetched<Result<JsCode, Fault>>, FetchError>;

    /// What main imports: an object for each module.
    fn imports(&self) -> &Object;

    /// What is to be said of guest code that did not return: by default what JavaScript says.
    fn fault(&self, thrown: &JsValue) -> Fault {
        fault(thrown.clone())
    }

    /// See [`Process::inspect`].
    fn inspect(&self, path: &str) -> Option<Inspection> {
        let _ = path;
        None
    }

    /// See [`Process::list`].
    fn list(&self, directory: &str) -> Vec<String> {
        let _ = directory;
        Vec::new()
    }

    /// See [`Process::traces`].
    fn traces(&self) -> bool {
        false
    }

    /// See [`Process::trace`].
    fn trace(&self, text: &str) {
        let _ = text;
    }

    /// The module of forwarders that was compiled with all that may be loaded.
    ///
    /// # Errors
    /// When there is none.
    fn forwarders(&self) -> Result<Rc<Forwarders>, Fault>;
}

/// A process of the linker. Making one costs nothing; all state is the host's.
pub struct JsProcess<H>(pub H);

impl<H: Host> JsProcess<H> {
    fn value(&self, of: &JsExtern) -> Result<JsValue, Fault> {
        of.value(self.0.main_exports())
    }

    fn typed<T: JsCast>(&self, of: &JsExtern, what: &str) -> Result<T, Fault> {
        self.value(of)?
            .dyn_into()
            .map_err(|_| Fault::new(format!("this is not a {what}")))
    }

    /// One object for each import module. The one for `env` has main's exports as its prototype.
    fn imports(&self, code: &Side, externs: &[JsExtern]) -> Result<Object, Fault> {
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
                    Reflect::set(&all, &module.into(), &object).map_err(fault)?;
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
                    if !Reflect::set(object, property, &value).map_err(fault)? {
                        define(object, property, &value)?;
                    }
                }
            }
        }
        Ok(all)
    }
}

fn define(object: &Object, name: &JsValue, value: &JsValue) -> Result<(), Fault> {
    let property = Object::new();
    Reflect::set(&property, &"value".into(), value).map_err(fault)?;
    match Reflect::define_property(object, name, &property) {
        Ok(true) => Ok(()),
        Ok(false) => Err(Fault::new("an import cannot be set")),
        Err(thrown) => Err(fault(thrown)),
    }
}

impl<H: Host> Engine for JsProcess<H> {
    /// Compiled, or why it cannot be.
    type Source = Result<JsCode, Fault>;
    type Code = JsCode;
    type Instance = JsInstance;
    type Extern = JsExtern;

    fn compile(&mut self, source: &Result<JsCode, Fault>) -> Result<JsCode, Fault> {
        source.clone()
    }

    fn bridge(&mut self, bridge: &Bridge) -> Result<JsCode, Fault> {
        JsCode::bridge(self.0.forwarders()?, bridge)
    }

    async fn instantiate(
        &mut self,
        code: &JsCode,
        imports: &[JsExtern],
    ) -> Result<JsInstance, Fault> {
        match &code.0 {
            Kind::Side(code) => {
                let imports = self.imports(code, imports)?;
                let instance = WebAssembly::Instance::new(&code.module, &imports);
                let instance = instance.map_err(|thrown| self.0.fault(&thrown))?;
                Ok(JsInstance::side(instance.exports()))
            }
            Kind::Bridge(bridge) => {
                let functions = bridge.instantiate(imports, self.0.main_exports())?;
                Ok(JsInstance::bridge(functions))
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

    fn zero(&mut self, memory: &JsExtern, at: Address, len: u32) -> Result<(), Fault> {
        let memory: WebAssembly::Memory = self.typed(memory, "memory")?;
        let bytes = Uint8Array::new(&memory.buffer());
        match at.0.checked_add(len) {
            Some(end) if end <= bytes.length() => {
                bytes.fill(0, at.0, end);
                Ok(())
            }
            _ => Err(Fault::new("it lies outside of the memory")),
        }
    }

    fn grow(&mut self, table: &JsExtern, slots: u32) -> Result<Slot, Fault> {
        let table: WebAssembly::Table = self.typed(table, "table")?;
        table.grow(slots).map(Slot).map_err(fault)
    }

    fn set(
        &mut self,
        table: &JsExtern,
        slot: Slot,
        function: Option<&JsExtern>,
    ) -> Result<(), Fault> {
        let table: WebAssembly::Table = self.typed(table, "table")?;
        let function = match function {
            Some(function) => self.value(function)?,
            None => JsValue::NULL,
        };
        table.set_raw(slot.0, &function).map_err(fault)
    }

    fn global(&mut self, mutability: Mutability, value: u32) -> Result<JsExtern, Fault> {
        match mutability {
            Mutability::Const => Ok(JsExtern::Value(JsValue::from(value as i32))),
            Mutability::Var => Ok(JsExtern::Value(variable(value)?.into())),
        }
    }

    fn read(&mut self, global: &JsExtern) -> Result<u32, Fault> {
        let value = self.value(global)?;
        let number = match value.dyn_ref::<WebAssembly::Global>() {
            Some(global) => global.value(),
            None => value,
        };
        let number = number
            .as_f64()
            .ok_or_else(|| Fault::new("this is not a global of a number"))?;
        Ok(number as i32 as u32)
    }

    fn write(&mut self, global: &JsExtern, value: u32) -> Result<(), Fault> {
        let global: WebAssembly::Global = self.typed(global, "variable")?;
        Reflect::set(&global, &"value".into(), &JsValue::from(value as i32)).map_err(fault)?;
        Ok(())
    }

    fn tag(&mut self, params: &[ValType]) -> Result<JsExtern, Fault> {
        let types: Array = params
            .iter()
            .map(|ty| JsValue::from_str(&ty.to_string()))
            .collect();
        let descriptor = Object::new();
        Reflect::set(&descriptor, &"parameters".into(), &types).map_err(fault)?;
        Ok(JsExtern::Value(
            WebAssembly::Tag::new(&descriptor).map_err(fault)?.into(),
        ))
    }

    async fn call(&mut self, function: &JsExtern, args: &[u32]) -> Result<Option<u32>, Fault> {
        let args: Array = args.iter().map(|arg| JsValue::from(*arg as i32)).collect();
        let waits = function.may_wait() && self.0.suspends();
        let function: Function = self.typed(function, "function")?;
        let result = if waits {
            // On a stack of its own: on this one there are frames of JavaScript, through which nothing can be suspended.
            let entered = WebAssembly::promising(&function)
                .apply(&JsValue::UNDEFINED, &args)
                .map_err(fault)?;
            self.0.wait(entered.unchecked_into()).await
        } else {
            function.apply(&JsValue::UNDEFINED, &args)
        };
        let number = result.map_err(|thrown| self.0.fault(&thrown))?.as_f64();
        Ok(number.map(|number| number as i32 as u32))
    }
}

impl<H: Host> Process for JsProcess<H> {
    fn program<R>(&mut self, visit: impl FnOnce(&mut Program<JsInstance, JsExtern>) -> R) -> R {
        self.0.program(visit)
    }

    fn main(&mut self) -> Result<Main<JsInstance>, Fault> {
        self.0.main()
    }

    fn plan(&mut self) -> Option<Arc<Plan>> {
        self.0.plan()
    }

    fn main_hash(&mut self) -> Option<ContentHash> {
        self.0.main_hash()
    }

    fn fetch_hashed(&mut self, path: &str) -> Result<(Self::Source, ContentHash), FetchError> {
        self.0.fetch_hashed(path)
    }

    fn identify(&mut self, path: &str) -> Option<FileId> {
        self.0.identify(path)
    }

    fn fetch(&mut self, path: &str) -> Result<Fetched<Self::Source>, FetchError> {
        self.0.fetch(path)
    }

    fn inspect(&mut self, path: &str) -> Option<Inspection> {
        self.0.inspect(path)
    }

    fn list(&mut self, directory: &str) -> Vec<String> {
        self.0.list(directory)
    }

    fn traces(&mut self) -> bool {
        self.0.traces()
    }

    fn trace(&mut self, text: &str) {
        self.0.trace(text);
    }
}

/// A mutable global.
pub(crate) fn variable(value: u32) -> Result<WebAssembly::Global, Fault> {
    let value = JsValue::from(value as i32);
    VARIABLE
        .with(|kind| WebAssembly::Global::new(kind, &value))
        .map_err(fault)
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
