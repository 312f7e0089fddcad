//! Imports of a module, classified once.

use alloc::boxed::Box;
use alloc::sync::Arc;

use super::Signature;

/// One import.
#[derive(Debug, Clone)]
pub struct Import {
    /// The module name that it gives: `env`, `GOT.mem`, `wasi_snapshot_preview1`, …
    pub module: Arc<str>,
    /// The field name: for most imports the name of the symbol.
    pub name: Box<str>,
    /// The kind of thing that is bound to it.
    pub kind: ImportKind,
    /// It is in the function index space: a function of another module or of the host.
    pub(crate) is_function: bool,
}

/// The kind of thing that an import of a side module asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImportKind {
    /// `env.memory`
    Memory,
    /// `env.__indirect_function_table`
    Table,
    /// `env.__stack_pointer`
    StackPointer,
    /// `env.__memory_base`: where the module's own data lies.
    MemoryBase,
    /// `env.__table_base`: where the module's own slots lie.
    TableBase,
    /// A function of another module, called directly.
    Function {
        /// Its type; `None` when it is not known, or names types of the module.
        signature: Option<Arc<Signature>>,
        /// May be missing: then a call of it traps.
        weak: bool,
    },
    /// An exception tag, one for each name in the whole process.
    Tag {
        /// Its type; `None` when it is not known.
        signature: Option<Arc<Signature>>,
    },
    /// `GOT.mem`: a global that holds the address of a datum.
    DataAddress {
        /// May be missing: then the address is 0.
        weak: bool,
    },
    /// `GOT.func`: a global that holds the slot of a function.
    FunctionAddress {
        /// May be missing: then the address is 0.
        weak: bool,
    },
    /// A global of main that is none of the above.
    Global,
    /// Something of the host: any module name but `env`, `GOT.mem` and `GOT.func`.
    Host,
}
