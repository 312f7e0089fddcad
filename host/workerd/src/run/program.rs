//! Any program in a local workerd, Python or not.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use pymode_host::program::{EXPORTS, Unusable};
use pymode_toolchain::CacheError;
use wasmparser::{Parser, Payload, Validator, WasmFeatures};

use crate::make::assemble::Main;
use crate::make::pack::{self, Exports, PackError};
use crate::runtime::Runtime;

/// Errors of opening a program.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProgramError {
    /// Its file.
    #[error(transparent)]
    File(#[from] CacheError),
    /// Not a program, or not one for this host.
    #[error(transparent)]
    Unusable(#[from] Unusable),
}

/// Any wasm32-wasi program, which can be run repeatedly.
#[derive(Debug, Clone)]
pub struct Program {
    pub(crate) runtime: Runtime,
    path: PathBuf,
}

impl Program {
    /// Reads a main module.
    ///
    /// # Errors
    /// When the file cannot be read, is not a WebAssembly program, or has imports that this host does not provide.
    pub fn open(runtime: &Runtime, wasm: &Path) -> Result<Program, ProgramError> {
        let bytes = fs::read(wasm).map_err(CacheError::io("read", wasm))?;
        check(&bytes, wasm, &runtime.code.offers()?)?;
        Ok(Program {
            runtime: runtime.clone(),
            path: wasm.into(),
        })
    }

    /// Returns the module for a bundle, in files of `dir`, with at most `memory` bytes.
    pub(crate) fn main(&self, dir: &Path, memory: u64) -> Result<Main, PackError> {
        let module = pack::main(&self.path, memory, &Exports::All)?;
        let main = Main {
            name: self
                .path
                .file_name()
                .unwrap_or(self.path.as_os_str())
                .to_string_lossy()
                .into_owned(),
            wasm: dir.join("main.wasm"),
            names: None,
        };
        fs::write(&main.wasm, &module).map_err(CacheError::io("write", &main.wasm))?;
        Ok(main)
    }
}

/// Checks a program before it is bundled, with the native host's wording.
fn check(wasm: &[u8], path: &Path, offers: &HashSet<(String, String)>) -> Result<(), Unusable> {
    let compile = |error: wasmparser::BinaryReaderError| Unusable::Compile {
        path: path.into(),
        reason: error.to_string(),
    };
    Validator::new_with_features(WasmFeatures::all())
        .validate_all(wasm)
        .map_err(compile)?;
    let mut missing = Vec::new();
    let mut exports = HashSet::new();
    for payload in Parser::new(0).parse_all(wasm) {
        match payload.map_err(compile)? {
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    let import = import.map_err(compile)?;
                    if !offers.contains(&(import.module.to_owned(), import.name.to_owned())) {
                        missing.push(format!("`{}.{}`", import.module, import.name));
                    }
                }
            }
            Payload::ExportSection(section) => {
                for export in section {
                    exports.insert(export.map_err(compile)?.name.to_owned());
                }
            }
            _ => {}
        }
    }
    if let Some(export) = EXPORTS.into_iter().find(|name| !exports.contains(*name)) {
        return Err(Unusable::NotAProgram {
            path: path.into(),
            export,
        });
    }
    match missing.is_empty() {
        true => Ok(()),
        false => Err(Unusable::Imports {
            path: path.into(),
            imports: missing,
        }),
    }
}
