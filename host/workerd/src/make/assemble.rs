//! Assembles a bundle from the Worker's code, a main module, images and side modules.

use std::collections::{BTreeMap, HashSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use pymode_bundle::names::{MAIN, OBJECT, field, file};
use pymode_bundle::paths::in_the_project;
use pymode_bundle::{BundleSettings, WorkerMode};
use pymode_dylink::{ContentHash, ModuleInfo, NotedModule, SetFile, UndefinedIn, notes};
use pymode_toolchain::CacheError;

use crate::bundle::{Bundle, Module, ModuleKind};
use crate::make::entry::Entry;
use crate::make::link::{self, Link};
use crate::make::pack::{InvalidModule, PackError};
use crate::make::python::{PackedFiles, SideFile};
use crate::make::stub::{hash_of, stamp};
use crate::make::worker::WorkerCode;
use crate::module::OURS;

/// Parts of a bundle.
#[derive(Debug)]
pub(crate) struct BundleParts<'a> {
    /// The Worker's own code.
    pub(crate) code: &'a WorkerCode,
    /// The main module.
    pub(crate) main: Main,
    /// Directory trees of the guest. The one at `/` is first.
    pub(crate) trees: Vec<Tree>,
    /// Side modules outside of the trees, with their paths in the guest.
    pub(crate) loose: Vec<SideFile>,
    /// Maximum memory of the guest in bytes, as main declares it.
    pub(crate) memory: u64,
    /// Invalid side modules that are in no tree, with absolute paths.
    pub(crate) refused: Vec<InvalidModule>,
    /// Additional directories that are searched for libraries without a path.
    pub(crate) library_path: Vec<String>,
    /// `true` if the linker traces to standard error.
    pub(crate) traces_loads: bool,
    /// Mode of the Worker.
    pub(crate) mode: WorkerMode,
    /// `true` if answers contain tracebacks.
    pub(crate) development: bool,
    /// The environment of guests that answer requests.
    pub(crate) environment: BTreeMap<String, String>,
}

/// A main module.
#[derive(Debug)]
pub(crate) struct Main {
    /// Name in messages.
    pub(crate) name: String,
    /// Output of [`crate::make::pack::main`].
    pub(crate) wasm: PathBuf,
    /// The same module with the names of its functions, if there is one beside it.
    pub(crate) names: Option<PathBuf>,
}

/// A directory tree of the guest, and its side modules.
#[derive(Debug)]
pub(crate) struct Tree {
    /// Name in reports.
    pub(crate) what: String,
    /// Path in the guest.
    pub(crate) path: String,
    pub(crate) files: PackedFiles,
}

impl Tree {
    /// Returns a file's path in the guest.
    fn inside(&self, path: &str) -> String {
        format!("{}/{path}", self.path.trim_end_matches('/'))
    }
}

impl BundleParts<'_> {
    /// All side modules, with their paths in the guest. One may occur twice.
    fn sides(&self) -> impl Iterator<Item = (Vec<String>, &SideFile)> {
        let found = self.trees.iter().flat_map(|tree| {
            let inside = |path: &String| tree.inside(path);
            let sides = tree.files.sides.iter();
            sides.map(move |side| (side.paths.iter().map(inside).collect(), side))
        });
        let loose = self.loose.iter();
        found.chain(loose.map(|side| (side.paths.clone(), side)))
    }

    /// Invalid side modules, with their paths in the guest.
    fn refused(&self) -> impl Iterator<Item = InvalidModule> {
        let found = self.trees.iter().flat_map(|tree| {
            let refused = tree.files.refused.iter();
            refused.map(|refused| InvalidModule {
                path: tree.inside(&refused.path),
                ..refused.clone()
            })
        });
        found.chain(self.refused.iter().cloned())
    }

    fn notes(
        &self,
        main: &ModuleInfo,
        found: &[BundledSide<'_>],
        offered: &dyn Fn(&str, &str) -> bool,
    ) -> String {
        let bytes_of = |path: &Path| fs::read(path).ok();
        let readers: Vec<_> = found
            .iter()
            .map(|found| move || bytes_of(&found.file.file))
            .collect();
        let noted: Vec<NotedModule<'_>> = found
            .iter()
            .zip(&readers)
            .map(|(found, bytes)| NotedModule {
                key: &found.file.key,
                info: &found.info,
                bytes,
            })
            .collect();
        let named = self.main.names.as_ref().unwrap_or(&self.main.wasm);
        let main = NotedModule {
            key: MAIN,
            info: main,
            bytes: &|| bytes_of(named),
        };
        // Deployed bundles are kept small.
        let undefined_in = match self.development {
            true => UndefinedIn::Main,
            false => UndefinedIn::Set,
        };
        notes(&main, &noted, undefined_in, offered)
    }
}

