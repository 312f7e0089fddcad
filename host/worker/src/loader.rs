//! The linker of one guest: its files, and the compiled modules for them.
//!
//! A Worker cannot compile modules, and parses no WebAssembly. Its bundle has compiled modules, fetched when they are first
//! needed, and a link plan with their imports, exports and bindings. The files of side modules are stub modules.

use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use js_sys::{Array, Object, Promise, Reflect, Uint8Array, WebAssembly};
use pymode_bundle::BundleSettings;
use pymode_bundle::names::{MAIN, file};
use pymode_dylink::{
    Config, ContentHash, Contract, Event, FetchError, FileId, Inspection, Main, ModuleError,
    ModuleInfo, Plan, Program, normal_path,
};
use pymode_dylink_js::{
    CommonThunks, Host, JsEngineError, JsExtern, JsFailure, JsInstance, JsProcess, JsSource,
    Modules, NotKnown, key, link_target, stamp, stub_hash,
};
use pymode_host::dl::{CONTRACT_HINT, IDENTIFYING_IMPORTS, LIBRARY_PATH};
use pymode_host::vfs::{FileKind, Follow, GuestPath, Stat, Vfs};
use pymode_host::wasi::Stream;
use wasm_bindgen::prelude::*;

use crate::bundle;
use crate::frames;
use crate::guest::GuestInstance;
use crate::jobs;
use crate::trace::Trace;

thread_local! {
    /// Fetched modules, for all guests.
    static MODULES: Modules = Modules::default();
    /// The module with common thunks, once it was needed.
    static COMMON_THUNKS: OnceCell<Rc<CommonThunks>> = const { OnceCell::new() };
    /// The link plan. The first guest that loads a module reads it.
    static PLAN: OnceCell<Arc<Plan>> = const { OnceCell::new() };
}

/// Linker state of a guest.
pub(crate) struct Loader {
    pub(crate) program: RefCell<Program<JsInstance, JsExtern>>,
    /// Imports of main: an object for each module.
    imports: Object,
    /// First path of each module in the guest, by the hash of its code.
    seen: RefCell<HashMap<ContentHash, Rc<str>>>,
    /// Output of the trace.
    pub(crate) trace: Option<Trace>,
}

impl Loader {
    pub(crate) fn new(
        imports: Object,
        settings: &BundleSettings,
        origin: Option<String>,
        trace: Option<Box<dyn Stream>>,
    ) -> Loader {
        let contract = Contract {
            section: pymode_abi::SECTION.into(),
            version: pymode_abi::VERSION,
            hint: CONTRACT_HINT.into(),
        };
        let library_path = [LIBRARY_PATH.to_owned()].into_iter();
        let config = Config {
            origin,
            contract: Some(contract),
            library_path: library_path
                .chain(settings.library_path.iter().cloned())
                .collect(),
            identifying_imports: IDENTIFYING_IMPORTS.map(Into::into).into(),
        };
        Loader {
            program: RefCell::new(Program::new(config)),
            imports,
            seen: RefCell::default(),
            trace: trace.map(Trace::new),
        }
    }
}

/// A module on the stack of a guest.
pub(crate) struct RunningModule {
    /// Name in messages: main's name, or the path that the module was first read from.
    pub(crate) name: Rc<str>,
    pub(crate) module: WebAssembly::Module,
}

/// Returns the module with this name in its name section.
pub(crate) fn running(guest: &GuestInstance, called: &str) -> Option<RunningModule> {
    if called == MAIN {
        let module = bundle::with(|bundle| bundle.main()).ok()?;
        let name = bundle::settings().ok()?.name.as_str().into();
        return Some(RunningModule { name, module });
    }
    let wanted = file::key_of_side(called)?;
    let seen = guest.loader.seen.borrow();
    let (hash, name) = seen.iter().find(|(hash, _)| key(**hash) == wanted)?;
    let module = MODULES.with(|modules| modules.compiled(*hash))?.ok()?;
    let name = Rc::clone(name);
    Some(RunningModule { name, module })
}

/// Returns the modules that a guest has read, with the keys of their code.
pub(crate) fn seen(guest: &GuestInstance) -> Vec<(Rc<str>, String)> {
    let seen = guest.loader.seen.borrow();
    let keyed = seen
        .iter()
        .map(|(hash, path)| (Rc::clone(path), key(*hash)));
    keyed.collect()
}

