//! The extern that an import gets: main's own, an export, a thunk, or a global that holds an address.

use alloc::vec::Vec;

use crate::act::apply::{Linker, id_of};
use crate::act::engine::{Engine, Mutability};
use crate::act::error::Cause;
use crate::act::memory;
use crate::decide::binding::{Binding, Callee};
use crate::decide::plan::{FunctionRef, PlannedModule};
use crate::decide::thunk;
use crate::find::group::{Definition, Node};
use crate::module::{ExportKind, Import, ImportKind};
use crate::program::GotKey;
use crate::program::ids::{ModuleId, Slot};
use crate::program::state::State;

/// The content of a GOT global.
#[derive(Clone, Copy)]
pub(crate) enum Pointer {
    /// 0.
    Null,
    /// The address of a datum.
    Data(Definition),
    /// The slot of a function.
    Function(FunctionRef),
}

impl<P: Engine + State> Linker<'_, P> {
    pub(crate) fn bind(
        &mut self,
        importer: ModuleId,
        import: &Import,
        binding: Binding<Definition, Callee>,
    ) -> Result<P::Extern, Cause<P::Error>> {
        match binding {
            Binding::Memory => Ok(self.shared.memory.clone()),
            Binding::Table => Ok(self.shared.table.clone()),
            Binding::StackPointer => Ok(self.shared.stack_pointer.clone()),
            Binding::MemoryBase => {
                let base = self.base(importer, |module| module.memory_base.0);
                Ok(self.process.global(Mutability::Const, base)?)
            }
            Binding::TableBase => {
                let base = self.base(importer, |module| module.table_base.0);
                Ok(self.process.global(Mutability::Const, base)?)
            }
            Binding::Function(Callee::Export(definition)) | Binding::Tag(definition) => {
                self.export(definition)
            }
            Binding::Function(Callee::Thunk(number)) => {
                let name = thunk::export_name(number);
                let instance = self.thunks.as_ref();
                instance
                    .and_then(|instance| self.process.export(instance, &name))
                    .ok_or(Cause::NotExported { name: name.into() })
            }
            Binding::MainGlobal(export) => self.export(Definition {
                node: Node::Loaded(ModuleId::MAIN),
                export,
            }),
            Binding::DataAddress(definition) => self.got(Pointer::Data(definition)),
            Binding::FunctionAddress(definition) => {
                let function = self.function(definition)?;
                self.got(Pointer::Function(function))
            }
            Binding::NullAddress => self.got(Pointer::Null),
            Binding::ProcessTag => self.tag(import),
            Binding::Host => self
                .process
                .host(&import.module, &import.name)
                .ok_or_else(|| Cause::NoHostFunction {
                    name: import.name.clone(),
                }),
        }
    }

    /// Returns what was bound to before, for each binding: most are exports of main that others import, too.
    pub(crate) fn known(&mut self, planned: &PlannedModule) -> Vec<Option<P::Extern>> {
        let ids = &self.linked.ids;
        self.process.program(|program| {
            // Imports come in runs that lead to one module.
            let mut last = (ModuleId::MAIN, program.externs.get(&ModuleId::MAIN));
            let bindings = planned.bindings.iter().map(|binding| {
                let (id, export) = match *binding {
                    Binding::Function(Callee::Export(definition)) | Binding::Tag(definition) => {
                        (id_of(ids, definition.node), definition.export)
                    }
                    Binding::MainGlobal(export) => (ModuleId::MAIN, export),
                    _ => return None,
                };
                if last.0 != id {
                    last = (id, program.externs.get(&id));
                }
                let (_, known) = last;
                known?.get(export.0 as usize)?.clone()
            });
            bindings.collect()
        })
    }

    /// Returns the raw export that a definition is, asked for once in the life of the process.
    fn export(&mut self, definition: Definition) -> Result<P::Extern, Cause<P::Error>> {
        let id = id_of(&self.linked.ids, definition.node);
        let (_, name, instance) = self.named(id, definition);
        let instance = instance.ok_or(Cause::NotInstantiated)?;
        let found = self.process.export(&instance, &name);
        let found = found.ok_or(Cause::NotExported { name })?;
        self.process
            .program(|program| program.keep(id, definition.export, found.clone()));
        Ok(found)
    }

    /// Returns the process's own tag of the import's name.
    fn tag(&mut self, import: &Import) -> Result<P::Extern, Cause<P::Error>> {
        let name = &import.name;
        if let Some(tag) = self
            .process
            .program(|program| program.tags.get(name).cloned())
        {
            return Ok(tag);
        }
        let ImportKind::Tag {
            signature: Some(signature),
        } = &import.kind
        else {
            return Err(Cause::UnknownTag { name: name.clone() });
        };
        let tag = self.process.tag(&signature.params)?;
        self.process
            .program(|program| program.tags.insert(name.clone(), tag.clone()));
        self.linked.undo.tags.push(name.clone());
        Ok(tag)
    }

    /// Returns a global that holds an address: one that is there, or a new one.
    pub(crate) fn got(&mut self, pointer: Pointer) -> Result<P::Extern, Cause<P::Error>> {
        let key = self.key(pointer);
        if let Some(global) = self.got.get(&key) {
            return Ok(global.clone());
        }
        if let Some(global) = self
            .process
            .program(|program| program.got.get(&key).cloned())
        {
            return Ok(global);
        }
        let value = match pointer {
            Pointer::Null => Some(0),
            Pointer::Function(function) => Some(self.slot(function)?.0),
            Pointer::Data(definition) => self.address(definition)?,
        };
        let global = self
            .process
            .global(Mutability::Var, value.unwrap_or_default())?;
        if let (None, Pointer::Data(definition)) = (value, pointer) {
            self.late.push((global.clone(), definition));
        }
        self.got.insert(key, global.clone());
        Ok(global)
    }

    fn key(&self, pointer: Pointer) -> GotKey {
        let id = |node| id_of(&self.linked.ids, node);
        match pointer {
            Pointer::Null => GotKey::Null,
            Pointer::Data(definition) => GotKey::Data(id(definition.node), definition.export),
            Pointer::Function(function) => {
                GotKey::Function(id(function.definition.node), function.function)
            }
        }
    }

    /// Returns the function that a definition is.
    fn function(&mut self, definition: Definition) -> Result<FunctionRef, Cause<P::Error>> {
        let id = id_of(&self.linked.ids, definition.node);
        let info = self.info(id);
        match info.exports.get(definition.export).kind {
            ExportKind::Function(function) => Ok(FunctionRef {
                definition,
                function,
            }),
            _ => Err(Cause::NoSlot),
        }
    }

    fn slot(&mut self, function: FunctionRef) -> Result<Slot, Cause<P::Error>> {
        let key = (function.definition.node, function.function);
        if let Some(slot) = self.fresh.get(&key) {
            return Ok(*slot);
        }
        let id = id_of(&self.linked.ids, function.definition.node);
        self.process
            .program(|program| program.slot(id, function.function))
            .ok_or(Cause::NoSlot)
    }

    /// Returns the address of a datum; `None` if only its instance can tell, and does not exist yet.
    pub(crate) fn address(
        &mut self,
        definition: Definition,
    ) -> Result<Option<u32>, Cause<P::Error>> {
        let id = id_of(&self.linked.ids, definition.node);
        let info = self.info(id);
        let export = info.exports.get(definition.export);
        let ExportKind::Data(datum) = export.kind else {
            return Err(Cause::NotData {
                name: export.name.clone(),
            });
        };
        memory::address(self.process, id, &export.name, datum)
    }
}
