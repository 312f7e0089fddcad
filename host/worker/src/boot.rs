//! The start of a guest: import thunks, python.wasm, memory views, files; then its run.

use std::rc::Rc;
use std::sync::Arc;

use js_sys::{Function, Object, Promise, Reflect, WebAssembly};
use pymode_host::dl;
use pymode_host::program::{THREAD_START, WAITS, WAITS_PREFIX};
use pymode_host::vfs::{DevFs, FileSystem, ImageFs, MemFs, Vfs};
use pymode_host::wasi::{Stdio, Stream, Wasi};
use wasm_bindgen::prelude::*;

use crate::blob::ImageBlob;
use crate::bundle::{self, Bundle};
use crate::guest::{GuestInstance, GuestNumber, GuestParts, RegisteredGuest};
use crate::loader::Loader;
use crate::memory_view::MemoryView;
use crate::platform::Worker;
use crate::stream::Channel;
use crate::wakeup::Wakeup;

/// Parameters of a guest.
pub(crate) struct Setup {
    /// The first is the program's name.
    pub(crate) args: Vec<Vec<u8>>,
    pub(crate) env: Vec<(Vec<u8>, Vec<u8>)>,
    pub(crate) stdio: Stdio,
    /// Wakeup for new data in the streams.
    pub(crate) wakeup: Wakeup,
    /// `true` if it may send requests.
    pub(crate) has_network: bool,
    /// Receiver of the output, if it is more than bytes.
    pub(crate) channel: Option<Rc<dyn Channel>>,
    /// Output of the loader's trace, if it is on.
    pub(crate) trace: Option<Box<dyn Stream>>,
    /// Additional file systems and their mount points.
    pub(crate) mounts: Vec<(Vec<u8>, Box<dyn FileSystem>)>,
}

/// The exit status of a guest.
pub(crate) enum Ended {
    /// It returned from `main` or called `exit`.
    Exit(u32),
    /// It trapped, or what it called threw.
    Failure(RawFailure),
}

/// A failure in V8's words.
pub(crate) struct RawFailure {
    pub(crate) reason: String,
    /// The functions that were running, innermost first, each on a line.
    pub(crate) trace: String,
}

impl RawFailure {
    /// Creates a failure before the guest ran.
    pub(crate) fn before(reason: String) -> RawFailure {
        RawFailure {
            reason,
            trace: String::new(),
        }
    }

    fn thrown(thrown: &JsValue) -> RawFailure {
        let trace = Reflect::get(thrown, &"stack".into()).ok();
        RawFailure {
            reason: pymode_dylink_js::reason(thrown),
            trace: trace
                .and_then(|trace| trace.as_string())
                .unwrap_or_default(),
        }
    }
}

/// Instantiates a guest. No code of it runs.
pub(crate) fn boot(setup: Setup) -> Result<RegisteredGuest, JsValue> {
    bundle::with(|bundle| boot_from(bundle, setup))?
}

fn boot_from(bundle: &Bundle, setup: Setup) -> Result<RegisteredGuest, JsValue> {
    require_jspi()?;
    let number = GuestNumber::new();
    let imports = thunks(bundle, number)?;
    let instance = WebAssembly::Instance::new(&bundle.main(), &imports)?;
    let exports = instance.exports();
    let mut wasi = Wasi::new(
        files(bundle, &exports, setup.mounts)?,
        Arc::new(Worker),
        setup.stdio,
    );
    let refused = |errno| JsValue::from(JsError::new(&format!("an argument or variable: {errno}")));
    let variables = setup.env.iter();
    let origin = dl::origin(
        setup.args.first().map(Vec::as_slice),
        variables.map(|(name, value)| (&**name, &**value)),
    );
    for arg in setup.args {
        wasi.arg(arg).map_err(refused)?;
    }
    for (name, value) in setup.env {
        wasi.env(&name, &value).map_err(refused)?;
    }
    if Reflect::has(&exports, &THREAD_START.into())? {
        wasi.never_wait();
    }
    let imports = for_side_modules(imports, &exports)?;
    let guest = GuestInstance::new(GuestParts {
        memory: MemoryView::open(&bundle.memory_view(), &exports)?,
        exports,
        wasi,
        loader: Loader::new(imports, &*bundle::settings()?, origin, setup.trace),
        wakeup: setup.wakeup,
        has_network: setup.has_network,
        channel: setup.channel,
    });
    Ok(RegisteredGuest::new(number, guest))
}

/// Checks for JavaScript Promise Integration, without which no guest can wait.
fn require_jspi() -> Result<(), JsValue> {
    let wasm = Reflect::get(&js_sys::global(), &"WebAssembly".into())?;
    if Reflect::has(&wasm, &"promising".into())? && Reflect::has(&wasm, &"Suspending".into())? {
        return Ok(());
    }
    let message = "this runtime has no JavaScript Promise Integration (`WebAssembly.promising`), which Python in a Worker needs\n  hint: use a newer workerd, or a later `compatibility_date`";
    Err(JsError::new(message).into())
}

