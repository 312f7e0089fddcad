//! A bundle: the modules of a Worker, with an entry that ties them together.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use pymode_dylink::{Bridge, ModuleInfo};
use pymode_toolchain::CacheError;

use crate::pack::PackError;
use crate::worker::WorkerCode;

/// A Worker that starts Python.
#[derive(Debug, Default)]
pub struct Bundle {
    modules: Vec<Module>,
    /// The Durable Object's class, if it has one.
    pub(crate) object: Option<&'static str>,
}

/// One module of a bundle.
#[derive(Debug, Clone)]
pub struct Module {
    /// By which other modules import it.
    pub name: String,
    /// How the runtime is to take it.
    pub kind: Kind,
    content: Content,
}

/// How a runtime takes a module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A JavaScript module.
    Script,
    /// WebAssembly, compiled by the runtime.
    Wasm,
    /// Bytes.
    Data,
}

#[derive(Debug, Clone)]
enum Content {
    File(PathBuf),
    Bytes(Vec<u8>),
}

/// What a bundle is made of.
#[derive(Debug)]
pub struct Parts<'a> {
    /// The Worker's own code.
    pub code: &'a WorkerCode,
    /// python.wasm as [`crate::pack::main`] makes it, and its skeleton.
    pub main: (PathBuf, PathBuf),
    /// Images and where they are mounted; the first is the root.
    pub images: Vec<(String, PathBuf)>,
    /// Side modules by key.
    pub sides: Vec<(String, PathBuf)>,
    /// What the Worker does with requests.
    pub mode: Mode,
    /// Whether whoever asks is shown tracebacks.
    pub development: bool,
    /// The environment of guests that answer requests.
    pub environment: BTreeMap<String, String>,
}

/// What a Worker does with requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// A request brings a program, which is run: for this machine only.
    Run,
    /// A fresh interpreter answers each request.
    Request,
    /// One interpreter answers them all, one after the other; its state survives.
    #[default]
    Persistent,
}

impl Mode {
    fn name(self) -> &'static str {
        match self {
            Mode::Run => "run",
            Mode::Request => "request",
            Mode::Persistent => "persistent",
        }
    }
}

impl Module {
    /// A module with this content.
    pub fn bytes(name: &str, kind: Kind, bytes: Vec<u8>) -> Module {
        Module {
            name: name.into(),
            kind,
            content: Content::Bytes(bytes),
        }
    }

    /// A module with the content of a file.
    pub fn file(name: &str, kind: Kind, path: &Path) -> Module {
        Module {
            name: name.into(),
            kind,
            content: Content::File(path.to_path_buf()),
        }
    }
}

impl Bundle {
    /// A Worker of these modules, without objects; the first is the entry.
    pub fn of(modules: Vec<Module>) -> Bundle {
        Bundle {
            modules,
            object: None,
        }
    }

    /// Puts a Worker together. Nothing is written.
    ///
    /// # Errors
    /// When a side module cannot be read.
    pub fn new(parts: &Parts<'_>) -> Result<Bundle, PackError> {
        let mut bundle = Bundle {
            object: Some("PythonObject"),
            ..Bundle::default()
        };
        let mut entry = Entry::default();
        for (name, script) in parts.code.scripts() {
            bundle.file(name, Kind::Script, &script);
        }
        entry.import(
            "host",
            &bundle.file("host.wasm", Kind::Wasm, &parts.code.host()),
        );
        entry.import(
            "main",
            &bundle.file("python.wasm", Kind::Wasm, &parts.main.0),
        );
        entry.import(
            "mainInfo",
            &bundle.file("python.info.bin", Kind::Data, &parts.main.1),
        );
        entry.import(
            "window",
            &bundle.file("window.wasm", Kind::Wasm, &parts.code.window()),
        );
        for (at, (name, door)) in parts.code.doors().enumerate() {
            entry.import(
                &format!("door{at}"),
                &bundle.file(&format!("door-{name}.wasm"), Kind::Wasm, &door),
            );
            let _ = writeln!(entry.doors, "    {name:?}: door{at},");
        }
        for (at, (path, carrier)) in parts.images.iter().enumerate() {
            entry.import(
                &format!("image{at}"),
                &bundle.file(&format!("image-{at}.wasm"), Kind::Wasm, carrier),
            );
            let _ = writeln!(entry.images, "    {{ path: {path:?}, module: image{at} }},");
        }
        for (key, side) in &parts.sides {
            let name = bundle.file(&format!("side-{key}.wasm"), Kind::Wasm, side);
            let _ = writeln!(entry.sides, "  {key:?}: () => import(\"./{name}\"),");
        }
        if let Some(forwarders) = forwarders(parts)? {
            for (name, kind) in [
                ("forwarders.wasm", Kind::Wasm),
                ("forwarders.bin", Kind::Data),
            ] {
                bundle.add(Module::bytes(name, kind, forwarders.clone()));
            }
            entry.import("forwarders", "forwarders.bin");
            let _ = writeln!(
                entry.sides,
                "  forwarders: () => import(\"./forwarders.wasm\"),"
            );
        } else {
            entry.imports.push_str("const forwarders = undefined;\n");
        }
        let settings = serde_json::json!({
            "mode": parts.mode.name(),
            "development": parts.development,
            "environment": parts.environment,
        });
        entry.settings = settings.to_string();
        let text = entry.text().into();
        bundle
            .modules
            .insert(0, Module::bytes("entry.js", Kind::Script, text));
        Ok(bundle)
    }