/// Returns the maximum size of each in-memory directory for a guest with this memory, in bytes: files use the same isolate.
fn writable(memory: u64) -> u64 {
    memory / 3
}

impl Bundle {
    /// Assembles a Worker. Writes no files.
    ///
    /// # Errors
    /// When a side module cannot be read.
    pub(crate) fn new(parts: &BundleParts<'_>) -> Result<Bundle, PackError> {
        let mut bundle = Bundle {
            object: Some(OBJECT),
            ..Bundle::default()
        };
        let mut entry = Entry::default();
        for (name, script) in parts.code.scripts() {
            bundle.file(name, ModuleKind::Script, OURS, &script);
        }
        let host = bundle.file(file::HOST, ModuleKind::Wasm, OURS, &parts.code.host());
        entry.import("host", &host);
        let main = bundle.file(file::MAIN, ModuleKind::Wasm, file::MAIN, &parts.main.wasm);
        entry.import(field::MAIN, &main);
        let view = parts.code.memory_view();
        let view = bundle.file(file::MEMORY_VIEW, ModuleKind::Wasm, OURS, &view);
        entry.import(field::MEMORY_VIEW, &view);
        for (at, (name, thunks)) in parts.code.thunks().enumerate() {
            let thunks = bundle.file(&file::thunks(name), ModuleKind::Wasm, OURS, &thunks);
            entry.import(&format!("thunks{at}"), &thunks);
            let _ = writeln!(entry.thunks, "    {name:?}: thunks{at},");
        }
        let mut known = HashSet::new();
        let mut side = |bundle: &mut Bundle, entry: &mut Entry, what: &str, side: &SideFile| {
            let (key, file) = side.loaded();
            if known.insert(key.to_owned()) {
                let name = file::side(key);
                let module = Module::file(&name, ModuleKind::Wasm, file).of(what);
                bundle.add(module.called_by_its_name());
                entry.side(key, &name);
            }
        };
        for (at, tree) in parts.trees.iter().enumerate() {
            let name = file::image(at);
            entry.import(
                &format!("image{at}"),
                &bundle.file(&name, ModuleKind::Wasm, &tree.what, &tree.files.carrier),
            );
            let path = &tree.path;
            let _ = writeln!(
                entry.images,
                "    {{ {}: {path:?}, {}: image{at} }},",
                field::PATH,
                field::MODULE
            );
            let what = format!("{}, C modules", tree.what);
            for found in &tree.files.sides {
                side(&mut bundle, &mut entry, &what, found);
            }
        }
        for found in &parts.loose {
            side(&mut bundle, &mut entry, "C modules", found);
        }
        let LinkFacts { link, notes } = LinkFacts::of(parts)?;
        if let Some(forwarders) = link.forwarders {
            let (key, name) = (forwarders.key(), file::side(&forwarders.key()));
            bundle.add(Module::bytes(&name, ModuleKind::Wasm, forwarders.wasm));
            entry.side(&key, &name);
        }
        let refused = link.refused.iter();
        bundle.unloadable = refused.map(|refused| refused.reason.to_string()).collect();
        let refused: Vec<InvalidModule> = parts.refused().collect();
        let damaged = refused.iter().filter(|refused| refused.is_damaged);
        let damaged = damaged.map(|it| format!("cannot load `{}`: {}", it.path, it.reason));
        bundle.unloadable.extend(damaged);
        for message in &mut bundle.unloadable {
            *message = in_the_project(message).into_owned();
        }
        bundle.add(Module::bytes(file::PLAN, ModuleKind::Data, link.plan));
        entry.import(field::PLAN, file::PLAN);
        let settings = BundleSettings {
            mode: parts.mode,
            name: parts.main.name.clone(),
            library_path: parts.library_path.clone(),
            writable: writable(parts.memory),
            traces_loads: parts.traces_loads,
            development: parts.development,
            environment: parts.environment.clone().into_iter().collect(),
            refused: refused.into_iter().map(|it| (it.path, it.reason)).collect(),
            notes,
        };
        bundle.add(Module::bytes(
            file::SETTINGS,
            ModuleKind::Data,
            settings.to_bytes(),
        ));
        entry.import(field::SETTINGS, file::SETTINGS);
        entry.has_long_traces = parts.mode == WorkerMode::Run;
        entry.development = parts.development && parts.mode != WorkerMode::Run;
        bundle.modules.insert(0, Module::entry(entry.text()));
        bundle.body = entry.body();
        Ok(bundle)
    }

