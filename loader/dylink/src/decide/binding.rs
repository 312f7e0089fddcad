//! The things that an import can be bound to.

use crate::find::group::{Definition, Node};
use crate::module::ids::ExportId;
use crate::program::ids::ModuleId;

/// The binding of one import. `D` is a definition, and `F` a function to call: `None` is a weak one that no module defines.
/// A plan's is [`Callee`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Binding<D, F = Option<D>> {
    /// Main's memory.
    Memory,
    /// Main's table.
    Table,
    /// Main's stack pointer: there is one stack.
    StackPointer,
    /// The begin of the importer's own data.
    MemoryBase,
    /// The first of the importer's own slots.
    TableBase,
    /// A function, to be called.
    Function(F),
    /// A global that holds the address of a datum.
    DataAddress(D),
    /// A global that holds the slot of a function.
    FunctionAddress(D),
    /// A global that holds 0, for a weak symbol that no module defines.
    NullAddress,
    /// A tag that a module defines.
    Tag(D),
    /// A tag that no module defines: the process's own, by name.
    ProcessTag,
    /// Another global of main.
    MainGlobal(ExportId),
    /// Something of the host.
    Host,
}

/// The function that a plan gives to an import.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Callee {
    /// The raw export of a module that exists by then.
    Export(Definition),
    /// A function of the plan's [thunk module](crate::ThunkModule).
    Thunk(u32),
}

impl<D: Copy, F> Binding<D, F> {
    /// Translates the names of definitions, and functions. Fails with the first error of either.
    pub(crate) fn try_map<D2, F2, E>(
        self,
        definition: impl Fn(D) -> Result<D2, E>,
        function: impl FnOnce(F) -> Result<F2, E>,
    ) -> Result<Binding<D2, F2>, E> {
        Ok(match self {
            Self::Memory => Binding::Memory,
            Self::Table => Binding::Table,
            Self::StackPointer => Binding::StackPointer,
            Self::MemoryBase => Binding::MemoryBase,
            Self::TableBase => Binding::TableBase,
            Self::Function(callee) => Binding::Function(function(callee)?),
            Self::DataAddress(at) => Binding::DataAddress(definition(at)?),
            Self::FunctionAddress(at) => Binding::FunctionAddress(definition(at)?),
            Self::NullAddress => Binding::NullAddress,
            Self::Tag(at) => Binding::Tag(definition(at)?),
            Self::ProcessTag => Binding::ProcessTag,
            Self::MainGlobal(export) => Binding::MainGlobal(export),
            Self::Host => Binding::Host,
        })
    }
}

impl<D: Copy> Binding<D> {
    /// Returns the definition that the import is bound to, if it is bound to one.
    pub(crate) fn definition(&self) -> Option<D> {
        match *self {
            Self::Function(definition) => definition,
            Self::DataAddress(definition)
            | Self::FunctionAddress(definition)
            | Self::Tag(definition) => Some(definition),
            _ => None,
        }
    }
}

impl Binding<Definition> {
    /// Reports whether the definition is the same whatever is loaded: main comes first in every scope.
    pub(crate) fn is_settled(&self) -> bool {
        match self {
            Self::Function(Some(definition))
            | Self::DataAddress(definition)
            | Self::FunctionAddress(definition) => definition.node == Node::Loaded(ModuleId::MAIN),
            Self::Memory
            | Self::Table
            | Self::StackPointer
            | Self::MemoryBase
            | Self::TableBase
            | Self::MainGlobal(_)
            | Self::Host => true,
            Self::Function(None) | Self::NullAddress | Self::Tag(_) | Self::ProcessTag => false,
        }
    }
}
