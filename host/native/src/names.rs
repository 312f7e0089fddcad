//! FunctionNames of functions that a stripped module does not carry any more.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use wasmparser::{KnownCustom, Name, Parser, Payload};

/// The names of a module's functions, by their index.
#[derive(Debug, Default)]
pub(crate) struct FunctionNames {
    functions: HashMap<u32, String>,
}

impl FunctionNames {
    /// Reads them from the module as it was before it was stripped: for `python.wasm` that is `python.names.wasm`, beside it.
    ///
    /// FunctionNames are only for people: when there are none, or they cannot be read, there are none.
    pub(crate) fn beside(wasm: &Path) -> FunctionNames {
        std::fs::read(FunctionNames::path(wasm))
            .map(|bytes| FunctionNames::of(&bytes))
            .unwrap_or_default()
    }

    /// Path of that module.
    pub(crate) fn path(wasm: &Path) -> PathBuf {
        wasm.with_extension("names.wasm")
    }

    fn of(wasm: &[u8]) -> FunctionNames {
        let mut names = FunctionNames::default();
        for payload in Parser::new(0).parse_all(wasm).map_while(Result::ok) {
            let Payload::CustomSection(section) = payload else {
                continue;
            };
            let KnownCustom::Name(section) = section.as_known() else {
                continue;
            };
            for names_of in section.into_iter().map_while(Result::ok) {
                let Name::Function(map) = names_of else {
                    continue;
                };
                let named = map
                    .into_iter()
                    .map_while(Result::ok)
                    .map(|naming| (naming.index, naming.name.to_owned()));
                names.functions.extend(named);
            }
        }
        names
    }

    pub(crate) fn get(&self, function: u32) -> Option<&str> {
        self.functions.get(&function).map(String::as_str)
    }
}
