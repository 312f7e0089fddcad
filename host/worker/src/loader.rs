//! The linker of one guest: where its files lie, and how compiled modules are found for them.
//!
//! A Worker may not compile, and reads no WebAssembly. Its bundle has all modules compiled, fetched when they are first
//! needed, and a link plan that says what each of them imports and exports, and what is bound to what. The files of side
//! modules in the images are tickets for them.

use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use js_sys::{Object, Promise, Reflect, Uint8Array, WebAssembly};
use pymode_dylink::{
    Config, ContentHash, Contract, Fault, FetchError, Fetched, FileId, Inspection, Main,
    ModuleError, Plan, Program, normal_path,
};
use pymode_dylink_js::{
    Forwarders, Host, JsCode, JsExtern, JsInstance, JsProcess, Known, Modules, NotKnown, key,
    reason, stamp, ticket,
};
use pymode_host::dl::LIBRARY_PATH;
use pymode_host::vfs::{FileKind, Follow, GuestPath};
use pymode_host::wasi::Stream;
use wasm_bindgen::prelude::*;

use crate::bundle::{self, Bundle};
use crate::frames;
use crate::guest::Guest;
use crate::jobs;
use crate::trace::Trace;

/// The key of main in the bundle's notes.
const MAIN_KEY: &str = "main";

thread_local! {
    /// Modules that were fetched already, for all guests.
    static MODULES: Modules = Modules::default();
    /// Of what bridges are made, if any was.
    static FORWARDERS: OnceCell<Rc<Forwarders>> = const { OnceCell::new() };
    /// Read by the first guest that loads anything.
    static PLAN: OnceCell<Arc<Plan>> = const { OnceCell::new() };
}

/// The linker's part of a guest.
pub(crate) struct Loader {
    pub(crate) program: RefCell<Program<JsInstance, JsExtern>>,
    /// What main imports: an object for each module.
    imports: Object,
    /// Modules that a `dl_open` needed and that are not compiled yet.
    missing: RefCell<Vec<ContentHash>>,
    /// Where the guest saw modules first, by the hash of their code.
    seen: RefCell<HashMap<ContentHash, Rc<str>>>,
    /// Where it tells what it does.
    pub(crate) trace: Option<Trace>,
}

impl Loader {
    pub(crate) fn new(imports: Object, bundle: &Bundle, trace: Option<Box<dyn Stream>>) -> Loader {
        let contract = Contract {
            section: pymode_abi::SECTION.into(),
            version: pymode_abi::VERSION,
        };
        let more = bundle.library_path();
        let library_path = [LIBRARY_PATH.to_owned()].into_iter();
        let config = Config {
            contract: Some(contract),
            library_path: library_path
                .chain(more.iter().filter_map(|path| path.as_string()))
                .collect(),
        };
        Loader {
            program: RefCell::new(Program::new(config)),
            imports,
            missing: RefCell::default(),
            seen: RefCell::default(),
            trace: trace.map(Trace::new),
        }
    }
}

/// A module whose code runs in a guest.
pub(crate) struct Running {
    /// What messages call it: main by its name, another by the path that it was first read from.
    pub(crate) name: Rc<str>,
    pub(crate) module: WebAssembly::Module,
}

/// The module that calls itself so.
pub(crate) fn running(guest: &Guest, called: &str) -> Option<Running> {
    if called == MAIN_KEY {
        let (name, module) = bundle::with(|bundle| (bundle.name(), bundle.main())).ok()?;
        let name = name.into();
        return Some(Running { name, module });
    }
    let wanted = called.strip_prefix("side-")?;
    let seen = guest.loader.seen.borrow();
    let (hash, name) = seen.iter().find(|(hash, _)| key(**hash) == wanted)?;
    let module = MODULES.with(|modules| modules.compiled(*hash))?.ok()?;
    let name = Rc::clone(name);
    Some(Running { name, module })
}

/// The modules that a guest has read, with the keys of their code.
pub(crate) fn seen(guest: &Guest) -> Vec<(Rc<str>, String)> {
    let seen = guest.loader.seen.borrow();
    let keyed = seen
        .iter()
        .map(|(hash, path)| (Rc::clone(path), key(*hash)));
    keyed.collect()
}

/// What a `dl_open` that failed has to wait for: it may have failed only because modules are not fetched yet.
pub(crate) fn fetching(guest: &Guest) -> Option<Promise> {
    let missing = guest.loader.missing.take();
    if missing.is_empty() {
        return None;
    }
    Some(wasm_bindgen_futures::future_to_promise(async move {
        let plan = plan().map_err(|fault| JsError::new(&fault.0))?;
        // All are under way before the first is waited for.
        let under_way: Vec<_> = missing
            .iter()
            .map(|hash| bundle::with(|bundle| bundle.side(&key(*hash))).flatten())
            .collect();
        for (hash, promise) in missing.into_iter().zip(under_way) {
            let fetched = match promise {
                Ok(promise) => wasm_bindgen_futures::JsFuture::from(promise).await,
                Err(thrown) => Err(thrown),
            };
            let fetched = fetched.map(JsCast::unchecked_into);
            let fetched = fetched.map_err(|thrown| Fault::new(reason(&thrown)));
            MODULES.with(|modules| modules.add(hash, fetched, &plan));
        }
        Ok(JsValue::UNDEFINED)
    }))
}

/// The linker's view of a guest.
pub(crate) fn process(guest: &Rc<Guest>) -> JsProcess<Linking> {
    JsProcess(Linking(Rc::clone(guest)))
}

pub(crate) struct Linking(Rc<Guest>);

