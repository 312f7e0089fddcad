//! The linker's state of the running process.

pub(crate) mod census;
pub(crate) mod config;
pub(crate) mod diagnostics;
pub(crate) mod flags;
pub(crate) mod global;
pub(crate) mod ids;
pub(crate) mod last_error;
pub(crate) mod main_module;
pub(crate) mod now;
pub(crate) mod order;
pub(crate) mod registry;
pub(crate) mod slots;
pub(crate) mod state;

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use hashbrown::HashMap;

use crate::module::{ContentHash, ExportId, ExportKind, FunctionId, ModuleInfo};
use crate::program::config::Config;
use crate::program::global::GlobalScope;
use crate::program::ids::{Address, FileId, ModuleId, Slot};
use crate::program::last_error::LastError;
use crate::program::slots::FreeSlots;

/// The modules of a process and what is shared between them.
///
/// Generic over the engine's names for instances and for things that can be imported; it never calls the engine.
#[derive(Debug)]
pub struct Program<Instance, Extern> {
    pub(crate) config: Config,
    /// The message for `dlerror`.
    pub error: LastError,
    pub(crate) shared: Option<Shared<Extern>>,
    pub(crate) modules: HashMap<ModuleId, Module<Instance>>,
    /// Which module each file is, as long as that module can be opened.
    pub(crate) files: HashMap<FileId, ModuleId>,
    /// The global scope: main, then what was opened with `RTLD_GLOBAL`, in that order.
    pub(crate) global: GlobalScope,
    pub(crate) slots: FreeSlots,
    /// GOT globals by what they hold: one serves all modules that ask for the same.
    pub(crate) got: HashMap<GotKey, Extern>,
    /// Exports that were bound to, as the engine names them: many modules import the same ones of main.
    /// A place for each export of a module, as far as the last one that was asked for.
    pub(crate) externs: HashMap<ModuleId, Vec<Option<Extern>>>,
    /// Tags that the linker made because no module defines them.
    pub(crate) tags: HashMap<Box<str>, Extern>,
    /// The hash of main's content, if there is a link plan to compare it with.
    pub(crate) main_hash: Option<ContentHash>,
    /// `true` once what main was linked with is loaded, or being loaded.
    pub(crate) is_started: bool,
    /// `true` while unreferenced modules are unloaded, further down the stack.
    pub(crate) is_reclaiming: bool,
    next: u32,
    /// Number of initialised modules.
    initialized: u32,
}

/// Objects of main that every side module uses.
#[derive(Debug, Clone)]
pub(crate) struct Shared<Extern> {
    pub(crate) memory: Extern,
    pub(crate) table: Extern,
    pub(crate) stack_pointer: Extern,
    pub(crate) allocator: Allocator<Extern>,
}

/// Main's allocator.
#[derive(Debug, Clone)]
pub(crate) struct Allocator<Extern> {
    pub(crate) malloc: Extern,
    pub(crate) free: Extern,
    /// C11's, for alignments that `malloc` does not promise.
    pub(crate) aligned_alloc: Option<Extern>,
}

/// One module of the process.
#[derive(Debug)]
pub(crate) struct Module<Instance> {
    pub(crate) path: Arc<str>,
    pub(crate) file: Option<FileId>,
    pub(crate) info: Arc<ModuleInfo>,
    pub(crate) phase: Phase,
    /// Present from its instantiation on.
    pub(crate) instance: Option<Instance>,
    pub(crate) memory_base: Address,
    pub(crate) table_base: Slot,
    /// Address of its data from main's allocator.
    pub(crate) allocation: Option<Address>,
    /// Slots of functions that the module's own element segments do not hold.
    pub(crate) extra_slots: HashMap<FunctionId, Slot>,
    /// Its direct dependencies, in the order of its `needed`.
    pub(crate) needs: Vec<ModuleId>,
    /// Every module that it is bound to or needs: these stay as long as it does.
    pub(crate) uses: Vec<ModuleId>,
    /// The module that was opened when it was loaded: itself, or one that depends on it.
    pub(crate) root: ModuleId,
    /// Number of open handles.
    pub(crate) opens: u32,
    /// In the global scope, as soon as it is ready.
    pub(crate) global: bool,
    /// Stays until the process ends.
    pub(crate) nodelete: bool,
    /// Its place in the plan that it was loaded by.
    pub(crate) planned: Option<u32>,
    /// When it was initialised: a greater number is later.
    pub(crate) initialized: u32,
}