    /// The modules; the first is the entry.
    pub fn modules(&self) -> &[Module] {
        &self.modules
    }

    /// The modules' names and sizes in bytes.
    ///
    /// # Errors
    /// When one cannot be read.
    pub fn sizes(&self) -> Result<Vec<(&str, u64)>, CacheError> {
        let size = |module: &Module| match &module.content {
            Content::Bytes(bytes) => Ok(bytes.len() as u64),
            Content::File(path) => Ok(fs::metadata(path)
                .map_err(CacheError::io("read", path))?
                .len()),
        };
        self.modules
            .iter()
            .map(|module| Ok((module.name.as_str(), size(module)?)))
            .collect()
    }

    /// Writes all modules into a directory, as links where that is possible.
    ///
    /// # Errors
    /// When one cannot be written.
    pub fn write(&self, dir: &Path) -> Result<(), CacheError> {
        fs::create_dir_all(dir).map_err(CacheError::io("create", dir))?;
        for module in &self.modules {
            let to = dir.join(&module.name);
            let parent = to.parent().unwrap_or(dir);
            fs::create_dir_all(parent).map_err(CacheError::io("create", parent))?;
            match &module.content {
                Content::Bytes(bytes) => {
                    fs::write(&to, bytes).map_err(CacheError::io("write", &to))?
                }
                Content::File(from) => {
                    if fs::hard_link(from, &to).is_err() {
                        fs::copy(from, &to).map_err(CacheError::io("write", &to))?;
                    }
                }
            }
        }
        Ok(())
    }

    fn file(&mut self, name: &str, kind: Kind, path: &Path) -> String {
        self.add(Module::file(name, kind, path));
        name.to_owned()
    }

    fn add(&mut self, module: Module) {
        self.modules.push(module);
    }
}

/// The module of which bridges are made where nothing can be compiled, if the bundle can need one.
fn forwarders(parts: &Parts<'_>) -> Result<Option<Vec<u8>>, PackError> {
    let read = |path: &Path| fs::read(path).map_err(CacheError::io("read", path));
    let main = &parts.main.1;
    let main = ModuleInfo::main_from_bytes(&read(main)?).map_err(|error| PackError::Main {
        path: main.clone(),
        reason: error.to_string(),
    })?;
    let mut sides = Vec::with_capacity(parts.sides.len());
    for (_, path) in &parts.sides {
        // One that is damaged is refused when it is opened.
        sides.extend(ModuleInfo::from_bytes(&read(path)?).ok());
    }
    Ok(Bridge::common(&main, &sides).map(|bridge| bridge.to_wasm()))
}

/// The entry, as far as it depends on the bundle.
#[derive(Default)]
struct Entry {
    imports: String,
    doors: String,
    images: String,
    sides: String,
    settings: String,
}

impl Entry {
    fn import(&mut self, name: &str, module: &str) {
        let _ = writeln!(self.imports, "import {name} from \"./{module}\";");
    }

    fn text(&self) -> String {
        let Entry {
            imports,
            doors,
            images,
            sides,
            settings,
        } = self;
        format!(
            r#"// Made by pymode: ties the modules of this Worker together.
import * as glue from "./host.js";
{imports}
// Fetched and compiled when they are first imported.
const sides = {{
{sides}}};

const {{ exports }} = new WebAssembly.Instance(host, {{ "./host_bg.js": glue }});
glue.__wbg_set_wasm(exports);
exports.__wbindgen_start();
glue.setBundle({{
  ...{settings},
  main,
  mainInfo,
  forwarders,
  window,
  doors: {{
{doors}  }},
  images: [
{images}  ],
  side: async (key) => {{
    if (!Object.hasOwn(sides, key)) throw new Error(`the bundle has no side module ${{key}}`);
    return (await sides[key]()).default;
  }},
}});

export const PythonObject = glue.PythonObject;
export default {{ fetch: glue.fetch }};
"#
        )
    }
}
