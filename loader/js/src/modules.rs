//! What is known of modules, for all processes of an isolate: reading a description and naming its imports is done once.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use js_sys::WebAssembly::Module;
use pymode_dylink::{Fault, Fetched, ModuleError, ModuleInfo};

use crate::code::JsCode;
use crate::key::key;

/// Compiled modules and their descriptions, by key.
#[derive(Default)]
pub struct Modules {
    compiled: RefCell<HashMap<Box<str>, Result<Module, Fault>>>,
    known: RefCell<HashMap<Box<str>, Known>>,
}

struct Known {
    /// What `info` was read from. A guest can write a skeleton of its own, with any key: it is not this one.
    skeleton: Box<[u8]>,
    info: Arc<ModuleInfo>,
    source: Result<JsCode, Fault>,
}

/// A file that cannot be loaded, so far.
#[derive(Debug)]
pub enum NotKnown {
    /// It is no side module.
    Malformed(ModuleError),
    /// It is one, but no skeleton: nothing was compiled for it.
    NoKey,
    /// What it stands for was not [added](Modules::add).
    Missing(Box<str>),
}

impl Modules {
    /// Takes a module, or the reason why there is none.
    pub fn add(&self, key: &str, module: Result<Module, Fault>) {
        self.compiled.borrow_mut().insert(key.into(), module);
    }

    /// A module that was added.
    #[must_use]
    pub fn compiled(&self, key: &str) -> Option<Result<Module, Fault>> {
        self.compiled.borrow().get(key).cloned()
    }

    /// The module that a file stands for.
    ///
    /// # Errors
    /// When it stands for none, or for one that was not added.
    pub fn fetch(&self, skeleton: &[u8]) -> Result<Fetched<Result<JsCode, Fault>>, NotKnown> {
        let named = key(skeleton);
        if let Some(known) = self.known.borrow().get(named.unwrap_or_default())
            && *known.skeleton == *skeleton
        {
            return Ok(Fetched {
                info: Arc::clone(&known.info),
                source: known.source.clone(),
            });
        }
        let info = Arc::new(ModuleInfo::from_bytes(skeleton).map_err(NotKnown::Malformed)?);
        let key = named.ok_or(NotKnown::NoKey)?;
        let module = self.compiled(key);
        let module = module.ok_or_else(|| NotKnown::Missing(key.into()))?;
        let source = module.map(|module| JsCode::new(module, &info));
        let known = Known {
            skeleton: skeleton.into(),
            info: Arc::clone(&info),
            source: source.clone(),
        };
        self.known.borrow_mut().entry(key.into()).or_insert(known);
        Ok(Fetched { info, source })
    }
}
