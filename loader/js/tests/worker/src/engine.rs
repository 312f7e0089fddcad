//! The engine under test, which fails on request.

use std::sync::Arc;

use pymode_dylink::{
    Address, ContentHash, Diagnostics, Engine, EngineError, FetchError, FileId, Files, Inspection,
    Main, ModuleError, ModuleInfo, Mutability, Objects, Plan, Process, Program, Slot, State,
    ThunkModule, ValType,
};
use pymode_dylink_js::{JsCode, JsEngineError, JsExtern, JsInstance, JsProcess, JsSource};

use crate::linking::{Faults, Linking};

/// [`JsProcess`], of which any one call can fail. A fault comes before the call, except that guest code counts as having
/// run: nobody can tell. What takes back is spared: from a second failure there is no way back, on any engine.
pub(crate) struct Failing(pub(crate) JsProcess<Linking>);

/// Code, and whether it has a start function.
pub(crate) struct FailingCode {
    starts: bool,
    code: JsCode,
}

/// The reason why a call failed.
#[derive(Debug)]
pub(crate) enum FailingError {
    /// Injected failure.
    Injected,
    /// The engine's own error.
    Engine(JsEngineError),
}

impl EngineError for FailingError {}

impl std::error::Error for FailingError {}

impl std::fmt::Display for FailingError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Injected => f.write_str("injected"),
            Self::Engine(error) => error.fmt(f),
        }
    }
}

impl From<JsEngineError> for FailingError {
    fn from(error: JsEngineError) -> Self {
        Self::Engine(error)
    }
}

impl Failing {
    fn faults(&self) -> &Faults {
        &self.0.0.0.faults
    }

    fn tick(&self) -> Result<(), FailingError> {
        match self.faults().tick() {
            true => Err(FailingError::Injected),
            false => Ok(()),
        }
    }
}

impl Objects for Failing {
    type Instance = JsInstance;
    type Extern = JsExtern;
}

impl Engine for Failing {
    type Source = JsSource;
    type Code = FailingCode;
    type Error = FailingError;

    fn main(&mut self) -> Result<Main<JsInstance>, FailingError> {
        Ok(self.0.main()?)
    }

    fn compile(&mut self, source: &JsSource) -> Result<FailingCode, FailingError> {
        self.tick()?;
        Ok(FailingCode {
            starts: source.info.starts,
            code: self.0.compile(source)?,
        })
    }

    async fn thunks(&mut self, thunks: &ThunkModule) -> Result<FailingCode, FailingError> {
        self.tick()?;
        Ok(FailingCode {
            starts: false,
            code: self.0.thunks(thunks).await?,
        })
    }

    async fn instantiate(
        &mut self,
        code: &FailingCode,
        imports: &[JsExtern],
    ) -> Result<JsInstance, FailingError> {
        if code.starts {
            self.faults().guest_ran.set(true);
        }
        self.tick()?;
        Ok(self.0.instantiate(&code.code, imports).await?)
    }

    fn export(&mut self, instance: &JsInstance, name: &str) -> Option<JsExtern> {
        self.tick().ok()?;
        self.0.export(instance, name)
    }

    fn host(&mut self, module: &str, name: &str) -> Option<JsExtern> {
        self.tick().ok()?;
        self.0.host(module, name)
    }

    fn zero(&mut self, memory: &JsExtern, at: Address, len: u32) -> Result<(), FailingError> {
        self.tick()?;
        Ok(self.0.zero(memory, at, len)?)
    }

    fn grow(&mut self, table: &JsExtern, slots: u32) -> Result<Slot, FailingError> {
        self.tick()?;
        Ok(self.0.grow(table, slots)?)
    }

    fn set(
        &mut self,
        table: &JsExtern,
        slot: Slot,
        function: Option<&JsExtern>,
    ) -> Result<(), FailingError> {
        if function.is_some() {
            self.tick()?;
        }
        Ok(self.0.set(table, slot, function)?)
    }

    fn global(&mut self, mutability: Mutability, value: u32) -> Result<JsExtern, FailingError> {
        self.tick()?;
        Ok(self.0.global(mutability, value)?)
    }

    fn read(&mut self, global: &JsExtern) -> Result<u32, FailingError> {
        if !is_main(global, &["__stack_pointer"]) {
            self.tick()?;
        }
        Ok(self.0.read(global)?)
    }

    fn write(&mut self, global: &JsExtern, value: u32) -> Result<(), FailingError> {
        if !is_main(global, &["__stack_pointer"]) {
            self.tick()?;
        }
        Ok(self.0.write(global, value)?)
    }

    fn tag(&mut self, params: &[ValType]) -> Result<JsExtern, FailingError> {
        self.tick()?;
        Ok(self.0.tag(params)?)
    }

    async fn call(
        &mut self,
        function: &JsExtern,
        args: &[u32],
    ) -> Result<Option<u32>, FailingError> {
        if is_main(function, &["free"]) {
            return Ok(self.0.call(function, args).await?);
        }
        if !is_main(function, &["malloc", "aligned_alloc"]) {
            self.faults().guest_ran.set(true);
        }
        self.tick()?;
        Ok(self.0.call(function, args).await?)
    }
}

/// Returns `true` if it is one of these exports of main.
fn is_main(of: &JsExtern, names: &[&str]) -> bool {
    matches!(of, JsExtern::Main(export) if names.contains(&export.name()))
}

impl State for Failing {
    fn program<R>(&mut self, visit: impl FnOnce(&mut Program<JsInstance, JsExtern>) -> R) -> R {
        self.0.program(visit)
    }
}

impl Diagnostics for Failing {
    fn inspect(&mut self, path: &str) -> Option<Inspection> {
        self.0.inspect(path)
    }

    fn describe_file(&mut self, path: &str) -> Option<Arc<ModuleInfo>> {
        self.0.describe_file(path)
    }
}

impl Files for Failing {
    type Source = JsSource;

    fn identify(&mut self, path: &str) -> Option<FileId> {
        self.0.identify(path)
    }

    async fn fetch(&mut self, path: &str) -> Result<JsSource, FetchError> {
        if let Err(error) = self.tick() {
            let reason = error.to_string();
            return Err(FetchError::Unreadable { reason });
        }
        self.0.fetch(path).await
    }

    fn describe(&mut self, source: &JsSource) -> Result<Arc<ModuleInfo>, ModuleError> {
        self.0.describe(source)
    }

    fn hash(&mut self, source: &JsSource) -> ContentHash {
        self.0.hash(source)
    }

    fn list(&mut self, directory: &str) -> Vec<String> {
        self.0.list(directory)
    }
}

impl Process for Failing {
    fn plan(&mut self) -> Option<Arc<Plan>> {
        self.0.plan()
    }
}
