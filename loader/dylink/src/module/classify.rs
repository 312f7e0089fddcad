//! Classifies imports by their names and kinds.

use alloc::sync::Arc;

use super::ModuleError;
use super::{Import, ImportKind, Signature};

/// The type of an import, from WebAssembly or V8's reflection.
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

/// The name of a module that was imported from just before, or a new one: imports come in runs, and most are of `env`.
pub(super) fn module_name(imports: &[Import], module: &str) -> Arc<str> {
    match imports.last() {
        Some(last) if &*last.module == module => Arc::clone(&last.module),
        _ => module.into(),
    }
}

impl Import {
    /// Sorts an import out. `weak` is from `IMPORT_INFO`.
    pub(super) fn new(
        module: Arc<str>,
        name: &str,
        ty: ImportType,
        weak: bool,
    ) -> Result<Self, ModuleError> {
        let is_function = matches!(ty, ImportType::Function(_));
        let kind = ImportKind::classify(&module, name, ty, weak).ok_or_else(|| {
            ModuleError::ImportKind {
                module: (&*module).into(),
                name: name.into(),
            }
        })?;
        Ok(Self {
            module,
            name: name.into(),
            kind,
            is_function,
        })
    }
}

impl ImportKind {
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
