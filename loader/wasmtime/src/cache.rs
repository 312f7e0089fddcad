//! Compiled code on disk: compiling takes seconds, mapping a file takes a millisecond.

use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};
use wasmparser::Validator;
use wasmtime::{Engine, Module};

use crate::config::GUEST_FEATURES;

/// A directory of compiled modules, each under a name made of its content and of the engine that compiled it.
///
/// Several processes may use one directory at once: an entry appears under its name only when it is complete. A damaged entry
/// is compiled again. Only the user who runs the guest may be able to write to the directory, because its files are run as
/// native code.
#[derive(Debug, Clone)]
pub struct CodeCache {
    directory: PathBuf,
}

impl CodeCache {
    /// The cache in `directory`, which need not exist yet.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self {
            directory: directory.into(),
        }
    }

    /// Returns the module with these bytes: from the cache, or compiled and stored there. A cache that cannot be written is no
    /// error.
    ///
    /// # Errors
    /// If wasmtime refuses the bytes.
    pub fn module(&self, engine: &Engine, wasm: &[u8]) -> Result<Module, wasmtime::Error> {
        self.digested(engine, wasm, &Sha256::digest(wasm).into())
    }

    /// Returns the module with these bytes, whose SHA-256 is known.
    pub(crate) fn digested(
        &self,
        engine: &Engine,
        wasm: &[u8],
        digest: &[u8; 32],
    ) -> Result<Module, wasmtime::Error> {
        let path = self.entry(engine, &HEXLOWER.encode(digest));
        if let Some(module) = load(engine, &path) {
            return Ok(module);
        }
        let module = compile(engine, wasm)?;
        // A full disk or a read-only cache only costs time.
        let _ = self.store(&module, &path);
        Ok(module)
    }

    /// A module of the host's own, which may use more than [`GUEST_FEATURES`].
    ///
    /// # Errors
    /// When it cannot be compiled.
    pub fn host_module(&self, engine: &Engine, wasm: &[u8]) -> Result<Module, wasmtime::Error> {
        let path = self.entry(
            engine,
            &format!("host-{}", HEXLOWER.encode(&Sha256::digest(wasm))),
        );
        if let Some(module) = load(engine, &path) {
            return Ok(module);
        }
        let module = Module::new(engine, wasm)?;
        let _ = self.store(&module, &path);
        Ok(module)
    }

    /// Returns the module in a file. Path, size and time of change identify the file, which is read only if it is not in the
    /// cache.
    ///
    /// # Errors
    /// If the file cannot be read, or if wasmtime refuses its bytes.
    pub fn file(&self, engine: &Engine, wasm: &Path) -> Result<Module, wasmtime::Error> {
        let identity = identity(wasm)?;
        let path = self.entry(engine, &identity);
        if let Some(module) = load(engine, &path) {
            return Ok(module);
        }
        let module = compile(engine, &fs::read(wasm)?)?;
        let _ = self.store(&module, &path);
        Ok(module)
    }

    fn entry(&self, engine: &Engine, content: &str) -> PathBuf {
        let mut hasher = DefaultHasher::new();
        engine.precompile_compatibility_hash().hash(&mut hasher);
        self.directory
            .join(format!("{content}-{:016x}.cwasm", hasher.finish()))
    }

    fn store(&self, module: &Module, path: &Path) -> Result<(), wasmtime::Error> {
        let code = module.serialize()?;
        fs::create_dir_all(&self.directory)?;
        let mut file = tempfile::Builder::new()
            .prefix(".new-")
            .tempfile_in(&self.directory)?;
        file.write_all(&code)?;
        file.write_all(&Trailer::of(&code).to_bytes())?;
        file.persist(path)?;
        Ok(())
    }
}

