//! What can be wrong, with which module, and what to do about it.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use crate::act::engine::Fault;
use crate::calls::process::FetchError;
use crate::closed_set::PlanError;
use crate::decide::unresolved::{Unresolved, linked_by};

/// Why bytes are not a module that the linker can load.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ModuleError {
    /// The file does not begin as WebAssembly does.
    #[error("it is not WebAssembly: {reason}")]
    NotWasm {
        /// What is there instead.
        reason: String,
    },
    /// A component, not a core module.
    #[error(
        "it is a WebAssembly component, not a core module\n  hint: side modules are core modules, linked with `-shared`"
    )]
    Component,
    /// The file ends in the middle of a section.
    #[error(
        "it is cut short: it ends at byte {length}, in the middle of a section\n  hint: fetch or build it again"
    )]
    Truncated {
        /// How long the file is.
        length: u64,
    },
    /// The file is not well-formed.
    #[error("it is damaged at byte {at}: {reason}")]
    Corrupt {
        /// The byte.
        at: u64,
        /// What is wrong there.
        reason: String,
    },
    /// There is no `dylink.0` section at the front.
    #[error(
        "it is not a side module: it does not begin with a `dylink.0` section\n  hint: link it with `-shared`, as `pymode cc -shared` does"
    )]
    NotSide,
    /// The section of before 2022.
    #[error(
        "it was linked by a toolchain of before 2022: it has a `dylink` section, not `dylink.0`\n  hint: link it again"
    )]
    OldFormat,
    /// An alignment that 32 bits cannot hold.
    #[error("its `dylink.0` section asks for an alignment of 2 to the power {log2}")]
    Alignment {
        /// The logarithm that was found.
        log2: u32,
    },
    /// Two memory descriptions that differ.
    #[error("its `dylink.0` section says twice, and differently, how much memory it needs")]
    ConflictingMemInfo,
    /// A segment is placed at an absolute address.
    #[error(
        "it is not position independent: {what} segment {index} does not begin relative to the module's base\n  hint: compile it with `-fPIC` and link it with `-shared`"
    )]
    NotRelative {
        /// `data` or `element`.
        what: &'static str,
        /// Which one.
        index: u32,
    },
    /// A segment would write outside of what is reserved for the module.
    #[error("{what} segment {index} ends at {end}, but the module asks for only {size}")]
    SegmentOutside {
        /// `data` or `element`.
        what: &'static str,
        /// Which one.
        index: u32,
        /// Where it ends, counted from the module's base.
        end: u64,
        /// How much the module asks for.
        size: u32,
    },
    /// What was found where there was a parser.
    #[error("{reason}")]
    Told {
        /// One of these, as a sentence.
        reason: String,
    },
    /// An import that nothing can be bound to.
    #[error("it imports `{module}.{name}`, which is not a global")]
    ImportKind {
        /// `GOT.mem` or `GOT.func`.
        module: String,
        /// The symbol.
        name: String,
    },
}

#[cfg(feature = "parse")]
impl From<wasmparser::BinaryReaderError> for ModuleError {
    fn from(error: wasmparser::BinaryReaderError) -> Self {
        Self::Corrupt {
            at: error.offset(),
            reason: error.message().to_string(),
        }
    }
}

