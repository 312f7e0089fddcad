//! The linker of one guest: where its files lie, and how compiled modules are found for them.
//!
//! A Worker may not compile. So the files of side modules in a bundle's images are not the modules themselves but what they
//! say of themselves (all but code and data), with a key in a custom section; the bundle has the compiled module under that
//! key, and fetches it when it is first needed.

use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use js_sys::{Object, Promise, Reflect, Uint8Array, WebAssembly};
use pymode_dylink::{
    Bridge, Config, Contract, Fault, FetchError, Fetched, FileId, Main, ModuleInfo, Program,
};
use pymode_dylink_js::{Host, JsCode, JsExtern, JsInstance, JsProcess, reason};
use pymode_host::vfs::{Follow, GuestPath};
use wasm_bindgen::prelude::*;

use crate::bundle;
use crate::guest::Guest;

/// Where libraries lie that modules name without a directory.
const LIBRARY_PATH: &str = "/lib";

/// The custom section that holds the key.
const KEY_SECTION: &str = "pymode.code";

thread_local! {
    /// Modules that were fetched already, by key, for all guests: compiled, or why they cannot be.
    static FETCHED: RefCell<HashMap<String, Result<WebAssembly::Module, String>>> = RefCell::default();
    /// Those of them that were loaded once.
    static KNOWN: RefCell<HashMap<String, JsCode>> = RefCell::default();
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
}

/// What a failed `dl_open` is to do.
pub(crate) enum Loading {
    /// It failed.
    Nothing,
    /// Wait for this, then try again.
    Wait(Promise),
}

impl Loader {
    pub(crate) fn new(imports: Object) -> Loader {
        let contract = Contract {
            section: pymode_abi::SECTION.into(),
            version: pymode_abi::VERSION,
        };
        let config = Config {
            contract: Some(contract),
            library_path: vec![LIBRARY_PATH.to_owned()],
        };
        Loader {
            program: RefCell::new(Program::new(config)),
            imports,
            missing: RefCell::default(),
        }
    }

    /// Whether a `dl_open` that failed did so only because modules are not fetched yet.
    pub(crate) fn wait(&self) -> Loading {
        let missing = self.missing.take();
        if missing.is_empty() {
            return Loading::Nothing;
        }
        Loading::Wait(wasm_bindgen_futures::future_to_promise(async move {
            for key in missing {
                let fetched = fetch_side(&key).await.map_err(|thrown| reason(&thrown));
                FETCHED.with_borrow_mut(|all| all.insert(key, fetched));
            }
            Ok(JsValue::UNDEFINED)
        }))
    }
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

    fn main(&self) -> Result<Main<JsInstance>, Fault> {
        let info = main_info()?;
        Ok(Main {
            name: "python.wasm".into(),
            instance: JsInstance::main(self.0.exports.clone(), Arc::clone(&info)),
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

    fn fetch(&self, path: &str) -> Result<Fetched<JsCode>, FetchError> {
        let bytes = self.read(path)?;
        let info = ModuleInfo::from_bytes(&bytes)?;
        let key = custom_section(&bytes, KEY_SECTION).and_then(|key| str::from_utf8(key).ok());
        let Some(key) = key else {
            return Err(unreadable(
                "it is not part of the Worker's bundle, and a Worker cannot compile at run time\n  hint: have it where the bundle is made"
                    .to_owned(),
            ));
        };
        if let Some(source) = KNOWN.with_borrow(|all| all.get(key).cloned()) {
            return Ok(Fetched { info, source });
        }
        let Some(fetched) = FETCHED.with_borrow(|all| all.get(key).cloned()) else {
            self.0.loader.missing.borrow_mut().push(key.to_owned());
            return Err(unreadable("it is not compiled yet".to_owned()));
        };
        let module = fetched.map_err(unreadable)?;
        let source = JsCode::new(module, &info);
        KNOWN.with_borrow_mut(|all| all.insert(key.to_owned(), source.clone()));
        Ok(Fetched { info, source })
    }

    fn import(&self, module: &str, name: &str) -> Option<JsValue> {
        let object = Reflect::get(&self.0.loader.imports, &module.into()).ok()?;
        let found = Reflect::get(object.dyn_ref::<Object>()?, &name.into()).ok()?;
        (!found.is_undefined()).then_some(found)
    }

    fn bridge(&self, bridge: &Bridge) -> Result<JsCode, Fault> {
        let names: Vec<&str> = bridge
            .functions
            .iter()
            .map(|function| &*function.name)
            .collect();
        Err(Fault::new(format!(
            "the bundle has no forwarding module for {}: a Worker cannot compile one",
            names.join(", ")
        )))
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

/// The content of a custom section of a well-formed module.
fn custom_section<'a>(module: &'a [u8], wanted: &str) -> Option<&'a [u8]> {
    let mut rest = module.get(8..)?;
    while let Some((&id, after)) = rest.split_first() {
        let (len, after) = leb128(after)?;
        let body = after.get(..len)?;
        rest = after.get(len..)?;
        if id == 0 {
            let (len, body) = leb128(body)?;
            if body.get(..len)? == wanted.as_bytes() {
                return body.get(len..);
            }
        }
    }
    None
}

/// An unsigned number of 32 bits, and what follows it.
fn leb128(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut value = 0u64;
    for (at, byte) in bytes.iter().enumerate().take(5) {
        value |= u64::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return Some((usize::try_from(value).ok()?, &bytes[at + 1..]));
        }
    }
    None
}