/// Compiles a module of a guest. The engine may have more features than guests are to use.
fn compile(engine: &Engine, wasm: &[u8]) -> Result<Module, wasmtime::Error> {
    if wasm.starts_with(b"\0asm") {
        Validator::new_with_features(GUEST_FEATURES)
            .validate_all(wasm)
            .map_err(wasmtime::Error::new)?;
    }
    Module::new(engine, wasm)
}

/// Maps an entry; `None` if there is none, or it is damaged.
fn load(engine: &Engine, path: &Path) -> Option<Module> {
    match check(path) {
        Ok(true) => {}
        Ok(false) => {
            let _ = fs::remove_file(path);
            return None;
        }
        Err(_) => return None,
    }
    // SAFETY: the file is what `Module::serialize` gave: only `store` writes below this directory, its sum is right, and the
    // directory is the user's own. Files are replaced, never changed in place, so the mapping stays what it is.
    unsafe { Module::deserialize_file(engine, path) }.ok()
}

/// The end of an entry. Wasmtime checks the version of the compiler, not that every byte of the code is there.
#[derive(Debug, PartialEq, Eq)]
struct Trailer {
    length: u64,
    sum: u64,
}

impl Trailer {
    const SIZE: usize = 16;

    fn of(code: &[u8]) -> Self {
        let mut sum = Sum::default();
        sum.add(code);
        Self {
            length: code.len() as u64,
            sum: sum.finish(),
        }
    }

    fn to_bytes(&self) -> [u8; Self::SIZE] {
        let mut bytes = [0; Self::SIZE];
        bytes[..8].copy_from_slice(&self.length.to_le_bytes());
        bytes[8..].copy_from_slice(&self.sum.to_le_bytes());
        bytes
    }
}

/// Returns `true` if the file at `path` is complete.
fn check(path: &Path) -> io::Result<bool> {
    let mut file = File::open(path)?;
    let Some(length) = file.metadata()?.len().checked_sub(Trailer::SIZE as u64) else {
        return Ok(false);
    };
    let mut buffer = vec![0; 1 << 16];
    let mut sum = Sum::default();
    let mut left = length;
    while left > 0 {
        let part = buffer
            .len()
            .min(usize::try_from(left).unwrap_or(usize::MAX));
        file.read_exact(&mut buffer[..part])?;
        sum.add(&buffer[..part]);
        left -= part as u64;
    }
    let mut trailer = [0; Trailer::SIZE];
    file.read_exact(&mut trailer)?;
    let wanted = Trailer {
        length,
        sum: sum.finish(),
    };
    Ok(trailer == wanted.to_bytes())
}

/// A checksum against accidents, not against attackers. It has four lanes, so that it runs at the speed of memory.
#[derive(Default)]
struct Sum {
    lanes: [u64; 4],
}

impl Sum {
    /// Adds bytes. All parts but the last must be multiples of 32 bytes long.
    fn add(&mut self, bytes: &[u8]) {
        const PRIME: u64 = 0x9e37_79b9_7f4a_7c15;
        for chunk in bytes.chunks(32) {
            let mut block = [0; 32];
            block[..chunk.len()].copy_from_slice(chunk);
            for (lane, word) in self.lanes.iter_mut().zip(block.chunks_exact(8)) {
                let word = u64::from_le_bytes(word.try_into().expect("a word has 8 bytes"));
                *lane = (*lane ^ word).wrapping_mul(PRIME).rotate_left(29);
            }
        }
    }

    fn finish(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.lanes.hash(&mut hasher);
        hasher.finish()
    }
}

/// Returns the identity of a file without reading it.
fn identity(path: &Path) -> io::Result<String> {
    let path = fs::canonicalize(path)?;
    let metadata = fs::metadata(&path)?;
    let changed = metadata.modified()?;
    let mut digest = Sha256::new();
    digest.update(path.as_os_str().as_encoded_bytes());
    digest.update(format!("\0{}\0{changed:?}", metadata.len()));
    Ok(HEXLOWER.encode(&digest.finalize()))
}
