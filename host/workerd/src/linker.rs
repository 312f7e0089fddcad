//! The linker alone in a local workerd, without Python: for its tests and benchmarks.
//!
//! `loader/js/tests/worker` says what it can be asked to do.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;

use pymode_toolchain::{Cache, CacheError, Reporter};
use tempfile::TempDir;

use crate::bundle::Bundle;
use crate::module::{Kind, Module};
use crate::runtime::{Runtime, RuntimeError};
use crate::serve::{LocalWorkerd, ServeError};
use crate::worker::Package;

const PACKAGE: Package = Package {
    name: "pymode-dylink-js-tests",
    sources: &[
        "host/worker",
        "loader/conformance/src",
        "loader/dylink",
        "loader/js",
        "loader/js/tests/worker",
    ],
};

/// Why there is none.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LinkerError {
    /// There is nothing to run it with.
    #[error(transparent)]
    Runtime(#[from] RuntimeError),
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
    /// Serves one that has these modules (WebAssembly by key).
    ///
    /// # Errors
    /// When something cannot be built, had or started.
    pub fn serve(modules: BTreeMap<String, Vec<u8>>) -> Result<Linker, LinkerError> {
        let reporter = Reporter::stderr();
        let cache = Cache::open()?.with_reporter(&reporter);
        let Runtime { code, workerd, .. } = Runtime::with(&cache, &reporter, &PACKAGE)?;
        let mut imports = String::new();
        for key in modules.keys() {
            let _ = writeln!(imports, "  \"{key}\": () => import(\"./{key}.wasm\"),");
        }
        let mut all = vec![
            Module::bytes("entry.js", Kind::Script, entry(&imports).into()),
            Module::file("host.wasm", Kind::Wasm, &code.host()),
        ];
        for (name, path) in code.scripts() {
            all.push(Module::file(name, Kind::Script, &path));
        }
        for (key, wasm) in modules {
            all.push(Module::bytes(&format!("{key}.wasm"), Kind::Wasm, wasm));
        }
        let dir = TempDir::new().map_err(CacheError::io("create", &std::env::temp_dir()))?;
        Ok(Linker {
            workerd: LocalWorkerd::start(&workerd, &Bundle::of(all), dir.path())?,
            _dir: dir,
        })
    }

    /// Bytes of workerd that are in memory.
    pub fn resident(&self) -> u64 {
        let text = fs::read_to_string(format!("/proc/{}/statm", self.workerd.pid()));
        let text = text.unwrap_or_default();
        let pages = text.split(' ').nth(1).and_then(|pages| pages.parse().ok());
        pages.unwrap_or(0) * 4096
    }

    /// Asks it to do something.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn ask(&self, task: &[u8]) -> Result<Vec<u8>, LinkerError> {
        Ok(self.workerd.post("/", task)?)
    }
}

/// The entry has the modules of a task compiled, and asks the host to do it.
fn entry(imports: &str) -> String {
    format!(
        r#"import * as glue from "./host.js";
import host from "./host.wasm";
const modules = {{
{imports}}};

const {{ exports }} = new WebAssembly.Instance(host, {{ "./host_bg.js": glue }});
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
"#
    )
}
