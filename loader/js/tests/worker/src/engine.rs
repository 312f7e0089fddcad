//! The engine under test, which fails when it is told to.

use std::sync::Arc;

use pymode_dylink::{
    Address, Bridge, ContentHash, Engine, Fault, FetchError, Fetched, FileId, Inspection, Main,
    Mutability, Plan, Process, Program, Slot, ValType,
};
use pymode_dylink_js::{Host as _, JsCode, JsExtern, JsInstance, JsProcess, Known};

use crate::linking::{Faults, Linking};

/// [`JsProcess`], of which any one call can fail. A fault comes before the call, except that guest code counts as having
/// run: nobody can tell. What takes back is spared: from a second failure there is no way back, on any engine.
pub(crate) struct Failing(pub(crate) JsProcess<Linking>);

/// Whether there is a start function, and the rest.
type WithStart<T> = (bool, T);

impl Failing {
    fn faults(&self) -> &Faults {
        &self.0.0.0.faults
    }

    fn tick(&self) -> Result<(), Fault> {
        self.faults().tick()
    }
}

impl Engine for Failing {
    type Source = WithStart<Result<JsCode, Fault>>;
    type Code = WithStart<JsCode>;
    type Instance = JsInstance;
    type Extern = JsExtern;

    fn compile(&mut self, (starts, source): &Self::Source) -> Result<Self::Code, Fault> {
        self.tick()?;
        Ok((*starts, self.0.compile(source)?))
    }

    fn bridge(&mut self, bridge: &Bridge) -> Result<Self::Code, Fault> {
        self.tick()?;
        Ok((false, self.0.bridge(bridge)?))
    }

    async fn instantiate(
        &mut self,
        (starts, code): &Self::Code,
        imports: &[JsExtern],
    ) -> Result<JsInstance, Fault> {
        if *starts {
            self.faults().guest_ran.set(true);
        }
        self.tick()?;
        self.0.instantiate(code, imports).await
    }

    fn export(&mut self, instance: &JsInstance, name: &str) -> Option<JsExtern> {
        self.tick().ok()?;
        self.0.export(instance, name)
    }

    fn host(&mut self, module: &str, name: &str) -> Option<JsExtern> {
        self.tick().ok()?;
        self.0.host(module, name)
    }

    fn zero(&mut self, memory: &JsExtern, at: Address, len: u32) -> Result<(), Fault> {
        self.tick()?;
        self.0.zero(memory, at, len)
    }

    fn grow(&mut self, table: &JsExtern, slots: u32) -> Result<Slot, Fault> {
        self.tick()?;
        self.0.grow(table, slots)
    }

    fn set(
        &mut self,
        table: &JsExtern,
        slot: Slot,
        function: Option<&JsExtern>,
    ) -> Result<(), Fault> {
        if function.is_some() {
            self.tick()?;
        }
        self.0.set(table, slot, function)
    }

    fn global(&mut self, mutability: Mutability, value: u32) -> Result<JsExtern, Fault> {
        self.tick()?;
        self.0.global(mutability, value)
    }

    fn read(&mut self, global: &JsExtern) -> Result<u32, Fault> {
        if !is_main(global, &["__stack_pointer"]) {
            self.tick()?;
        }
        self.0.read(global)
    }

    fn write(&mut self, global: &JsExtern, value: u32) -> Result<(), Fault> {
        if !is_main(global, &["__stack_pointer"]) {
            self.tick()?;
        }
        self.0.write(global, value)
    }

    fn tag(&mut self, params: &[ValType]) -> Result<JsExtern, Fault> {
        self.tick()?;
        self.0.tag(params)
    }

    async fn call(&mut self, function: &JsExtern, args: &[u32]) -> Result<Option<u32>, Fault> {
        if is_main(function, &["free"]) {
            return self.0.call(function, args).await;
        }
        if !is_main(function, &["malloc", "aligned_alloc"]) {
            self.faults().guest_ran.set(true);
        }
        self.tick()?;
        self.0.call(function, args).await
    }
}

/// Whether it is one of these exports of main.
fn is_main(of: &JsExtern, names: &[&str]) -> bool {
    matches!(of, JsExtern::Main(export) if names.contains(&export.name()))
}

impl Process for Failing {
    fn program<R>(&mut self, visit: impl FnOnce(&mut Program<JsInstance, JsExtern>) -> R) -> R {
        self.0.0.program(visit)
    }

    fn main(&mut self) -> Result<Main<JsInstance>, Fault> {
        self.0.0.main()
    }

    fn identify(&mut self, path: &str) -> Option<FileId> {
        self.0.0.identify(path)
    }

    fn fetch(&mut self, path: &str) -> Result<Fetched<Self::Source>, FetchError> {
        if let Err(Fault(reason)) = self.tick() {
            return Err(FetchError::Unreadable { reason });
        }
        let Fetched { info, source } = self.0.0.fetch(path)?;
        let starts = info.starts;
        Ok(Fetched {
            info,
            source: (starts, source),
        })
    }

    fn list(&mut self, directory: &str) -> Vec<String> {
        self.0.list(directory)
    }

    fn inspect(&mut self, path: &str) -> Option<Inspection> {
        self.0.inspect(path)
    }

    fn plan(&mut self) -> Option<Arc<Plan>> {
        self.0.plan()
    }

    fn main_hash(&mut self) -> Option<ContentHash> {
        self.0.main_hash()
    }

    fn fetch_hashed(&mut self, path: &str) -> Result<(Self::Source, ContentHash), FetchError> {
        if let Err(Fault(reason)) = self.tick() {
            return Err(FetchError::Unreadable { reason });
        }
        let Known {
            info, source, hash, ..
        } = self.0.0.known(path)?;
        Ok(((info.starts, source), hash))
    }
}
