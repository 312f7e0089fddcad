//! A bundle: the modules of a Worker, with an entry that ties them together.

use std::collections::{BTreeMap, HashSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use pymode_dylink::{Bridge, Doubt, ModuleInfo, Noted, notes};
use pymode_toolchain::CacheError;
use serde::Deserialize;

use crate::entry::Entry;
use crate::module::OURS;
pub use crate::module::{Kind, Module, Place};
use crate::notice;
use crate::pack::{MAIN, PackError};
use crate::python::Files;
use crate::share::{self, Share};
use crate::worker::WorkerCode;

/// A Worker that starts Python.
#[derive(Debug, Clone, Default)]
pub struct Bundle {
    modules: Vec<Module>,
    /// The Durable Object's class, if it has one.
    pub(crate) object: Option<&'static str>,
    entry: Entry,
}

/// What a bundle is made of.
#[derive(Debug)]
pub(crate) struct Parts<'a> {
    /// The Worker's own code.
    pub(crate) code: &'a WorkerCode,
    /// What runs.
    pub(crate) main: Main,
    /// What the guest sees; what is seen at `/` comes first.
    pub(crate) trees: Vec<Tree>,
    /// Side modules by key that no tree has.
    pub(crate) loose: Vec<(String, PathBuf)>,
    /// Where libraries are looked for that are asked for without a path, besides where every host has some.
    pub(crate) library_path: Vec<String>,
    /// Whether the linker tells on standard error what it does.
    pub(crate) traces_loads: bool,
    /// What the Worker does with requests.
    pub(crate) mode: Mode,
    /// Whether whoever asks is shown tracebacks.
    pub(crate) development: bool,
    /// The environment of guests that answer requests.
    pub(crate) environment: BTreeMap<String, String>,
}

/// A main module.
#[derive(Debug)]
pub(crate) struct Main {
    /// What messages call it.
    pub(crate) name: String,
    /// As [`crate::pack::main`] makes it.
    pub(crate) wasm: PathBuf,
    /// Its skeleton.
    pub(crate) info: PathBuf,
    /// The same module with the names of its functions, if there is one beside it.
    pub(crate) names: Option<PathBuf>,
}

/// Files that the guest sees, and the side modules among them.
#[derive(Debug)]
pub(crate) struct Tree {
    /// For people.
    pub(crate) what: String,
    /// Where the guest sees them.
    pub(crate) path: String,
    pub(crate) files: Files,
}

/// What a Worker does with requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// A request brings a program, which is run: for this machine only.
    #[serde(skip_deserializing)]
    Run,
    /// A fresh interpreter answers each request.
    Request,
    /// One interpreter answers them all, one after the other; its state survives.
    #[default]
    Persistent,
}

impl Parts<'_> {
    /// All side modules by key; one may be there more than once.
    fn sides(&self) -> impl Iterator<Item = &(String, PathBuf)> {
        let found = self.trees.iter().flat_map(|tree| &tree.files.sides);
        found.chain(&self.loose)
    }
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

impl Bundle {
    /// A Worker of these modules, without objects; the first is the entry.
    pub fn of(modules: Vec<Module>) -> Bundle {
        Bundle {
            modules,
            ..Bundle::default()
        }
    }

    /// The same with a Durable Object of this class, which the Worker finds as `env.PYTHON`.
    #[must_use]
    pub fn with_object(mut self, class: &'static str) -> Bundle {
        self.object = Some(class);
        self
    }

