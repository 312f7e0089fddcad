//! Compiled modules, for all processes of an isolate.

use std::cell::RefCell;
use std::collections::HashMap;

use js_sys::WebAssembly::Module;
use pymode_dylink::{ContentHash, ModuleError, ModuleInfo, Plan, PlanError};

use crate::code::{JsCode, JsSource};
use crate::error::JsEngineError;
use crate::stamp::stamp;
use crate::stub::{key, stub_hash};

/// Compiled modules by the hash of their content.
#[derive(Default)]
pub struct Modules {
    compiled: RefCell<HashMap<ContentHash, Result<Module, JsEngineError>>>,
    codes: RefCell<HashMap<ContentHash, Result<JsCode, JsEngineError>>>,
}

/// A file that cannot be loaded, so far.
#[derive(Debug)]
pub enum NotKnown {
    /// Not WebAssembly.
    Malformed(ModuleError),
    /// Not a stub: nothing was compiled for it.
    NoStub,
    /// It is a stub of a module that the plan does not know.
    Stale(ContentHash),
    /// The module with this hash was not [added](Modules::add).
    Missing(ContentHash),
    /// The plan cannot be read.
    Plan(PlanError),
}

impl Modules {
    /// Takes a module, or the reason why there is none. One that is not what the hash says becomes an error.
    pub fn add(&self, hash: ContentHash, module: Result<Module, JsEngineError>, plan: &Plan) {
        let module = module.and_then(|module| match stamp(&module) == Some(hash) {
            true => Ok(module),
            false => {
                let name = format!("side-{}.wasm", key(hash));
                Err(plan.stale(&name).into())
            }
        });
        self.compiled.borrow_mut().insert(hash, module);
    }

    /// Reports whether a module was added.
    #[must_use]
    pub fn has(&self, hash: ContentHash) -> bool {
        self.compiled.borrow().contains_key(&hash)
    }

    /// Returns a module that was added.
    #[must_use]
    pub fn compiled(&self, hash: ContentHash) -> Option<Result<Module, JsEngineError>> {
        self.compiled.borrow().get(&hash).cloned()
    }

    /// Returns the module that a file stands for.
    ///
    /// # Errors
    /// When it stands for none, or for one that was not added.
    pub fn fetch(&self, file: &[u8], plan: &Plan) -> Result<JsSource, NotKnown> {
        ModuleInfo::check_magic(file).map_err(NotKnown::Malformed)?;
        let hash = stub_hash(file).ok_or(NotKnown::NoStub)?;
        let code = plan.code(hash).ok_or(NotKnown::Stale(hash))?;
        let info = plan.describe(hash).ok_or(NotKnown::Stale(hash))?;
        let info = info.map_err(NotKnown::Plan)?;
        if let Some(compiled) = self.codes.borrow().get(&code) {
            return Ok(JsSource {
                hash,
                code,
                info,
                compiled: compiled.clone(),
            });
        }
        let module = self.compiled(code).ok_or(NotKnown::Missing(code))?;
        let compiled = module.map(|module| JsCode::new(module, &info));
        self.codes.borrow_mut().insert(code, compiled.clone());
        Ok(JsSource {
            hash,
            code,
            info,
            compiled,
        })
    }
}