/// The state of a module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Being bound and instantiated.
    Linking,
    /// Its relocations and constructors run.
    Initializing,
    /// Loaded.
    Ready,
    /// Nobody holds it: its exit handlers run.
    Leaving,
    /// A constructor of its load group failed. The guest may hold pointers into it, so it stays where it is, but nothing
    /// finds it any more.
    Failed,
}

/// The content of a GOT global.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum GotKey {
    /// Address 0, for weak symbols without a definition.
    Null,
    /// The address of a datum.
    Data(ModuleId, ExportId),
    /// The slot of a function.
    Function(ModuleId, FunctionId),
}

impl<Instance, Extern> Program<Instance, Extern> {
    /// A process that has loaded nothing yet.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self {
            config,
            error: LastError::default(),
            shared: None,
            modules: HashMap::new(),
            files: HashMap::new(),
            global: GlobalScope::default(),
            slots: FreeSlots::default(),
            got: HashMap::new(),
            externs: HashMap::new(),
            tags: HashMap::new(),
            main_hash: None,
            is_started: false,
            is_reclaiming: false,
            next: ModuleId::MAIN.0,
            initialized: 0,
        }
    }

    /// Returns the path by which a loaded module was opened.
    #[must_use]
    pub fn path(&self, module: ModuleId) -> Option<&str> {
        self.modules.get(&module).map(|module| &*module.path)
    }

    /// Paths of all side modules that are loaded, in the order in which they were.
    #[must_use]
    pub fn loaded(&self) -> Vec<String> {
        let mut ready: Vec<_> = self
            .modules
            .iter()
            .filter(|(id, module)| **id != ModuleId::MAIN && module.phase == Phase::Ready)
            .collect();
        ready.sort_unstable_by_key(|(id, _)| **id);
        ready
            .into_iter()
            .map(|(_, module)| String::from(&*module.path))
            .collect()
    }

    /// The id that the next module to be inserted will have.
    pub(crate) fn next_id(&self) -> ModuleId {
        ModuleId(self.next)
    }

    pub(crate) fn insert(&mut self, module: Module<Instance>) -> ModuleId {
        let id = ModuleId(self.next);
        self.next += 1;
        if let Some(file) = module.file {
            self.files.insert(file, id);
        }
        self.modules.insert(id, module);
        id
    }

    /// The time of one more initialisation.
    pub(crate) fn now(&mut self) -> u32 {
        self.initialized += 1;
        self.initialized
    }

    /// Takes a module out as if it had never been there.
    pub(crate) fn remove(&mut self, id: ModuleId) {
        self.take(id);
    }

    /// Leaves a module where it is, but unreachable: the next `dlopen` of its file starts afresh.
    pub(crate) fn abandon(&mut self, id: ModuleId) {
        if let Some(module) = self.modules.get_mut(&id) {
            module.phase = Phase::Failed;
            module.opens = 0;
            module.global = false;
            let file = module.file;
            self.forget_file(file, id);
            self.externs.remove(&id);
        }
    }

    /// Takes a module out, with what it had.
    pub(crate) fn take(&mut self, id: ModuleId) -> Option<Module<Instance>> {
        let module = self.modules.remove(&id)?;
        self.forget_file(module.file, id);
        self.externs.remove(&id);
        // By what it exports, and not by what there is: that grows with every module.
        for (at, export) in (0..).zip(module.info.exports.iter()) {
            self.got.remove(&GotKey::Data(id, ExportId(at)));
            if let ExportKind::Function(function) = export.kind {
                self.got.remove(&GotKey::Function(id, function));
            }
        }
        Some(module)
    }

    pub(crate) fn forget_file(&mut self, file: Option<FileId>, id: ModuleId) {
        if let Some(file) = file
            && self.files.get(&file) == Some(&id)
        {
            self.files.remove(&file);
        }
    }

    /// Keeps an export as the engine names it.
    pub(crate) fn keep(&mut self, id: ModuleId, export: ExportId, found: Extern) {
        let known = self.externs.entry(id).or_default();
        let at = export.0 as usize;
        if known.len() <= at {
            known.resize_with(at + 1, || None);
        }
        known[at] = Some(found);
    }

    /// The slot of a function, if it has one.
    pub(crate) fn slot(&self, id: ModuleId, function: FunctionId) -> Option<Slot> {
        let module = self.modules.get(&id)?;
        // One that main has for a function comes before the module's own.
        if let Some(slot) = module.extra_slots.get(&function) {
            return Some(*slot);
        }
        let at = module.info.slot(function)?;
        Some(Slot(module.table_base.0.wrapping_add(at)))
    }
}
