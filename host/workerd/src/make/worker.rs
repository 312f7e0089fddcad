//! The Worker's own code: the crate `pymode-worker`, compiled, with its glue and import thunks.

use std::collections::HashSet;
use std::env;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use pymode_bundle::names::file;
use pymode_toolchain::rust::{self, RustError, Target};
use pymode_toolchain::{Cache, CacheError, Key, Reporter, Step, StepError};
use wasm_bindgen_cli_support::Bindgen;
use wasmparser::{Parser, Payload};

use crate::OWN_SOURCES;
use crate::make::memory_view::memory_view;
use crate::make::sources::{self, Sources};
use crate::make::thunk::{ThunkError, thunks};

/// Name of cargo's output in its cache entry.
const MODULE: &str = "module.wasm";

/// Errors of building the Worker's code.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WorkerError {
    /// The cache, or a file.
    #[error(transparent)]
    Cache(#[from] CacheError),
    /// Rust for WebAssembly is not available.
    #[error(transparent)]
    Rust(#[from] RustError),
    /// cargo failed.
    #[error(transparent)]
    Step(#[from] StepError),
    /// wasm-bindgen failed on cargo's output.
    #[error("cannot make the Worker's glue: {reason}")]
    Glue {
        /// Message of wasm-bindgen.
        reason: String,
    },
    /// The host's functions do not fit thunks.
    #[error(transparent)]
    Thunk(#[from] ThunkError),
}

/// The built Worker: a directory of the cache.
#[derive(Debug, Clone)]
pub struct WorkerCode {
    dir: PathBuf,
    thunks: Vec<String>,
    scripts: Vec<String>,
}

impl WorkerCode {
    /// Path of the host.
    pub fn host(&self) -> PathBuf {
        self.dir.join(file::HOST)
    }

    /// The glue: the JavaScript module [`file::GLUE`] and its imports, with their names.
    pub fn scripts(&self) -> impl Iterator<Item = (&str, PathBuf)> {
        self.scripts
            .iter()
            .map(|name| (name.as_str(), self.dir.join(name)))
    }

    /// Path of the memory view.
    pub fn memory_view(&self) -> PathBuf {
        self.dir.join(file::MEMORY_VIEW)
    }

    /// Paths of the import thunks, by import module.
    pub fn thunks(&self) -> impl Iterator<Item = (&str, PathBuf)> {
        self.thunks
            .iter()
            .map(|name| (name.as_str(), self.dir.join(file::thunks(name))))
    }

    /// Returns the imports of guests: each function's module and name.
    ///
    /// # Errors
    /// When thunks cannot be read.
    pub fn offers(&self) -> Result<HashSet<(String, String)>, CacheError> {
        let mut offers = HashSet::new();
        for (module, path) in self.thunks() {
            let thunks = fs::read(&path).map_err(CacheError::io("read", &path))?;
            // It is our own output.
            for payload in Parser::new(0).parse_all(&thunks).filter_map(Result::ok) {
                if let Payload::ExportSection(exports) = payload {
                    let names = exports.into_iter().filter_map(Result::ok);
                    offers.extend(names.map(|export| (module.to_owned(), export.name.to_owned())));
                }
            }
        }
        Ok(offers)
    }

    fn at(dir: PathBuf) -> Result<Self, CacheError> {
        let mut files = Vec::new();
        list(&dir, &mut files)?;
        let mut names: Vec<&str> = files
            .iter()
            .filter_map(|path| path.strip_prefix(&dir).ok()?.to_str())
            .collect();
        names.sort_unstable();
        let scripts = names
            .iter()
            .filter(|name| name.ends_with(".js"))
            .map(|name| (*name).to_owned());
        let thunks = names.iter().filter_map(|name| file::module_of_thunks(name));
        let (scripts, thunks) = (scripts.collect(), thunks.map(str::to_owned).collect());
        Ok(Self {
            dir,
            thunks,
            scripts,
        })
    }
}

/// Returns the code of Python in a Durable Object, from the cache or built.
///
/// # Errors
/// As [`build`].
pub fn provision(cache: &Cache, reporter: &Reporter) -> Result<WorkerCode, WorkerError> {
    build(cache, reporter, &Sources::worker())
}

/// Returns the code of a crate of the Worker's workspace, from the cache or built (about a minute and a half the first time).
///
/// # Errors
/// When Rust for WebAssembly is not available, or the build fails.
pub fn build(
    cache: &Cache,
    reporter: &Reporter,
    sources: &Sources,
) -> Result<WorkerCode, WorkerError> {
    let of_module = Key::new("worker-module")
        .key("sources", &sources.key)
        .field("package", sources.package)
        .field("paths", "remapped");
    let key = Key::new("worker")
        .key("module", &of_module)
        .field("tool", OWN_SOURCES);
    let dir = cache.entry("worker", &key, |dir| {
        let compiled = cache.entry("worker-module", &of_module, |dir| {
            let module = compile(cache, reporter, sources)?;
            Ok::<_, WorkerError>(write(&dir.join(MODULE), &module)?)
        })?;
        let module = compiled.join(MODULE);
        let bound = bind(fs::read(&module).map_err(CacheError::io("read", &module))?)?;
        for (name, text) in &bound.scripts {
            write(&dir.join(name), text.as_bytes())?;
        }
        write(&dir.join(file::MEMORY_VIEW), &memory_view())?;
        for (name, module) in thunks(&bound.wasm)? {
            write(&dir.join(file::thunks(&name)), &module)?;
        }
        Ok::<_, WorkerError>(write(&dir.join(file::HOST), &bound.wasm)?)
    })?;
    Ok(WorkerCode::at(dir)?)
}

/// Compiles the crate in a persistent target directory: the next build finds its dependencies there.
fn compile(cache: &Cache, reporter: &Reporter, sources: &Sources) -> Result<Vec<u8>, WorkerError> {
    let rust = rust::provision(cache, reporter, Target::Worker)?;
    let target = cache.root().join("worker/.target");
    let release = target.join(Target::Worker.triple()).join("release");
    let file = Path::new(&sources.package.replace('-', "_")).with_extension("wasm");
    // Other sources are built here too. Cargo distinguishes dependencies by hashes in file names, but not the final module: that of
    // other sources must not count as ours, or as fresh.
    let _lock = cache.lock(&cache.root().join("locks/worker-target.lock"))?;
    for stale in [release.join(&file), release.join("deps").join(&file)] {
        match fs::remove_file(&stale) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(CacheError::io("delete", &stale)(error).into());
            }
            _ => {}
        }
    }
    let root = sources.root(cache)?;
    let mut cargo = rust.cargo();
    cargo
        .args([
            "build",
            "--release",
            "--locked",
            "--package",
            sources.package,
            "--target",
            Target::Worker.triple(),
        ])
        .env("CARGO_TARGET_DIR", &target)
        .env("CARGO_ENCODED_RUSTFLAGS", remapped(cache))
        .current_dir(root.join("host/worker"));
    Step::run(
        reporter,
        "building the Worker",
        cargo,
        &cache.root().join("logs/worker.log"),
    )?;
    let made = release.join(file);
    Ok(fs::read(&made).map_err(CacheError::io("read", &made))?)
}

/// Returns flags that shorten the paths of sources in panic messages: the module is smaller, and does not depend on the machine.
/// They are the same for all sources, because cargo would compile all dependencies again for others.
fn remapped(cache: &Cache) -> OsString {
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(env::home_dir()?.join(".cargo")));
    let registry = home.map(|home| home.join("registry/src"));
    let mut flags = OsString::new();
    for path in [Some(sources::directory(cache)), registry]
        .into_iter()
        .flatten()
    {
        if !flags.is_empty() {
            // Cargo's separator.
            flags.push("\x1f");
        }
        flags.push("--remap-path-prefix=");
        flags.push(path);
        flags.push("=");
    }
    flags
}