/// Returns the guest's imports: an object with the thunks of each import module.
fn thunks(bundle: &Bundle, number: GuestNumber) -> Result<Object, JsValue> {
    let guest = Object::new();
    Reflect::set(&guest, &"number".into(), &JsValue::from(number.0 as i32))?;
    let js = Object::new();
    Reflect::set(&js, &"suspend".into(), &SUSPEND.with(JsValue::clone))?;
    let of_thunks = Object::new();
    Reflect::set(&of_thunks, &"guest".into(), &guest)?;
    Reflect::set(&of_thunks, &"host".into(), &wasm_bindgen::exports())?;
    Reflect::set(&of_thunks, &"js".into(), &js)?;

    let imports = Object::new();
    let modules = bundle.thunks();
    for name in Object::keys(&modules) {
        let thunks: WebAssembly::Module = Reflect::get(&modules, &name)?.unchecked_into();
        let instance = WebAssembly::Instance::new(&thunks, &of_thunks)?;
        Reflect::set(&imports, &name, &instance.exports())?;
    }
    Ok(imports)
}

/// Returns the imports of side modules: functions that wait are those of a program with threads, which let others run.
fn for_side_modules(imports: Object, exports: &Object) -> Result<Object, JsValue> {
    const WASI: &str = "wasi_snapshot_preview1";
    let wasi = Object::new();
    Object::assign(&wasi, &Reflect::get(&imports, &WASI.into())?.into());
    for name in WAITS {
        let function = Reflect::get(exports, &format!("{WAITS_PREFIX}{name}").into())?;
        if !function.is_undefined() {
            Reflect::set(&wasi, &name.into(), &function)?;
        }
    }
    let all = Object::assign(&Object::new(), &imports);
    Reflect::set(&all, &WASI.into(), &wasi)?;
    Ok(all)
}

thread_local! {
    /// The import of thunks that suspends the guest: returns the promise that it waits for.
    static SUSPEND: JsValue = {
        let wait = Closure::<dyn Fn(u32) -> Result<Promise, JsValue>>::new(|number: u32| {
            let promise = GuestNumber(number).guest().waits_for.take();
            promise.ok_or_else(|| JsError::new("the guest does not wait for anything").into())
        });
        WebAssembly::Suspending::new(wait.into_js_value().unchecked_ref()).into()
    };
}

/// Returns the guest's file systems: the bundle's images, `/tmp` in memory, and additional ones.
fn files(
    bundle: &Bundle,
    guest: &Object,
    mounts: Vec<(Vec<u8>, Box<dyn FileSystem>)>,
) -> Result<Vfs, JsValue> {
    // Without an image at `/` the root is empty and cannot be written.
    let mut vfs = Vfs::new(Box::new(MemFs::new(Arc::new(Worker), 0)));
    for (path, module) in bundle.images() {
        let blob = ImageBlob::open(&module, guest)?;
        let image = ImageFs::open(blob).map_err(|error| JsError::new(&error.to_string()))?;
        match path.as_str() {
            // It is the first, if there is one.
            "/" => vfs = Vfs::new(Box::new(image)),
            path => vfs.mount(path.as_bytes(), Box::new(image)),
        }
    }
    // Its files are in this module's memory, which counts against the isolate's.
    let tmp = MemFs::new(Arc::new(Worker), bundle::settings()?.writable);
    vfs.mount(b"/tmp", Box::new(tmp));
    vfs.mount(b"/dev", Box::new(DevFs::new(Arc::new(Worker))));
    for (path, system) in mounts {
        vfs.mount(&path, system);
    }
    Ok(vfs)
}

/// Runs a guest's `main` to its end.
pub(crate) async fn run(guest: &GuestInstance) -> Ended {
    match enter(guest, "_start").await {
        Entered::Returned(_) => Ended::Exit(0),
        Entered::Ended(ended) => ended,
    }
}

/// The result of a call.
pub(crate) enum Entered {
    /// It returned this result, or 0 if it has none.
    Returned(u32),
    /// The guest has ended, and must not be called again.
    Ended(Ended),
}

/// Calls an export of the guest, which may suspend. Only one call runs at a time: a second one would destroy the first on the
/// guest's shadow stack.
pub(crate) async fn enter(guest: &GuestInstance, export: &str) -> Entered {
    let returned = guest.threads.run_main(|| call(guest, export)).await;
    match (guest.exit.get(), returned) {
        (Some(code), _) => Entered::Ended(Ended::Exit(code)),
        (None, Ok(value)) => Entered::Returned(value.as_f64().unwrap_or_default() as u32),
        (None, Err(thrown)) => Entered::Ended(Ended::Failure(RawFailure::thrown(&thrown))),
    }
}

fn call(guest: &GuestInstance, export: &str) -> Result<Promise, JsValue> {
    let function: Function = Reflect::get(&guest.exports, &export.into())?.dyn_into()?;
    WebAssembly::promising(&function)
        .call0(&JsValue::UNDEFINED)?
        .dyn_into()
}