/// Why `dlopen` failed. [`Display`](core::fmt::Display) is what the guest's `dlerror` says, hints included.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// There is no such library.
    #[error("cannot find `{name}`{}{}", needed(.needed_by), places(.searched))]
    NotFound {
        /// The path or basename that was asked for.
        name: String,
        /// The module that needs it, when it is not the one that was asked for.
        needed_by: Option<Arc<str>>,
        /// Where it was looked for.
        searched: Vec<String>,
    },
    /// `RTLD_NOLOAD`, and it is not loaded.
    #[error("`{path}` is not loaded, and RTLD_NOLOAD says not to load it")]
    NotLoaded {
        /// The path that was asked for.
        path: String,
    },
    /// The file is there, but is not a side module that can be loaded.
    #[error("cannot load `{path}`{}: {reason}", needed(.needed_by))]
    Unusable {
        /// The file.
        path: String,
        /// The module that needs it, when it is not the one that was asked for.
        needed_by: Option<Arc<str>>,
        /// What is wrong with it.
        #[source]
        reason: FetchError,
    },
    /// The file was built for another version of the contract between main and side modules.
    #[error("cannot load `{path}`: {}", contract(.section, *.found, *.wanted))]
    Contract {
        /// The file.
        path: String,
        /// The custom section that holds the version.
        section: String,
        /// Its version, if it has one.
        found: Option<u32>,
        /// The version of the process.
        wanted: u32,
    },
    /// Symbols that nobody defines, or that are not what is needed.
    #[error("cannot load `{path}`: {}", unresolved(.symbols))]
    Unresolved {
        /// The file that was asked for.
        path: String,
        /// All of them, in the order in which their modules import them.
        symbols: Vec<Unresolved>,
    },
    /// The main module cannot carry side modules.
    #[error(
        "`{main}` cannot load side modules: it does not export {}\n  hint: link it with `--export-table --growable-table --export=__stack_pointer --export=malloc --export=free`",
        list(.missing)
    )]
    MainLacks {
        /// The main module.
        main: Arc<str>,
        /// What it does not export.
        missing: Vec<&'static str>,
    },
    /// The main module could not be read.
    #[error("cannot read the main module: {reason}")]
    MainUnreadable {
        /// The engine's sentence.
        reason: Fault,
    },
    /// The module is being linked at this very moment, by a `dlopen` further down the stack.
    #[error(
        "cannot load `{path}`: it is being linked; its start function must not call `dlopen` for it"
    )]
    Busy {
        /// The file.
        path: String,
    },
    /// No memory for the module's data.
    #[error("cannot load `{path}`: no memory for its {size} bytes of data{}", because(.reason))]
    OutOfMemory {
        /// The file.
        path: Arc<str>,
        /// How much it needs.
        size: u32,
        /// The engine's sentence, if main's allocator failed instead of returning null.
        reason: Option<Fault>,
    },
    /// The table could not grow.
    #[error(
        "cannot load `{path}`: no room in the function table for {slots} more\n  hint: link the main module with `--growable-table`\n  growing it failed: {reason}"
    )]
    TableFull {
        /// The file that was asked for.
        path: Arc<str>,
        /// How many slots its load group needs.
        slots: u32,
        /// The engine's sentence.
        reason: Fault,
    },
    /// A tag whose definition does not exist yet when its importer is instantiated: nothing can stand in for a tag.
    #[error(
        "cannot load `{path}`: its tag `{tag}` is defined in `{defined_in}`, {}",
        later(.path, .defined_in, *.in_cycle)
    )]
    LaterTag {
        /// The file that imports it.
        path: Arc<str>,
        /// The tag.
        tag: String,
        /// The file that defines it, and is loaded after.
        defined_in: Arc<str>,
        /// The one that defines it needs the other, by whatever way.
        in_cycle: bool,
    },
    /// A function that has to be forwarded, which cannot be done without its type.
    #[error(
        "cannot load `{path}`: its function `{symbol}` does not exist yet when it is loaded, and cannot be forwarded: its type is not known"
    )]
    UnknownType {
        /// The file that imports it.
        path: Arc<str>,
        /// The function.
        symbol: String,
    },
    /// The link plan cannot be used.
    #[error("cannot load `{path}`: {reason}")]
    Plan {
        /// The file that was asked for.
        path: String,
        /// What is wrong with the plan.
        #[source]
        reason: PlanError,
    },
    /// The engine refused the code, or its imports, or the module's segments or start function trapped.
    #[error("cannot load `{path}`: {step} failed: {reason}")]
    Engine {
        /// The file.
        path: Arc<str>,
        /// What was being done.
        step: &'static str,
        /// The engine's sentence.
        reason: Fault,
    },
    /// Guest code of the module did not return.
    #[error("cannot load `{path}`: its `{function}` failed: {reason}")]
    Guest {
        /// The file.
        path: Arc<str>,
        /// The exported function that was called.
        function: &'static str,
        /// The engine's sentence.
        reason: Fault,
    },
}