/// The output of wasm-bindgen for a module.
struct Bound {
    /// The glue and its imports: names and texts.
    scripts: Vec<(String, String)>,
    wasm: Vec<u8>,
}

fn bind(module: Vec<u8>) -> Result<Bound, WorkerError> {
    let glue = |error: &dyn std::fmt::Display| WorkerError::Glue {
        reason: error.to_string(),
    };
    let mut bindgen = Bindgen::new();
    bindgen
        .input_bytes("host", module)
        .out_name("host")
        .typescript(false)
        .remove_name_section(true)
        .remove_producers_section(true);
    let mut output = bindgen.generate_output().map_err(|error| glue(&error))?;
    if !output.local_modules().is_empty() {
        return Err(glue(&"a dependency brings JavaScript files of its own"));
    }
    // `js` only instantiates, which the bundle's entry does; the glue itself is `start`.
    let text = output
        .start()
        .map_or(output.js(), String::as_str)
        .to_owned();
    let mut scripts = vec![(file::GLUE.to_owned(), text)];
    for (name, texts) in output.snippets() {
        for (at, text) in texts.iter().enumerate() {
            scripts.push((format!("snippets/{name}/inline{at}.js"), text.clone()));
        }
    }
    Ok(Bound {
        scripts,
        wasm: output.wasm_mut().emit_wasm(),
    })
}

/// Collects the files of a directory.
fn list(dir: &Path, into: &mut Vec<PathBuf>) -> Result<(), CacheError> {
    let entries = fs::read_dir(dir).and_then(Iterator::collect::<io::Result<Vec<_>>>);
    for entry in entries.map_err(CacheError::io("list", dir))? {
        let path = entry.path();
        match path.is_dir() {
            true => list(&path, into)?,
            false => into.push(path),
        }
    }
    Ok(())
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), CacheError> {
    let parent = path.parent().unwrap_or(path);
    fs::create_dir_all(parent).map_err(CacheError::io("create", parent))?;
    fs::write(path, bytes).map_err(CacheError::io("write", path))
}