    /// Puts a Worker together. Nothing is written.
    ///
    /// # Errors
    /// When a side module cannot be read.
    pub(crate) fn new(parts: &Parts<'_>) -> Result<Bundle, PackError> {
        let mut bundle = Bundle {
            object: Some("PythonObject"),
            ..Bundle::default()
        };
        let mut entry = Entry::default();
        for (name, script) in parts.code.scripts() {
            bundle.file(name, Kind::Script, OURS, &script);
        }
        entry.import(
            "host",
            &bundle.file("host.wasm", Kind::Wasm, OURS, &parts.code.host()),
        );
        let python = "python.wasm";
        entry.import(
            "main",
            &bundle.file("python.wasm", Kind::Wasm, python, &parts.main.wasm),
        );
        entry.import(
            "mainInfo",
            &bundle.file("python.info.bin", Kind::Data, python, &parts.main.info),
        );
        entry.import(
            "window",
            &bundle.file("window.wasm", Kind::Wasm, OURS, &parts.code.window()),
        );
        for (at, (name, door)) in parts.code.doors().enumerate() {
            entry.import(
                &format!("door{at}"),
                &bundle.file(&format!("door-{name}.wasm"), Kind::Wasm, OURS, &door),
            );
            let _ = writeln!(entry.doors, "    {name:?}: door{at},");
        }
        let mut known = HashSet::new();
        let mut side = |bundle: &mut Bundle, entry: &mut Entry, what: &str, key: &str, path| {
            if known.insert(key.to_owned()) {
                let name = format!("side-{key}.wasm");
                let module = Module::file(&name, Kind::Wasm, path).of(what);
                bundle.add(module.called_by_its_name());
                let _ = writeln!(entry.sides, "  {key:?}: () => import(\"./{name}\"),");
            }
        };
        for (at, tree) in parts.trees.iter().enumerate() {
            let name = format!("image-{at}.wasm");
            entry.import(
                &format!("image{at}"),
                &bundle.file(&name, Kind::Wasm, &tree.what, &tree.files.carrier),
            );
            let path = &tree.path;
            let _ = writeln!(entry.images, "    {{ path: {path:?}, module: image{at} }},");
            let what = format!("{}, C modules", tree.what);
            for (key, path) in &tree.files.sides {
                side(&mut bundle, &mut entry, &what, key, path);
            }
        }
        for (key, path) in &parts.loose {
            side(&mut bundle, &mut entry, "C modules", key, path);
        }
        let foresight = Foresight::of(parts)?;
        if let Some(forwarders) = foresight.forwarders {
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
        let mut settings = serde_json::json!({
            "mode": parts.mode.name(),
            "name": parts.main.name,
            "libraryPath": parts.library_path,
            "tracesLoads": parts.traces_loads,
            "development": parts.development,
            "environment": parts.environment,
        });
        if !foresight.notes.is_empty() {
            settings["notes"] = foresight.notes.into();
        }
        entry.settings = settings.to_string();
        entry.has_long_traces = parts.mode == Mode::Run;
        entry.development = parts.development && parts.mode != Mode::Run;
        bundle.modules.insert(0, Module::entry(entry.text()));
        bundle.entry = entry;
        Ok(bundle)
    }

    /// The same, but every answer says that something is wrong: in a header, and at the end of a page of HTML.
    #[must_use]
    pub fn with_notice(&self, notice: &str) -> Bundle {
        let mut bundle = self.clone();
        bundle.modules[0] = Module::entry(notice::with(&self.entry.body(), notice));
        bundle
    }

    /// A Worker that answers everything with what is wrong.
    #[must_use]
    pub fn failure(notice: &str) -> Bundle {
        Bundle {
            modules: vec![Module::entry(notice::alone(notice))],
            ..Bundle::default()
        }
    }

    /// The same without one of its modules, as if somebody had lost it.
    #[must_use]
    pub fn without(&self, name: &str) -> Bundle {
        let mut bundle = self.clone();
        bundle.modules.retain(|module| module.name != name);
        bundle
    }

    /// The module that was made to call itself by this name.
    pub(crate) fn called(&self, name: &str) -> Option<&Module> {
        self.modules
            .iter()
            .find(|module| module.called() == Some(name))
    }

    /// The modules; the first is the entry.
    pub fn modules(&self) -> &[Module] {
        &self.modules
    }

    /// How large it is, by purpose.
    ///
    /// # Errors
    /// When a module cannot be read.
    pub fn shares(&self) -> Result<Vec<Share>, CacheError> {
        share::of(&self.modules)
    }

    /// Writes all modules into a directory.
    ///
    /// # Errors
    /// When one cannot be written.
    pub fn write(&self, dir: &Path, place: Place) -> Result<(), CacheError> {
        self.modules
            .iter()
            .try_for_each(|module| module.write(dir, place))
    }

    fn file(&mut self, name: &str, kind: Kind, what: &str, path: &Path) -> String {
        self.add(Module::file(name, kind, path).of(what));
        name.to_owned()
    }

    fn add(&mut self, module: Module) {
        self.modules.push(module);
    }
}

/// What the linker inside will want to know of the modules and cannot see there.
struct Foresight {
    /// The module of which bridges are made where nothing can be compiled, if the bundle can need one.
    forwarders: Option<Vec<u8>>,
    /// What there is to say of symbols that may be missing.
    notes: String,
}

impl Foresight {
    fn of(parts: &Parts<'_>) -> Result<Foresight, PackError> {
        let read = |path: &Path| fs::read(path).map_err(CacheError::io("read", path));
        let info = &parts.main.info;
        let main = ModuleInfo::main_from_bytes(&read(info)?).map_err(|error| PackError::Main {
            path: info.clone(),
            reason: error.to_string(),
        })?;
        let mut known = HashSet::new();
        let mut sides = Vec::new();
        for (key, path) in parts.sides().filter(|(key, _)| known.insert(key)) {
            // One that is damaged is refused when it is opened.
            if let Ok(info) = ModuleInfo::from_bytes(&read(path)?) {
                sides.push((key, path, info));
            }
        }
        let offers = parts.code.offers()?;
        let bytes_of = |path: &Path| fs::read(path).ok();
        let readers: Vec<_> = sides
            .iter()
            .map(|(_, path, _)| move || bytes_of(path))
            .collect();
        let noted: Vec<Noted<'_>> = sides
            .iter()
            .zip(&readers)
            .map(|((key, _, info), bytes)| Noted { key, info, bytes })
            .collect();
        let named = parts.main.names.as_ref().unwrap_or(&parts.main.wasm);
        let main_noted = Noted {
            key: MAIN,
            info: &main,
            bytes: &|| bytes_of(named),
        };
        let offered =
            |module: &str, name: &str| offers.contains(&(module.to_owned(), name.to_owned()));
        // What is deployed is kept small.
        let doubt = match parts.development {
            true => Doubt::Any,
            false => Doubt::Grave,
        };
        let notes = notes(&main_noted, &noted, doubt, &offered);
        let sides: Vec<ModuleInfo> = sides.into_iter().map(|(_, _, info)| info).collect();
        Ok(Foresight {
            forwarders: Bridge::common(&main, &sides).map(|bridge| bridge.to_wasm()),
            notes,
        })
    }
}
