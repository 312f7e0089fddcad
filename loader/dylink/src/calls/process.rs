//! Where program, engine and files meet.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::act::engine::{Engine, Fault};
use crate::closed_set::{ContentHash, Plan};
use crate::error::ModuleError;
use crate::module::ModuleInfo;
use crate::module::inspect::Inspection;
use crate::program::Program;
use crate::program::ids::FileId;

/// A process: an engine that runs a main module, the linker's state about it, and the files it may load.
///
/// The state is reached only inside [`program`](Self::program), where there is no engine: so no borrow of it can be alive
/// while guest code runs, and a constructor may call `dlopen`.
pub trait Process: Engine {
    /// Visits the linker's state.
    fn program<R>(
        &mut self,
        visit: impl FnOnce(&mut Program<Self::Instance, Self::Extern>) -> R,
    ) -> R;

    /// The main module. Asked for once, by the first call that needs it, so that a program that never calls `dlopen`
    /// does not pay for reading it.
    fn main(&mut self) -> Result<Main<Self::Instance>, Fault>;

    /// Whether [`trace`](Self::trace) is to be called.
    fn traces(&mut self) -> bool {
        false
    }

    /// Told what is done, in lines: what `LD_DEBUG` prints elsewhere.
    fn trace(&mut self, text: &str) {
        let _ = text;
    }

    /// The link plan of the set that main and the files belong to, if one was made. A plan needs [`main_hash`](Self::main_hash)
    /// and [`fetch_hashed`](Self::fetch_hashed), too.
    fn plan(&mut self) -> Option<Arc<Plan>> {
        None
    }

    /// The hash of main's content, to be compared with the plan's.
    fn main_hash(&mut self) -> Option<ContentHash> {
        None
    }

    /// Reads a file that a plan describes: what the engine compiles, and the hash of its content.
    fn fetch_hashed(&mut self, path: &str) -> Result<(Self::Source, ContentHash), FetchError> {
        let reason = alloc::format!("this process cannot tell the hash of `{path}`");
        Err(FetchError::Unreadable { reason })
    }

    /// A closer look at a module that is loaded or being loaded, main by its name. Asked for messages only; `None` if its bytes
    /// cannot be had.
    fn inspect(&mut self, path: &str) -> Option<Inspection> {
        let _ = path;
        None
    }

    /// The names of the files in a directory, in any order; those that are too large to be read for the sake of a message may be
    /// left out. Asked for messages only, when a symbol is missing; a process that lists nothing gives fewer hints.
    fn list(&mut self, directory: &str) -> Vec<String> {
        let _ = directory;
        Vec::new()
    }

    /// Which file `path` leads to, or `None` if it leads to no file.
    fn identify(&mut self, path: &str) -> Option<FileId>;

    /// Reads the file at `path`: what it says of itself, and what the engine compiles.
    fn fetch(&mut self, path: &str) -> Result<Fetched<Self::Source>, FetchError>;
}

/// The running main module.
#[derive(Debug)]
pub struct Main<Instance> {
    /// What to call it in messages: its path or file name.
    pub name: Arc<str>,
    /// What it exports, made by [`ModuleInfo::main_from_bytes`].
    pub info: Arc<ModuleInfo>,
    /// Its instance.
    pub instance: Instance,
}

/// A side module that was read and not yet compiled.
#[derive(Debug)]
pub struct Fetched<Source> {
    /// What it says of itself.
    pub info: Arc<ModuleInfo>,
    /// What [`Engine::compile`] takes.
    pub source: Source,
}

/// Why a file is not a side module that can be loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// It could not be read.
    #[error("cannot read it: {reason}")]
    Unreadable {
        /// The host's sentence.
        reason: String,
    },
    /// It was read and is not a well-formed side module.
    #[error(transparent)]
    Malformed(#[from] ModuleError),
}
