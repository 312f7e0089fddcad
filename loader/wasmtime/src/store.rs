//! The linker's part of a store's data.

use std::sync::Arc;

use pymode_dylink::{Config, ContentHash, Event, FileId, Plan, Program};
use sha2::{Digest, Sha256};
use wasmtime::{Extern, FrameInfo, Instance, Linker, Module};

use crate::cache::CodeCache;
use crate::codes::Codes;

/// The data of a store whose guest may call `dlopen`.
pub trait StoreData: Send + Sized + 'static {
    /// The linker's state.
    fn linkage(&mut self) -> &mut Linkage<Self>;

    /// Returns the id of the file at a path of the guest, or `None` if there is no file. All paths to one file have one id.
    fn identify(&mut self, path: &str) -> Option<FileId>;

    /// Returns the names of the files in a directory of the guest, for messages: see
    /// [`Files::list`](pymode_dylink::Files::list).
    fn list(&mut self, directory: &str) -> Vec<String> {
        let _ = directory;
        Vec::new()
    }

    /// Returns the content of the file at a path of the guest.
    ///
    /// # Errors
    /// If the file cannot be read, with the reason in words.
    fn read(&mut self, path: &str) -> Result<Vec<u8>, String>;

    /// Returns the link plan of the set that main and the guest's files belong to, if there is one.
    fn plan(&mut self) -> Option<Arc<Plan>> {
        None
    }

    /// Returns the hash of a file, by the function that the plan was made with. The default is SHA-256.
    fn hash(&self, content: &[u8]) -> ContentHash {
        ContentHash(Sha256::digest(content).into())
    }

    /// Returns `true` if [`trace`](Self::trace) should be called.
    fn traces(&mut self) -> bool {
        false
    }

    /// Writes an event of the linker: see [`Diagnostics::trace`](pymode_dylink::Diagnostics::trace).
    fn trace(&mut self, event: Event<'_>) {
        let _ = event;
    }

    /// Reports whether an error that a guest call ended with ends the process (`proc_exit`) instead of failing the `dlopen`.
    /// Then it is [`WasmtimeError::Exit`](crate::WasmtimeError::Exit).
    fn is_exit(error: &wasmtime::Error) -> bool {
        let _ = error;
        false
    }
}

/// The linker's state, a part of the store's data.
pub struct Linkage<T: 'static> {
    pub(crate) program: Program<Instance, Extern>,
    pub(crate) codes: Codes,
    pub(crate) main: Option<MainModule<T>>,
    /// Side modules may suspend: guest code is called asynchronously.
    pub(crate) suspends: bool,
    /// Compiled thunk modules, by their wasm: few, which are used many times.
    pub(crate) thunks: Vec<(Vec<u8>, wasmtime::Module)>,
}

/// The instantiated main module.
pub struct MainModule<T: 'static> {
    /// Name in messages.
    pub name: String,
    /// Its instance.
    pub instance: Instance,
    /// Returns its bytes. The first `dlopen` reads its exports from them.
    pub bytes: Box<dyn FnMut() -> std::io::Result<Vec<u8>> + Send>,
    /// Returns its bytes with a name section, for messages. Without this function, `bytes` serves.
    pub names: Option<Box<dyn FnMut() -> Option<Vec<u8>> + Send>>,
    /// The linker that main was instantiated with: side modules get their host functions from it.
    pub imports: Arc<Linker<T>>,
}

impl<T: 'static> MainModule<T> {
    pub(crate) fn named_bytes(&mut self) -> Option<Vec<u8>> {
        let named = self.names.as_mut().and_then(|names| names());
        named.or_else(|| (self.bytes)().ok())
    }
}

impl<T: 'static> Linkage<T> {
    /// A process that has loaded nothing. `cache` keeps compiled side modules.
    #[must_use]
    pub fn new(config: Config, cache: Option<CodeCache>) -> Self {
        Self {
            program: Program::new(config),
            codes: Codes::new(cache),
            main: None,
            suspends: false,
            thunks: Vec::new(),
        }
    }

    /// Sets the main module. Call it after main is instantiated and before the guest runs.
    pub fn set_main(&mut self, main: MainModule<T>) {
        self.main = Some(main);
    }

    /// Sets whether the store needs asynchronous calls, because it has asynchronous host functions. Then await `dlopen` in a
    /// host function that was created with `func_wrap_async`.
    pub fn set_suspends(&mut self, suspends: bool) {
        self.suspends = suspends;
    }

    /// Returns the name of a stack frame, `module!function+offset`, with the path from which a side module was first read.
    #[must_use]
    pub fn frame(&self, frame: &FrameInfo) -> String {
        let module = self.codes.path(frame.module());
        let main = self.main.as_ref().map(|main| main.name.as_str());
        let module = module.or(frame.module().name()).or(main);
        let function = match frame.func_name() {
            Some(name) => name.to_owned(),
            None => format!("function[{}]", frame.func_index()),
        };
        let offset = frame.func_offset().unwrap_or_default();
        format!("{}!{function}+{offset:#x}", module.unwrap_or("?"))
    }

    /// Returns the path from which a side module was first read.
    #[must_use]
    pub fn path_of(&self, module: &Module) -> Option<&str> {
        self.codes.path(module)
    }

    /// Returns the loaded modules and the message for `dlerror`.
    pub fn program(&mut self) -> &mut Program<Instance, Extern> {
        &mut self.program
    }
}

impl<T: 'static> std::fmt::Debug for Linkage<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Linkage")
            .field("program", &self.program)
            .field("suspends", &self.suspends)
            .finish_non_exhaustive()
    }
}

impl<T: 'static> std::fmt::Debug for MainModule<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MainModule")
            .field("name", &self.name)
            .field("instance", &self.instance)
            .finish_non_exhaustive()
    }
}
