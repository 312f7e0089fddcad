//! The linker of one guest: where its files lie, and how compiled modules are found for them.
//!
//! A Worker may not compile. So the files of side modules in a bundle's images are not the modules themselves but what they
//! say of themselves (all but code and data), with a key in a custom section; the bundle has the compiled module under that
//! key, and fetches it when it is first needed.

use std::cell::{OnceCell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use js_sys::{Object, Promise, Uint8Array, WebAssembly};
use pymode_dylink::{
    Config, Contract, Fault, FetchError, Fetched, FileId, Inspection, Main, ModuleInfo, Program,
};
use pymode_dylink_js::{
    Forwarders, Host, JsCode, JsExtern, JsInstance, JsProcess, Modules, NotKnown, reason,
};
use pymode_host::vfs::{Follow, GuestPath};
use pymode_host::wasi::Stream;
use wasm_bindgen::prelude::*;

use crate::bundle::{self, Bundle};
use crate::guest::Guest;
use crate::jobs;
use crate::trace::Trace;

/// Where libraries lie that modules name without a directory.
const LIBRARY_PATH: &str = "/lib";

/// The key of main in the bundle's notes.
const MAIN_KEY: &str = "main";

/// The key of the bundle's forwarders.
const FORWARDERS_KEY: &str = "forwarders";

thread_local! {
    /// Modules that were fetched already, for all guests.
    static MODULES: Modules = Modules::default();
    /// Of what bridges are made, if any was.
    static FORWARDERS: OnceCell<Rc<Forwarders>> = const { OnceCell::new() };
    /// What main exports: read once, by the first guest that loads anything.
    static MAIN: OnceCell<Arc<ModuleInfo>> = const { OnceCell::new() };
}

/// The linker's part of a guest.
pub(crate) struct Loader {
    pub(crate) program: RefCell<Program<JsInstance, JsExtern>>,
    /// What main imports: an object for each module.
    imports: Object,
    /// Keys of modules that a `dl_open` needed and that are not compiled yet.
    missing: RefCell<Vec<String>>,
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
            trace: trace.map(Trace::new),
        }
    }
}

/// The modules that a guest has loaded, with the keys of their code.
pub(crate) fn loaded(guest: &Guest) -> Vec<(String, String)> {
    let paths = guest.loader.program.borrow().loaded();
    let mut wasi = guest.wasi.borrow_mut();
    let keyed = paths.into_iter().filter_map(|path| {
        let (skeleton, _) = wasi.vfs().read_file(path.as_bytes()).ok()?;
        let key = pymode_dylink_js::key(&skeleton)?.to_owned();
        Some((path, key))
    });
    keyed.collect()
}

/// What a `dl_open` that failed has to wait for: it may have failed only because modules are not fetched yet.
pub(crate) fn fetching(guest: &Guest) -> Option<Promise> {
    let missing = guest.loader.missing.take();
    if missing.is_empty() {
        return None;
    }
    Some(wasm_bindgen_futures::future_to_promise(async move {
        for key in missing {
            let fetched = fetch_side(&key).await;
            let fetched = fetched.map_err(|thrown| Fault::new(reason(&thrown)));
            MODULES.with(|modules| modules.add(&key, fetched));
        }
        Ok(JsValue::UNDEFINED)
    }))
}

async fn fetch_side(key: &str) -> Result<WebAssembly::Module, JsValue> {
    let promise = bundle::with(|bundle| bundle.side(key))??;
    Ok(wasm_bindgen_futures::JsFuture::from(promise)
        .await?
        .unchecked_into())
}

/// The linker's view of a guest.
pub(crate) fn process(guest: &Rc<Guest>) -> JsProcess<Linking> {
    JsProcess(Linking(Rc::clone(guest)))
}

pub(crate) struct Linking(Rc<Guest>);

impl Linking {
    fn read(&self, path: &str) -> Result<Vec<u8>, FetchError> {
        let read = self.0.wasi.borrow_mut().vfs().read_file(path.as_bytes());
        read.map(|(bytes, _)| bytes)
            .map_err(|errno| unreadable(errno.to_string()))
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
        let info = main_info()?;
        Ok(Main {
            name: bundle::with(Bundle::name)
                .map_err(|thrown| Fault::new(reason(&thrown)))?
                .into(),
            instance: JsInstance::main(Arc::clone(&info)),
            info,
        })
    }

    fn identify(&self, path: &str) -> Option<FileId> {
        let mut wasi = self.0.wasi.borrow_mut();
        let stat = wasi
            .vfs()
            .stat(GuestPath::absolute(path.as_bytes()), Follow::Yes)
            .ok()?;
        Some(FileId {
            volume: stat.device,
            file: stat.inode,
        })
    }

    fn fetch(&self, path: &str) -> Result<Fetched<Result<JsCode, Fault>>, FetchError> {
        let bytes = self.read(path)?;
        let fetched = MODULES.with(|modules| modules.fetch(&bytes));
        fetched.map_err(|unknown| match unknown {
            NotKnown::Malformed(reason) => reason.into(),
            NotKnown::NoKey => unreadable(
                "it is not part of the Worker's bundle, and a Worker cannot compile at run time\n  hint: have it where the bundle is made"
                    .to_owned(),
            ),
            NotKnown::Missing(key) => {
                self.0.loader.missing.borrow_mut().push(key.into());
                unreadable("it is not compiled yet".to_owned())
            }
        })
    }

    fn imports(&self) -> &Object {
        &self.0.loader.imports
    }

    fn inspect(&self, path: &str) -> Option<Inspection> {
        let notes = bundle::with(Bundle::notes).ok()??;
        if *path == bundle::with(Bundle::name).ok()? {
            return Inspection::from_notes(&notes, MAIN_KEY);
        }
        let skeleton = self.read(path).ok()?;
        Inspection::from_notes(&notes, pymode_dylink_js::key(&skeleton)?)
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
        let Some(fetched) = MODULES.with(|modules| modules.compiled(FORWARDERS_KEY)) else {
            self.0
                .loader
                .missing
                .borrow_mut()
                .push(FORWARDERS_KEY.to_owned());
            return Err(Fault::new("the bundle's forwarders are not compiled yet"));
        };
        let bytes = bundle::with(|bundle| bundle.forwarders())
            .map_err(|thrown| Fault::new(reason(&thrown)))?
            .ok_or_else(|| Fault::new("the bundle has no forwarders"))?;
        let made = Forwarders::new(fetched?, &Uint8Array::new(&bytes).to_vec())?;
        Ok(FORWARDERS.with(|known| Rc::clone(known.get_or_init(|| Rc::new(made)))))
    }
}

fn main_info() -> Result<Arc<ModuleInfo>, Fault> {
    if let Some(info) = MAIN.with(|main| main.get().cloned()) {
        return Ok(info);
    }
    let bytes = bundle::with(|bundle| Uint8Array::new(&bundle.main_info()).to_vec())
        .map_err(|thrown| Fault::new(reason(&thrown)))?;
    let info =
        ModuleInfo::main_from_bytes(&bytes).map_err(|error| Fault::new(error.to_string()))?;
    Ok(MAIN.with(|main| Arc::clone(main.get_or_init(|| Arc::new(info)))))
}

fn unreadable(reason: String) -> FetchError {
    FetchError::Unreadable { reason }
}
