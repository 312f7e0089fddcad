//! The linker alone in a local workerd, without Python: for its tests and benchmarks.
//!
//! `loader/js/tests/worker` defines its tasks.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use pymode_bundle::names::file;
use pymode_toolchain::npm::{self, NpmError};
use pymode_toolchain::{Cache, CacheError, Key, Reporter};
use pymode_workerd::worker::{self, WorkerError};
use pymode_workerd::{
    Bundle, LocalWorkerd, Module, ModuleKind, ServeError, SourceLocation, Sources,
};
use tempfile::TempDir;

/// The checkout. The linker's tests are built from it; the product is not.
const CHECKOUT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../..");

/// Sources of the linker's tests in the checkout.
const SOURCES: [&str; 7] = [
    "Cargo.toml",
    "host/bundle/src",
    "host/worker/Cargo.lock",
    "loader/conformance/src",
    "loader/dylink/src",
    "loader/js/src",
    "loader/js/tests/worker",
];

fn sources() -> Result<Sources, CacheError> {
    let root = Path::new(CHECKOUT);
    let mut key = Key::new("linker-sources");
    let mut left: Vec<PathBuf> = SOURCES.map(|name| root.join(name)).into();
    while let Some(path) = left.pop() {
        if path.is_file() {
            let label = path.strip_prefix(root).unwrap_or(&path);
            key = key.file(&label.to_string_lossy(), &path)?;
            continue;
        }
        let entries = fs::read_dir(&path).and_then(Iterator::collect::<io::Result<Vec<_>>>);
        let entries = entries.map_err(CacheError::io("list", &path))?;
        let mut inside: Vec<PathBuf> = entries.iter().map(fs::DirEntry::path).collect();
        inside.sort();
        left.extend(inside);
    }
    Ok(Sources {
        package: "pymode-dylink-js-tests",
        location: SourceLocation::Directory(root.into()),
        key,
    })
}

/// Errors of starting the linker.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LinkerError {
    /// The build of its code failed.
    #[error(transparent)]
    Worker(#[from] WorkerError),
    /// workerd is not available.
    #[error(transparent)]
    Npm(#[from] NpmError),
    /// The cache, or a file.
    #[error(transparent)]
    Cache(#[from] CacheError),
    /// workerd does not start.
    #[error(transparent)]
    Serve(#[from] ServeError),
}

/// A Worker that loads modules.
#[derive(Debug)]
pub struct Linker {
    workerd: LocalWorkerd,
    _dir: TempDir,
}

impl Linker {
    /// Starts a Worker with these modules (WebAssembly by key).
    ///
    /// # Errors
    /// When its code cannot be built, or workerd is not available or does not start.
    pub fn serve(modules: BTreeMap<String, Vec<u8>>) -> Result<Linker, LinkerError> {
        let reporter = Reporter::stderr();
        let cache = Cache::open()?.with_reporter(&reporter);
        let code = worker::build(&cache, &reporter, &sources()?)?;
        let workerd = npm::workerd(&cache, &reporter)?;
        let mut imports = String::new();
        for key in modules.keys() {
            let _ = writeln!(imports, "  \"{key}\": () => import(\"./{key}.wasm\"),");
        }
        let mut all = vec![
            Module::bytes(file::ENTRY, ModuleKind::Script, entry(&imports).into()),
            Module::file(file::HOST, ModuleKind::Wasm, &code.host()),
        ];
        for (name, path) in code.scripts() {
            all.push(Module::file(name, ModuleKind::Script, &path));
        }
        for (key, wasm) in modules {
            all.push(Module::bytes(
                &format!("{key}.wasm"),
                ModuleKind::Wasm,
                wasm,
            ));
        }
        let dir = TempDir::new().map_err(CacheError::io("create", &std::env::temp_dir()))?;
        Ok(Linker {
            workerd: LocalWorkerd::start(&workerd, &Bundle::of(all), dir.path())?,
            _dir: dir,
        })
    }

    /// Returns the resident memory of workerd in bytes.
    pub fn resident(&self) -> u64 {
        let text = fs::read_to_string(format!("/proc/{}/statm", self.workerd.pid()));
        let text = text.unwrap_or_default();
        let pages = text.split(' ').nth(1).and_then(|pages| pages.parse().ok());
        pages.unwrap_or(0) * 4096
    }

    /// Runs a task and returns its result.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn ask(&self, task: &[u8]) -> Result<Vec<u8>, LinkerError> {
        Ok(self.workerd.post("/", task)?)
    }
}

/// Returns the entry, which has the modules of a task compiled and runs it.
fn entry(imports: &str) -> String {
    format!(
        r#"import * as glue from "./{glue}";
import host from "./{host}";
const modules = {{
{imports}}};

const {{ exports }} = new WebAssembly.Instance(host, {{ {glue_imports:?}: glue }});
glue.__wbg_set_wasm(exports);
exports.__wbindgen_start();

export default {{
  async fetch(request) {{
    const task = await request.text();
    const compiled = new Map();
    for (const key of JSON.parse(task).keys) {{
      const module = await modules[key]().then((found) => found.default, String);
      compiled.set(key, module);
    }}
    return new Response(glue.answer(task, compiled));
  }},
}};
"#,
        glue = file::GLUE,
        host = file::HOST,
        glue_imports = file::GLUE_IMPORTS,
    )
}
