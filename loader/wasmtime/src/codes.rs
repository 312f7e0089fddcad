//! The compiled side modules of one process.

use std::collections::HashMap;
use std::sync::Arc;

use sha2::{Digest, Sha256};
use wasmtime::{Engine, Module};

use crate::cache::CodeCache;

/// A side module that was read and not yet compiled.
#[derive(Debug)]
pub struct WasmtimeSource {
    pub(crate) path: Arc<str>,
    pub(crate) bytes: Vec<u8>,
}

/// Compiled code by content: a library that is opened again, or lies at two places, is compiled and mapped once.
pub(crate) struct Codes {
    cache: Option<CodeCache>,
    known: HashMap<[u8; 32], Code>,
}

struct Code {
    module: Module,
    /// Path from which it was first read, for messages.
    path: Arc<str>,
}

impl Codes {
    pub(crate) fn new(cache: Option<CodeCache>) -> Self {
        Self {
            cache,
            known: HashMap::new(),
        }
    }

    pub(crate) fn module(
        &mut self,
        engine: &Engine,
        source: &WasmtimeSource,
    ) -> Result<Module, wasmtime::Error> {
        let digest: [u8; 32] = Sha256::digest(&source.bytes).into();
        if let Some(code) = self.known.get(&digest) {
            return Ok(code.module.clone());
        }
        let module = match &self.cache {
            Some(cache) => cache.digested(engine, &source.bytes, &digest)?,
            None => Module::new(engine, &source.bytes)?,
        };
        let code = Code {
            module: module.clone(),
            path: Arc::clone(&source.path),
        };
        self.known.insert(digest, code);
        Ok(module)
    }

    /// Returns the path of a module's code.
    pub(crate) fn path(&self, module: &Module) -> Option<&str> {
        let mut codes = self.known.values();
        let found = codes.find(|code| Module::same(&code.module, module))?;
        Some(&found.path)
    }
}
