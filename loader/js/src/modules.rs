//! Compiled modules, for all processes of an isolate.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use js_sys::WebAssembly::Module;
use pymode_dylink::{ContentHash, Fault, ModuleError, ModuleInfo, Plan, PlanError};

use crate::code::JsCode;
use crate::stamp::stamp;
use crate::ticket::{key, ticket};

/// Compiled modules by the hash of their content.
#[derive(Default)]
pub struct Modules {
    compiled: RefCell<HashMap<ContentHash, Result<Module, Fault>>>,
    codes: RefCell<HashMap<ContentHash, Result<JsCode, Fault>>>,
}

/// A module of a plan, compiled or not.
pub struct Known {
    /// Of the file's content.
    pub hash: ContentHash,
    /// Of the module that was compiled for it.
    pub code: ContentHash,
    /// What it says of itself.
    pub info: Arc<ModuleInfo>,
    /// Compiled, or why it cannot be.
    pub source: Result<JsCode, Fault>,
}

/// A file that cannot be loaded, so far.
#[derive(Debug)]
pub enum NotKnown {
    /// It is no WebAssembly.
    Malformed(ModuleError),
    /// It is no ticket: nothing was compiled for it.
    NoTicket,
    /// It is a ticket for a module that the plan does not know.
    Stale(ContentHash),
    /// What it stands for was not [added](Modules::add): a module with this hash.
    Missing(ContentHash),
    /// The plan cannot be read.
    Plan(PlanError),
}

impl Modules {
    /// Takes a module, or the reason why there is none. One that is not what the hash says becomes an error.
    pub fn add(&self, hash: ContentHash, module: Result<Module, Fault>, plan: &Plan) {
        let module = module.and_then(|module| match stamp(&module) == Some(hash) {
            true => Ok(module),
            false => {
                let name = format!("side-{}.wasm", key(hash));
                Err(Fault(plan.stale(&name).to_string()))
            }
        });
        self.compiled.borrow_mut().insert(hash, module);
    }

    /// A module that was added.
    #[must_use]
    pub fn compiled(&self, hash: ContentHash) -> Option<Result<Module, Fault>> {
        self.compiled.borrow().get(&hash).cloned()
    }

    /// The module that a file stands for.
    ///
    /// # Errors
    /// When it stands for none, or for one that was not added.
    pub fn fetch(&self, file: &[u8], plan: &Plan) -> Result<Known, NotKnown> {
        ModuleInfo::check_magic(file).map_err(NotKnown::Malformed)?;
        let hash = ticket(file).ok_or(NotKnown::NoTicket)?;
        let code = plan.code(hash).ok_or(NotKnown::Stale(hash))?;
        let info = plan.describe(hash).ok_or(NotKnown::Stale(hash))?;
        let info = info.map_err(NotKnown::Plan)?;
        if let Some(source) = self.codes.borrow().get(&code) {
            return Ok(Known {
                hash,
                code,
                info,
                source: source.clone(),
            });
        }
        let module = self.compiled(code).ok_or(NotKnown::Missing(code))?;
        let source = module.map(|module| JsCode::new(module, &info));
        self.codes.borrow_mut().insert(code, source.clone());
        Ok(Known {
            hash,
            code,
            info,
            source,
        })
    }
}