    fn file(&mut self, name: &str, kind: ModuleKind, what: &str, path: &Path) -> String {
        self.add(Module::file(name, kind, path).of(what));
        name.to_owned()
    }

    fn add(&mut self, module: Module) {
        self.modules.push(module);
    }
}

/// Facts about modules that the linker in the Worker cannot see.
struct LinkFacts {
    link: Link,
    /// Notes about symbols that may be missing.
    notes: String,
}

/// A side module of the bundle.
struct BundledSide<'a> {
    file: &'a SideFile,
    /// Path in the guest.
    paths: Vec<String>,
    hash: ContentHash,
    info: ModuleInfo,
    /// The rewritten module that is loaded instead, if there is one.
    loaded: Option<(ContentHash, ModuleInfo)>,
}

impl BundledSide<'_> {
    fn at(&self, path: &str) -> SetFile {
        let file = SetFile::new(path, self.hash, self.info.clone());
        match &self.loaded {
            Some((code, info)) => file.compiled_from(*code, info.clone()),
            None => file,
        }
    }
}

impl LinkFacts {
    fn of(parts: &BundleParts<'_>) -> Result<LinkFacts, PackError> {
        let stamped = |path: &Path| {
            let module = fs::read(path).map_err(CacheError::io("read", path))?;
            let hash = stamp(&module).map(|(_, hash)| hash);
            Ok::<_, PackError>((hash.unwrap_or_else(|| hash_of(&module)), module))
        };
        let (hash, main) = stamped(&parts.main.wasm)?;
        let main = ModuleInfo::main_from_bytes(&main).map_err(|error| PackError::Main {
            path: parts.main.wasm.clone(),
            reason: error.to_string(),
        })?;
        let mut found: Vec<BundledSide<'_>> = Vec::new();
        for (paths, file) in parts.sides() {
            if let Some(known) = found.iter_mut().find(|known| known.file.key == file.key) {
                known.paths.extend(paths);
                continue;
            }
            // Only side modules have a key.
            let read = |path: &Path| {
                let (hash, module) = stamped(path)?;
                let info = ModuleInfo::from_bytes(&module).map_err(|error| PackError::Side {
                    path: path.into(),
                    reason: error.to_string(),
                })?;
                Ok::<_, PackError>((hash, info))
            };
            let (hash, info) = read(&file.file)?;
            let loaded = file.loaded.as_ref().map(|loaded| read(&loaded.file));
            found.push(BundledSide {
                file,
                paths,
                hash,
                info,
                loaded: loaded.transpose()?,
            });
        }
        let offers = parts.code.offers()?;
        let offered =
            |module: &str, name: &str| offers.contains(&(module.to_owned(), name.to_owned()));
        let notes = parts.notes(&main, &found, &offered);
        let sides = found.iter().flat_map(|found| {
            let paths = found.paths.iter();
            paths.map(|path| found.at(path))
        });
        let sides = sides.collect();
        let main = SetFile::new(&parts.main.name, hash, main);
        let config = link::config(&parts.library_path);
        let link = link::link(main, sides, config, &offered);
        Ok(LinkFacts { link, notes })
    }
}
