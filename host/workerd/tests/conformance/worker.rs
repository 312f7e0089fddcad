//! The Worker that runs cases: `loader/js/tests/worker`, with the modules of all of them.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write as _;
use std::sync::OnceLock;

use libtest_mimic::Failed;
use pymode_dylink_conformance::case;
use pymode_toolchain::{Cache, Talk, npm};
use pymode_workerd::LocalWorkerd;
use pymode_workerd::bundle::{Bundle, Kind, Module};
use pymode_workerd::worker::{Package, build_package};
use tempfile::TempDir;

use crate::packed::Packed;
use crate::task::{Said, Task};

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

/// A workerd that is started by the first case.
#[derive(Default)]
pub(crate) struct TestWorker(OnceLock<Result<Served, String>>);

struct Served {
    workerd: LocalWorkerd,
    _dir: TempDir,
}

impl TestWorker {
    /// Has a task done.
    pub(crate) fn ask(&self, task: &Task) -> Result<Said, Failed> {
        let served = self
            .0
            .get_or_init(|| serve().map_err(|error| error.to_string()));
        let served = served.as_ref()?;
        let answer = served.workerd.post("/", &serde_json::to_vec(task)?)?;
        let said: Result<Said, String> = serde_json::from_slice(&answer)?;
        Ok(said?)
    }
}

fn serve() -> Result<Served, Box<dyn Error>> {
    let talk = Talk::stderr();
    let cache = Cache::open()?.with_talk(&talk);
    let code = build_package(&cache, &talk, &PACKAGE)?;
    let mut modules = vec![Module::file("host.wasm", Kind::Wasm, &code.host())];
    for (name, path) in code.scripts() {
        modules.push(Module::file(name, Kind::Script, &path));
    }
    let mut compiled = BTreeMap::new();
    for case in case::all() {
        compiled.extend(
            Packed::new(&case)
                .map_err(|error| format!("{error:?}"))?
                .modules,
        );
    }
    let mut imports = String::new();
    for (key, wasm) in compiled {
        writeln!(imports, "  \"{key}\": () => import(\"./{key}.wasm\"),")?;
        modules.push(Module::bytes(&format!("{key}.wasm"), Kind::Wasm, wasm));
    }
    let entry = entry(&imports).into();
    modules.insert(0, Module::bytes("entry.js", Kind::Script, entry));
    let dir = TempDir::new()?;
    let workerd = npm::workerd(&cache, &talk)?;
    Ok(Served {
        workerd: LocalWorkerd::start(&workerd, &Bundle::of(modules), dir.path())?,
        _dir: dir,
    })
}

/// The entry has the modules of a case compiled, and asks the host to run it.
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
