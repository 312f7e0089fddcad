//! Python for Workers: everything of it that is the same for every bundle, made once and kept in the cache.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use pymode_toolchain::{Cache, CacheError, Key, Talk};

use crate::bundle::{Bundle, Main};
use crate::pack::{self, Exports, PackError, Packed};
use crate::runtime::{Runtime, RuntimeError};
use crate::serve::{Compiled, LocalWorkerd, Log, ServeError};
use crate::stdlib::LeftOut;

/// How much memory a guest may use, in bytes: the isolate has 128 MB, of which the host and the engine take their part.
pub const MEMORY_LIMIT: u64 = 96 << 20;

/// Changes whenever packed files would be other ones for the same input.
const FORMAT: &str = "4";
/// Says the same of what is pruned.
const PRUNE: &str = include_str!("prune.rs");

/// The Worker's code, a workerd, and the interpreter and its image, from which bundles are made.
#[derive(Debug, Clone)]
pub struct Python {
    pub(crate) runtime: Runtime,
    wasm: PathBuf,
    image: PathBuf,
}

/// A packed image in files.
#[derive(Debug, Clone)]
pub(crate) struct Files {
    pub(crate) carrier: PathBuf,
    /// Side modules by key.
    pub(crate) sides: Vec<(String, PathBuf)>,
}

impl Python {
    /// Builds the Worker's code if it is not there, and gets workerd. `wasm` and `image` are packed when they are needed.
    ///
    /// # Errors
    /// When something cannot be built or had.
    pub fn open(
        cache: &Cache,
        talk: &Talk,
        wasm: &Path,
        image: &Path,
    ) -> Result<Python, RuntimeError> {
        Ok(Python {
            runtime: Runtime::open(cache, talk)?,
            wasm: wasm.into(),
            image: image.into(),
        })
    }

    /// A directory for what is there only for a while, on the file system of the cache: files of it can be linked there.
    pub fn scratch(&self) -> &Path {
        self.runtime.scratch()
    }

    /// python.wasm and its skeleton, with `memory` bytes at most.
    pub(crate) fn main(&self, memory: u64, exports: &Exports) -> Result<Main, PackError> {
        let mut key = key("python", &self.wasm)?.field("memory", memory.to_string());
        if let Exports::Only(kept) = exports {
            key = kept.iter().fold(key.field("prune", PRUNE), |key, name| {
                key.field("kept", name)
            });
        }
        let dir = self.runtime.cache.entry("worker-main", &key, |dir| {
            let (module, skeleton) = pack::main(&self.wasm, memory, exports)?;
            write(&dir.join("python.wasm"), &module)?;
            Ok::<_, PackError>(write(&dir.join("python.info"), &skeleton)?)
        })?;
        Ok(Main {
            name: "python.wasm".into(),
            wasm: dir.join("python.wasm"),
            info: dir.join("python.info"),
            names: Some(self.wasm.with_extension("names.wasm")),
        })
    }

    /// The standard library.
    pub(crate) fn library(&self, left_out: &LeftOut) -> Result<Files, PackError> {
        let key = key("image", &self.image)?.field("left out", format!("{left_out:?}"));
        let dir = self.runtime.cache.entry("worker-image", &key, |dir| {
            Ok::<_, PackError>(Files::write(&pack::image(&self.image, left_out)?, dir).map(drop)?)
        })?;
        Ok(Files::read(&dir)?)
    }
}

impl Python {
    /// Serves a bundle with the local workerd, from `dir`.
    ///
    /// # Errors
    /// As [`LocalWorkerd::start`].
    pub fn serve(&self, bundle: &Bundle, dir: &Path) -> Result<LocalWorkerd, ServeError> {
        LocalWorkerd::start(&self.runtime.workerd, bundle, dir)
    }

    /// A bundle in the form in which the local workerd starts fastest.
    ///
    /// # Errors
    /// When a file cannot be written, or workerd refuses the bundle.
    pub fn compile(&self, bundle: &Bundle, dir: &Path) -> Result<Compiled, ServeError> {
        Compiled::new(&self.runtime.workerd, bundle, dir)
    }

    /// Serves a bundle at a socket that is there already, its log on this process's standard error.
    ///
    /// # Errors
    /// As [`LocalWorkerd::start`].
    pub fn serve_on(
        &self,
        bundle: &Bundle,
        dir: &Path,
        listener: &TcpListener,
    ) -> Result<LocalWorkerd, ServeError> {
        LocalWorkerd::start_on(&self.runtime.workerd, bundle, dir, listener, Log::Show)
    }
}

impl Files {
    /// Writes packed files into a directory of their own.
    pub(crate) fn write(packed: &Packed, dir: &Path) -> Result<Files, CacheError> {
        fs::create_dir_all(dir).map_err(CacheError::io("create", dir))?;
        write(&dir.join("image.wasm"), &packed.carrier)?;
        for side in &packed.sides {
            write(&dir.join(format!("side-{}.wasm", side.key)), &side.wasm)?;
        }
        Files::read(dir)
    }

    pub(crate) fn read(dir: &Path) -> Result<Files, CacheError> {
        let mut sides = Vec::new();
        for entry in fs::read_dir(dir).map_err(CacheError::io("list", dir))? {
            let path = entry.map_err(CacheError::io("list", dir))?.path();
            let name = path
                .file_name()
                .and_then(|name| name.to_str())
                .unwrap_or_default();
            if let Some(key) = name
                .strip_prefix("side-")
                .and_then(|rest| rest.strip_suffix(".wasm"))
            {
                sides.push((key.to_owned(), path.clone()));
            }
        }
        sides.sort();
        Ok(Files {
            carrier: dir.join("image.wasm"),
            sides,
        })
    }
}

/// Which file it is, without reading it: files of the cache never change in place.
pub(crate) fn key(name: &str, path: &Path) -> Result<Key, CacheError> {
    let real = fs::canonicalize(path).map_err(CacheError::io("open", path))?;
    let meta = fs::metadata(&real).map_err(CacheError::io("open", path))?;
    let changed = meta
        .modified()
        .ok()
        .and_then(|time| time.duration_since(UNIX_EPOCH).ok())
        .unwrap_or_default();
    Ok(Key::new(name)
        .field("format", FORMAT)
        .field("path", real.to_string_lossy())
        .field("length", meta.len().to_string())
        .field("changed", changed.as_nanos().to_string()))
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), CacheError> {
    fs::write(path, bytes).map_err(CacheError::io("write", path))
}
