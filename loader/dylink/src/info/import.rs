//! What a module imports, sorted out once.

use alloc::boxed::Box;
use alloc::sync::Arc;

use super::Signature;
use crate::error::ModuleError;

/// One import.
#[derive(Debug, Clone)]
pub struct Import {
    /// The module name that it gives: `env`, `GOT.mem`, `wasi_snapshot_preview1`, …
    pub module: Arc<str>,
    /// The field name: for most imports the name of the symbol.
    pub name: Box<str>,
    /// What is to be bound to it.
    pub wants: Wants,
    /// It is in the function index space: a function of another module or of the host.
    pub(crate) is_function: bool,
}

/// The name of a module that was imported from just before, or a new one: imports come in runs, and most are of `env`.
pub(super) fn module_name(imports: &[Import], module: &str) -> Arc<str> {
    match imports.last() {
        Some(last) if &*last.module == module => Arc::clone(&last.module),
        _ => module.into(),
    }
}

impl Import {
    /// Sorts an import out. `weak` is what `IMPORT_INFO` says of the name.
    pub(super) fn new(
        module: Arc<str>,
        name: &str,
        ty: ImportType,
        weak: bool,
    ) -> Result<Self, ModuleError> {
        let is_function = matches!(ty, ImportType::Function(_));
        let wants =
            Wants::classify(&module, name, ty, weak).ok_or_else(|| ModuleError::ImportKind {
                module: (&*module).into(),
                name: name.into(),
            })?;
        Ok(Self {
            module,
            name: name.into(),
            wants,
            is_function,
        })
    }
}

/// What an import of a side module asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wants {
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

/// What kind of thing an import is, as WebAssembly (and V8's reflection) tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImportType {
    /// A function, with its type if it is known.
    Function(Option<Arc<Signature>>),
    /// A table.
    Table,
    /// A memory.
    Memory,
    /// A global.
    Global,
    /// A tag, with its type if it is known.
    Tag(Option<Arc<Signature>>),
}

impl Wants {
    /// `None` if no linker could know what to bind to it.
    fn classify(module: &str, name: &str, ty: ImportType, weak: bool) -> Option<Self> {
        Some(match (module, name, ty) {
            ("GOT.mem", _, ImportType::Global) => Self::DataAddress { weak },
            ("GOT.func", _, ImportType::Global) => Self::FunctionAddress { weak },
            ("GOT.mem" | "GOT.func", _, _) => return None,
            ("env", _, ImportType::Memory) => Self::Memory,
            ("env", _, ImportType::Table) => Self::Table,
            ("env", "__stack_pointer", ImportType::Global) => Self::StackPointer,
            ("env", "__memory_base", ImportType::Global) => Self::MemoryBase,
            ("env", "__table_base", ImportType::Global) => Self::TableBase,
            ("env", _, ImportType::Global) => Self::Global,
            ("env", _, ImportType::Function(signature)) => Self::Function { signature, weak },
            ("env", _, ImportType::Tag(signature)) => Self::Tag { signature },
            _ => Self::Host,
        })
    }
}