impl Linking {
    fn known(&self, path: &str) -> Result<Known, FetchError> {
        let plan = plan().map_err(|fault| unreadable(fault.0))?;
        let read = self.0.wasi.borrow_mut().vfs().read_file(path.as_bytes());
        let (bytes, _) = read.map_err(|errno| unreadable(errno.to_string()))?;
        let known = MODULES.with(|modules| modules.fetch(&bytes, &plan));
        if let Ok(known) = &known {
            let mut seen = self.0.loader.seen.borrow_mut();
            seen.entry(known.code).or_insert_with(|| path.into());
        }
        known.map_err(|unknown| match unknown {
            NotKnown::Malformed(reason) => reason.into(),
            NotKnown::NoTicket if let Some(reason) = refused(path) => {
                ModuleError::Told { reason }.into()
            }
            NotKnown::NoTicket => unreadable(
                "it is no side module that is part of the Worker's bundle, and a Worker cannot compile at run time\n  hint: have it where the bundle is made"
                    .to_owned(),
            ),
            NotKnown::Stale(_) => unreadable(plan.stale(path).to_string()),
            NotKnown::Missing(hash) => {
                self.0.loader.missing.borrow_mut().push(hash);
                unreadable("it is not compiled yet".to_owned())
            }
            NotKnown::Plan(error) => unreadable(error.to_string()),
        })
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

    fn main(&self) -> Result<Main<JsInstance>, Fault> {
        let name = bundle::with(Bundle::name).map_err(|thrown| Fault::new(reason(&thrown)))?;
        let hash = self.main_hash().unwrap_or(ContentHash([0; 32]));
        let info = plan()?.main(hash, &name);
        let info = info.map_err(|stale| Fault(stale.to_string()))?;
        Ok(Main {
            name: name.as_str().into(),
            instance: JsInstance::main(Arc::clone(&info)),
            info,
        })
    }

    fn plan(&self) -> Option<Arc<Plan>> {
        // Who wants to be told how a library is found has it looked for.
        if self.traces() {
            return None;
        }
        plan().ok()
    }

    fn main_hash(&self) -> Option<ContentHash> {
        stamp(&bundle::with(|bundle| bundle.main()).ok()?)
    }

    fn identify(&self, path: &str) -> Option<FileId> {
        let mut wasi = self.0.wasi.borrow_mut();
        let stat = wasi
            .vfs()
            .stat(GuestPath::absolute(path.as_bytes()), Follow::Yes)
            .ok()?;
        (stat.kind != FileKind::Directory).then_some(FileId {
            volume: stat.device,
            file: stat.inode,
        })
    }

    fn fetch(&self, path: &str) -> Result<Fetched<Result<JsCode, Fault>>, FetchError> {
        let Known { info, source, .. } = self.known(path)?;
        Ok(Fetched { info, source })
    }

    fn fetch_hashed(&self, path: &str) -> Result<(Result<JsCode, Fault>, ContentHash), FetchError> {
        let Known { source, hash, .. } = self.known(path)?;
        Ok((source, hash))
    }

    fn imports(&self) -> &Object {
        &self.0.loader.imports
    }

    fn fault(&self, thrown: &JsValue) -> Fault {
        frames::fault(&self.0, thrown)
    }

    fn inspect(&self, path: &str) -> Option<Inspection> {
        let notes = bundle::with(Bundle::notes).ok()??;
        if *path == bundle::with(Bundle::name).ok()? {
            return Inspection::from_notes(&notes, MAIN_KEY);
        }
        let file = self.0.wasi.borrow_mut().vfs().read_file(path.as_bytes());
        Inspection::from_notes(&notes, &key(ticket(&file.ok()?.0)?))
    }

    /// Every file: a Worker's are tickets, and short.
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

    fn trace(&self, text: &str) {
        if let Some(trace) = &self.0.loader.trace {
            trace.tell(text);
        }
    }

    fn forwarders(&self) -> Result<Rc<Forwarders>, Fault> {
        if let Some(known) = FORWARDERS.with(|known| known.get().cloned()) {
            return Ok(known);
        }
        let (hash, bridge) = plan()?
            .forwarders()
            .ok_or_else(|| Fault::new("the bundle has no forwarders"))?;
        let Some(fetched) = MODULES.with(|modules| modules.compiled(hash)) else {
            self.0.loader.missing.borrow_mut().push(hash);
            return Err(Fault::new("the bundle's forwarders are not compiled yet"));
        };
        let made = Forwarders::new(fetched?, &bridge);
        Ok(FORWARDERS.with(|known| Rc::clone(known.get_or_init(|| Rc::new(made)))))
    }
}

fn plan() -> Result<Arc<Plan>, Fault> {
    if let Some(plan) = PLAN.with(|plan| plan.get().cloned()) {
        return Ok(plan);
    }
    let bytes = bundle::with(|bundle| Uint8Array::new(&bundle.plan()).to_vec());
    let bytes = bytes.map_err(|thrown| Fault::new(reason(&thrown)))?;
    let plan = Plan::from_bytes(&bytes).map_err(|error| Fault(error.to_string()))?;
    Ok(PLAN.with(|cell| Arc::clone(cell.get_or_init(|| Arc::new(plan)))))
}

/// What was wrong with a file when the bundle was made.
fn refused(path: &str) -> Option<String> {
    let all = bundle::with(Bundle::refused).ok()??;
    let path = normal_path(&format!("/{path}"));
    let reason = Reflect::get(&all, &path.into()).ok()?;
    reason.as_string()
}

fn unreadable(reason: String) -> FetchError {
    FetchError::Unreadable { reason }
}