/// Fetches modules of the bundle. Each is then compiled, or its error is known.
async fn fetch(guest: &Rc<GuestInstance>, modules: &[ContentHash]) -> Result<(), JsEngineError> {
    let plan = plan()?;
    let is_missing = |hash: &&ContentHash| MODULES.with(|modules| !modules.has(**hash));
    let missing: Vec<ContentHash> = modules.iter().filter(is_missing).copied().collect();
    if missing.is_empty() {
        return Ok(());
    }
    let promises: Array = { missing.iter() }
        .map(|hash| {
            let promise = bundle::with(|bundle| bundle.side(&key(*hash))).flatten();
            promise.unwrap_or_else(|thrown| Promise::reject(&thrown))
        })
        .collect();
    let settled = jobs::wait(guest, Promise::all_settled(&promises)).await?;
    for (hash, outcome) in missing.into_iter().zip(settled.unchecked_into::<Array>()) {
        let value = Reflect::get(&outcome, &"value".into())?;
        let module = match value.is_undefined() {
            false => Ok(value.unchecked_into()),
            true => Err(Reflect::get(&outcome, &"reason".into())?.into()),
        };
        MODULES.with(|modules| modules.add(hash, module, &plan));
    }
    Ok(())
}

/// The linker's view of a guest.
pub(crate) fn process(guest: &Rc<GuestInstance>) -> JsProcess<Linking> {
    JsProcess(Linking(Rc::clone(guest)))
}

pub(crate) struct Linking(Rc<GuestInstance>);

impl Linking {
    fn read(&self, path: &str) -> Result<Vec<u8>, FetchError> {
        let read = self.0.wasi.borrow_mut().vfs().read_file(path.as_bytes());
        let (bytes, _) = read.map_err(|errno| unreadable(errno.to_string()))?;
        Ok(bytes)
    }

    /// Returns the module that a file stands for, or the one that has to be fetched first.
    fn known(&self, path: &str) -> Result<Result<JsSource, ContentHash>, FetchError> {
        let plan = plan().map_err(|error| unreadable(error.to_string()))?;
        let file = self.read(path)?;
        match MODULES.with(|modules| modules.fetch(&file, &plan)) {
            Ok(source) => {
                let mut seen = self.0.loader.seen.borrow_mut();
                seen.entry(source.code).or_insert_with(|| path.into());
                Ok(Ok(source))
            }
            Err(NotKnown::Missing(hash)) => Ok(Err(hash)),
            Err(NotKnown::Malformed(reason)) => Err(reason.into()),
            Err(NotKnown::NoStub) => Err(match refused(path) {
                Some(reason) => ModuleError::Message { reason }.into(),
                None => unreadable(
                    "not a side module of the Worker's bundle, and a Worker cannot compile at run time\n  hint: add the module before the bundle is made"
                        .to_owned(),
                ),
            }),
            Err(NotKnown::Stale(_)) => Err(unreadable(plan.stale(path).to_string())),
            Err(NotKnown::Plan(error)) => Err(unreadable(error.to_string())),
        }
    }
}

impl Host for Linking {
    fn program<R>(&self, visit: impl FnOnce(&mut Program<JsInstance, JsExtern>) -> R) -> R {
        visit(&mut self.0.loader.program.borrow_mut())
    }

    fn main_exports(&self) -> &Object {
        &self.0.exports
    }

    fn suspends(&self) -> bool {
        true
    }

    async fn wait(&self, promise: Promise) -> Result<JsValue, JsValue> {
        jobs::wait(&self.0, promise).await
    }

    fn main(&self) -> Result<Main<JsInstance>, JsEngineError> {
        let module = bundle::with(|bundle| bundle.main())?;
        let settings = bundle::settings()?;
        let name = &settings.name;
        let hash = stamp(&module);
        let info = plan()?.main(hash.unwrap_or(ContentHash([0; 32])), name);
        let info = info?;
        Ok(Main {
            name: name.as_str().into(),
            instance: JsInstance::main(Arc::clone(&info)),
            info,
            hash,
        })
    }

    fn plan(&self) -> Option<Arc<Plan>> {
        // A trace shows the search, so a library is always searched for.
        if self.traces() {
            return None;
        }
        plan().ok()
    }

    fn identify(&self, path: &str) -> Option<FileId> {
        let mut wasi = self.0.wasi.borrow_mut();
        let stat = wasi
            .vfs()
            .stat(GuestPath::absolute(path.as_bytes()), Follow::Yes)
            .ok()?;
        let stat = linked(wasi.vfs(), path, stat.size).unwrap_or(stat);
        (stat.kind != FileKind::Directory).then_some(FileId {
            volume: stat.device,
            file: stat.inode,
        })
    }