/// Why `dlsym` found nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SymError {
    /// The handle is none that `dlopen` gave, or is closed.
    #[error(transparent)]
    Handle(#[from] HandleError),
    /// No module that the handle reaches defines the symbol.
    #[error("undefined symbol `{name}` in {place}")]
    Undefined {
        /// The symbol.
        name: String,
        /// Where it was looked for.
        place: String,
    },
    /// The symbol is there, but has no address.
    #[error("symbol `{name}` in `{path}` is {kind}: it has no address")]
    NoAddress {
        /// The symbol.
        name: String,
        /// The module that defines it.
        path: Arc<str>,
        /// What it is.
        kind: &'static str,
    },
    /// The table could not grow, or the engine could not read a global.
    #[error("no address for symbol `{name}`: {reason}")]
    Engine {
        /// The symbol.
        name: String,
        /// The engine's sentence.
        reason: Fault,
    },
    /// The main module cannot carry side modules, or could not be read.
    #[error("{0}")]
    Main(String),
}

/// The number is no open handle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("0x{handle:x} is not an open handle")]
pub struct HandleError {
    /// The number that the guest gave.
    pub handle: u32,
}

/// An exit handler of a module that was closed did not return.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an exit handler of `{path}` failed: {reason}")]
pub struct CloseError {
    /// The module.
    pub path: Arc<str>,
    /// The engine's sentence.
    pub reason: Fault,
}

/// What `dlerror` says next: one message, which reading takes away.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct LastError {
    message: Option<String>,
}

impl LastError {
    /// Sets the message; an older one that was not read is lost, as POSIX has it.
    pub fn set(&mut self, message: impl Into<String>) {
        self.message = Some(message.into());
    }

    /// The message, which stays.
    #[must_use]
    pub fn peek(&self) -> Option<&str> {
        self.message.as_deref()
    }

    /// The message, which is gone then.
    pub fn take(&mut self) -> Option<String> {
        self.message.take()
    }

    /// Reads into a buffer of `capacity` bytes: the full length of the message, 0 if there is none, and as much of it as
    /// the buffer holds. A message that fits is gone then.
    pub fn read(&mut self, capacity: usize) -> (usize, Vec<u8>) {
        let mut bytes = match &self.message {
            Some(message) if message.len() <= capacity => self.take().unwrap_or_default(),
            Some(message) => message.clone(),
            None => return (0, Vec::new()),
        }
        .into_bytes();
        let length = bytes.len();
        bytes.truncate(capacity);
        (length, bytes)
    }
}

fn needed(by: &Option<Arc<str>>) -> String {
    by.as_ref()
        .map(|by| format!(", needed by `{by}`"))
        .unwrap_or_default()
}

fn later(path: &str, defined_in: &str, in_cycle: bool) -> String {
    match in_cycle {
        true => format!(
            "which needs `{path}` and so exists only after it\n  hint: define the tag in a library that both need, or in the main module"
        ),
        false => format!(
            "which `{path}` does not name in NEEDED and which exists only after it\n  hint: link `{path}` with {}",
            linked_by(defined_in)
        ),
    }
}

fn because(reason: &Option<Fault>) -> String {
    reason
        .as_ref()
        .map(|reason| format!(": {reason}"))
        .unwrap_or_default()
}

fn places(places: &[String]) -> String {
    match places {
        [] => "\n  hint: give a path with a slash, or a library path".into(),
        places => format!("; looked for {}", list(places)),
    }
}

fn list<T: fmt::Display>(items: &[T]) -> String {
    let quoted: Vec<String> = items.iter().map(|item| format!("`{item}`")).collect();
    quoted.join(", ")
}

fn contract(section: &str, found: Option<u32>, wanted: u32) -> String {
    match found {
        Some(found) => format!(
            "it was built for version {found} of `{section}`, this process has version {wanted}\n  hint: build it again with this version's toolchain"
        ),
        None => format!(
            "it does not say which version of `{section}` it was built for; this process has version {wanted}\n  hint: build it with `pymode cc`"
        ),
    }
}

fn unresolved(symbols: &[Unresolved]) -> String {
    let plural = if symbols.len() == 1 { "" } else { "s" };
    let mut text = format!("{} unresolved symbol{plural}", symbols.len());
    for symbol in symbols {
        text.push_str("\n  ");
        text.push_str(&symbol.to_string());
    }
    text
}
