//! The parts of Python that are the same in every bundle: made once, and kept in the cache.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use pymode_bundle::names::file;
use pymode_toolchain::{Cache, CacheError, Key};
use serde::de::DeserializeOwned;

use crate::OWN_SOURCES;
use crate::make::assemble::Main;
use crate::make::pack::{self, Exports, InvalidModule, PackError, Packed, Side};
use crate::make::stdlib::Omitted;
use crate::make::worker::WorkerCode;

/// Maximum memory of a guest in bytes: the isolate has 128 MB, of which the host and the engine need a part.
pub const MEMORY_LIMIT: u64 = 96 << 20;

/// The Worker's code, and the interpreter and its image, from which bundles are made.
#[derive(Debug, Clone)]
pub(crate) struct Interpreter {
    pub(crate) cache: Cache,
    pub(crate) code: WorkerCode,
    pub(crate) wasm: PathBuf,
    pub(crate) image: PathBuf,
}

/// A packed image in files.
#[derive(Debug, Clone)]
pub(crate) struct PackedFiles {
    pub(crate) carrier: PathBuf,
    pub(crate) sides: Vec<SideFile>,
    /// Invalid side modules.
    pub(crate) refused: Vec<InvalidModule>,
}

/// A side module in a file.
#[derive(Debug, Clone)]
pub(crate) struct SideFile {
    /// Name in a bundle.
    pub(crate) key: String,
    /// The module, stamped.
    pub(crate) file: PathBuf,
    /// Paths in the guest, below the mount point of its image.
    pub(crate) paths: Vec<String>,
    /// The rewritten module that is loaded instead.
    pub(crate) loaded: Option<RewrittenSide>,
}

/// A side module that was rewritten.
#[derive(Debug, Clone)]
pub(crate) struct RewrittenSide {
    /// Name in a bundle.
    pub(crate) key: String,
    /// The module, stamped.
    pub(crate) file: PathBuf,
}

/// Name of the list of side modules: keys and paths.
const INDEX: &str = "sides.json";
/// Name of the list of invalid side modules.
const REFUSED: &str = "refused.json";

impl Interpreter {
    /// Returns python.wasm, packed by [`pack::main`], with at most `memory` bytes.
    pub(crate) fn main(&self, memory: u64, exports: &Exports) -> Result<Main, PackError> {
        let mut key = key("python", &self.wasm)?.field("memory", memory.to_string());
        if let Exports::Only(kept) = exports {
            key = kept.iter().fold(key.field("exports", "some"), |key, name| {
                key.field("kept", name)
            });
        }
        let dir = self.cache.entry("worker-main", &key, |dir| {
            let module = pack::main(&self.wasm, memory, exports)?;
            Ok::<_, PackError>(write(&dir.join(file::MAIN), &module)?)
        })?;
        Ok(Main {
            name: file::MAIN.into(),
            wasm: dir.join(file::MAIN),
            names: Some(self.wasm.with_extension("names.wasm")),
        })
    }

    /// Returns the standard library.
    pub(crate) fn library(&self, left_out: &Omitted) -> Result<PackedFiles, PackError> {
        let key = key("image", &self.image)?.field("left out", format!("{left_out:?}"));
        let dir = self.cache.entry("worker-image", &key, |dir| {
            Ok::<_, PackError>(
                PackedFiles::write(&pack::image(&self.image, left_out)?, dir).map(drop)?,
            )
        })?;
        Ok(PackedFiles::read(&dir)?)
    }
}

impl PackedFiles {
    /// Writes packed files into a directory of their own.
    pub(crate) fn write(packed: &Packed, dir: &Path) -> Result<PackedFiles, CacheError> {
        fs::create_dir_all(dir).map_err(CacheError::io("create", dir))?;
        write(&dir.join("image.wasm"), &packed.carrier)?;
        let mut index = BTreeMap::new();
        for side in &packed.sides {
            SideFile::write(side, dir)?;
            index.insert(side.key(), &side.paths);
        }
        let index = serde_json::to_vec(&index).expect("a map of texts is JSON");
        write(&dir.join(INDEX), &index)?;
        let refused = serde_json::to_vec(&packed.refused).expect("a list of texts is JSON");
        write(&dir.join(REFUSED), &refused)?;
        PackedFiles::read(dir)
    }

    pub(crate) fn read(dir: &Path) -> Result<PackedFiles, CacheError> {
        let index: BTreeMap<String, Vec<String>> = read_json(&dir.join(INDEX))?;
        let sides = index.into_iter().map(|(key, paths)| SideFile {
            file: dir.join(file::side(&key)),
            key,
            paths,
            loaded: None,
        });
        Ok(PackedFiles {
            carrier: dir.join("image.wasm"),
            sides: sides.collect(),
            refused: read_json(&dir.join(REFUSED))?,
        })
    }
}

impl SideFile {
    pub(crate) fn write(side: &Side, dir: &Path) -> Result<SideFile, CacheError> {
        let key = side.key();
        let file = dir.join(file::side(&key));
        write(&file, &side.wasm)?;
        Ok(SideFile {
            key,
            file,
            paths: side.paths.clone(),
            loaded: None,
        })
    }

    /// Returns the name and the path of the loaded module.
    pub(crate) fn loaded(&self) -> (&str, &Path) {
        match &self.loaded {
            Some(loaded) => (&loaded.key, &loaded.file),
            None => (&self.key, &self.file),
        }
    }
}

/// Returns a key for a file without reading it: files of the cache never change in place.
pub(crate) fn key(name: &str, path: &Path) -> Result<Key, CacheError> {
    let real = fs::canonicalize(path).map_err(CacheError::io("open", path))?;
    let meta = fs::metadata(&real).map_err(CacheError::io("open", path))?;
    let changed = meta
        .modified()
        .ok()
        .and_then(|time| time.duration_since(UNIX_EPOCH).ok())
        .unwrap_or_default();
    Ok(Key::new(name)
        .field("tool", OWN_SOURCES)
        .field("path", real.to_string_lossy())
        .field("length", meta.len().to_string())
        .field("changed", changed.as_nanos().to_string()))
}

fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, CacheError> {
    let bytes = fs::read(path).map_err(CacheError::io("read", path))?;
    let read = serde_json::from_slice(&bytes).map_err(io::Error::from);
    read.map_err(CacheError::io("understand", path))
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), CacheError> {
    fs::write(path, bytes).map_err(CacheError::io("write", path))
}