    async fn fetch(&self, path: &str) -> Result<JsSource, FetchError> {
        let missing = match self.known(path)? {
            Ok(source) => return Ok(source),
            Err(missing) => missing,
        };
        let fetched = fetch(&self.0, &[missing]).await;
        fetched.map_err(|error| unreadable(error.to_string()))?;
        self.known(path)?
            .map_err(|_| unreadable("it is not compiled".to_owned()))
    }

    async fn prefetch(&self, paths: &[Arc<str>]) {
        let known = paths.iter().filter_map(|path| self.known(path).ok());
        let missing: Vec<ContentHash> = known.filter_map(Result::err).collect();
        // The fetch reports modules that cannot be fetched.
        let _ = fetch(&self.0, &missing).await;
    }

    fn describe_file(&self, path: &str) -> Option<Arc<ModuleInfo>> {
        plan()
            .ok()?
            .describe(stub_hash(&self.read(path).ok()?)?)?
            .ok()
    }

    fn imports(&self) -> &Object {
        &self.0.loader.imports
    }

    fn failed(&self, thrown: &JsValue) -> JsEngineError {
        frames::failed(&self.0, thrown)
    }

    fn inspect(&self, path: &str) -> Option<Inspection> {
        let settings = bundle::settings().ok()?;
        let notes = Some(&settings.notes).filter(|notes| !notes.is_empty())?;
        if *path == settings.name {
            return Inspection::from_notes(notes, MAIN);
        }
        Inspection::from_notes(notes, &key(stub_hash(&self.read(path).ok()?)?))
    }

    /// Lists all files: those of a Worker are stubs, and short.
    fn list(&self, directory: &str) -> Vec<String> {
        let mut wasi = self.0.wasi.borrow_mut();
        let directory = GuestPath::absolute(directory.as_bytes());
        let entries = wasi.vfs().read_dir(directory).unwrap_or_default();
        let names = entries.into_iter().map(|entry| entry.name);
        names
            .filter_map(|name| String::from_utf8(name).ok())
            .collect()
    }

    fn traces(&self) -> bool {
        self.0.loader.trace.is_some()
    }

    fn trace(&self, event: Event<'_>) {
        if let Some(trace) = &self.0.loader.trace {
            trace.write(event);
        }
    }

    async fn common_thunks(&self) -> Result<Rc<CommonThunks>, JsEngineError> {
        if let Some(known) = COMMON_THUNKS.with(|known| known.get().cloned()) {
            return Ok(known);
        }
        let thunks = plan()?.common_thunks();
        let (hash, thunks) = thunks.ok_or(JsFailure::NoThunks)?;
        fetch(&self.0, &[hash]).await?;
        let module = MODULES.with(|modules| modules.compiled(hash));
        let common = CommonThunks::new(module.ok_or(JsFailure::NoThunks)??, &thunks);
        Ok(COMMON_THUNKS.with(|known| Rc::clone(known.get_or_init(|| Rc::new(common)))))
    }
}

fn plan() -> Result<Arc<Plan>, JsEngineError> {
    if let Some(plan) = PLAN.with(|plan| plan.get().cloned()) {
        return Ok(plan);
    }
    let bytes = bundle::with(|bundle| Uint8Array::new(&bundle.plan()).to_vec())?;
    let plan = Plan::from_bytes(&bytes)?;
    Ok(PLAN.with(|cell| Arc::clone(cell.get_or_init(|| Arc::new(plan)))))
}

/// Returns the file that another was a link to when the bundle was made: images hold no links.
fn linked(vfs: &mut Vfs, path: &str, size: u64) -> Option<Stat> {
    /// Maximum size of a stub: a hash and a path.
    const LONGEST_STUB: u64 = 8 << 10;
    if size > LONGEST_STUB {
        return None;
    }
    let (file, _) = vfs.read_file(path.as_bytes()).ok()?;
    let (folder, _) = path.rsplit_once('/')?;
    let target = normal_path(&format!("{folder}/{}", link_target(&file)?));
    // In a copied link the path may lead to another file.
    let (other, _) = vfs.read_file(target.as_bytes()).ok()?;
    if stub_hash(&other) != stub_hash(&file) {
        return None;
    }
    let target = GuestPath::absolute(target.as_bytes());
    vfs.stat(target, Follow::Yes).ok()
}

/// Returns the reason why a file was refused when the bundle was made.
fn refused(path: &str) -> Option<String> {
    let path = normal_path(&format!("/{path}"));
    let settings = bundle::settings().ok()?;
    let mut refused = settings.refused.iter();
    let (_, reason) = refused.find(|(known, _)| *known == *path)?;
    Some(reason.clone())
}

fn unreadable(reason: String) -> FetchError {
    FetchError::Unreadable { reason }
}
