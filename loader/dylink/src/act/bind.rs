//! What is given to an import: main's own, an export, a function of the bridge, or a global that holds an address.

use alloc::vec::Vec;

use crate::act::apply::{Linker, id_of};
use crate::act::engine::{Fault, Mutability};
use crate::act::memory;
use crate::calls::process::Process;
use crate::decide::plan::{Binding, FunctionRef, Got, PlannedModule};
use crate::decide::thunk as bridge;
use crate::find::group::Definition;
use crate::module::{ExportKind, Wants};
use crate::program::GotKey;
use crate::program::ids::{ModuleId, Slot};

impl<P: Process> Linker<'_, P> {
    pub(crate) fn bind(
        &mut self,
        importer: ModuleId,
        import: &crate::module::Import,
        binding: Binding,
    ) -> Result<P::Extern, Fault> {
        match binding {
            Binding::Memory => Ok(self.shared.memory.clone()),
            Binding::Table => Ok(self.shared.table.clone()),
            Binding::StackPointer => Ok(self.shared.stack_pointer.clone()),
            Binding::MemoryBase => {
                let base = self.base(importer, |module| module.memory_base.0);
                self.process.global(Mutability::Const, base)
            }
            Binding::TableBase => {
                let base = self.base(importer, |module| module.table_base.0);
                self.process.global(Mutability::Const, base)
            }
            Binding::Export(definition) => self.export(definition),
            Binding::Bridge(function) => {
                let name = bridge::export_name(function);
                let instance = self.bridge.as_ref();
                instance
                    .and_then(|instance| self.process.export(instance, &name))
                    .ok_or_else(|| Fault::new("the bridge lacks a function"))
            }
            Binding::Got(got) => self.got(got),
            Binding::ProcessTag => self.tag(import),
            Binding::Host => self
                .process
                .host(&import.module, &import.name)
                .ok_or_else(|| Fault(alloc::format!("the host has no `{}`", import.name))),
        }
    }

    /// What was bound to before, for each binding: most are exports of main that others import, too.
    pub(crate) fn known(&mut self, planned: &PlannedModule) -> Vec<Option<P::Extern>> {
        let ids = &self.linked.ids;
        self.process.program(|program| {
            // Imports come in runs that lead to one module.
            let mut last = (ModuleId::MAIN, program.externs.get(&ModuleId::MAIN));
            let bindings = planned.bindings.iter().map(|binding| {
                let Binding::Export(definition) = binding else {
                    return None;
                };
                let id = id_of(ids, definition.node);
                if last.0 != id {
                    last = (id, program.externs.get(&id));
                }
                let (_, known) = last;
                known?.get(definition.export.0 as usize)?.clone()
            });
            bindings.collect()
        })
    }

    /// The raw export that a definition is, asked for once in the life of the process.
    fn export(&mut self, definition: Definition) -> Result<P::Extern, Fault> {
        let id = id_of(&self.linked.ids, definition.node);
        let (path, name, instance) = self.named(id, definition);
        let found = instance
            .and_then(|instance| self.process.export(&instance, &name))
            .ok_or_else(|| Fault(alloc::format!("`{path}` does not export `{name}`")))?;
        self.process
            .program(|program| program.keep(id, definition.export, found.clone()));
        Ok(found)
    }

    /// The process's own tag of the import's name.
    fn tag(&mut self, import: &crate::module::Import) -> Result<P::Extern, Fault> {
        let name = &import.name;
        if let Some(tag) = self
            .process
            .program(|program| program.tags.get(name).cloned())
        {
            return Ok(tag);
        }
        let Wants::Tag {
            signature: Some(signature),
        } = &import.wants
        else {
            return Err(Fault(alloc::format!(
                "no module defines the tag `{name}`, and its type is not known"
            )));
        };
        let tag = self.process.tag(&signature.params)?;
        self.process
            .program(|program| program.tags.insert(name.clone(), tag.clone()));
        self.linked.undo.tags.push(name.clone());
        Ok(tag)
    }

    /// A global that holds an address: one that is there, or a new one.
    pub(crate) fn got(&mut self, got: Got) -> Result<P::Extern, Fault> {
        let key = self.key(got);
        if let Some(global) = self.got.get(&key) {
            return Ok(global.clone());
        }
        if let Some(global) = self
            .process
            .program(|program| program.got.get(&key).cloned())
        {
            return Ok(global);
        }
        let value = match got {
            Got::Null => Some(0),
            Got::Function(function) => Some(self.slot(function)?.0),
            Got::Data(definition) => self.address(definition)?,
        };
        let global = self
            .process
            .global(Mutability::Var, value.unwrap_or_default())?;
        if let (None, Got::Data(definition)) = (value, got) {
            self.late.push((global.clone(), definition));
        }
        self.got.insert(key, global.clone());
        Ok(global)
    }

    fn key(&self, got: Got) -> GotKey {
        let id = |node| id_of(&self.linked.ids, node);
        match got {
            Got::Null => GotKey::Null,
            Got::Data(definition) => GotKey::Data(id(definition.node), definition.export),
            Got::Function(function) => {
                GotKey::Function(id(function.definition.node), function.function)
            }
        }
    }

    fn slot(&mut self, function: FunctionRef) -> Result<Slot, Fault> {
        let key = (function.definition.node, function.function);
        if let Some(slot) = self.fresh.get(&key) {
            return Ok(*slot);
        }
        let id = id_of(&self.linked.ids, function.definition.node);
        self.process
            .program(|program| program.slot(id, function.function))
            .ok_or_else(|| Fault::new("a function has no slot"))
    }

    /// The address of a datum; `None` if only its instance can tell, and is not there yet.
    pub(crate) fn address(&mut self, definition: Definition) -> Result<Option<u32>, Fault> {
        let id = id_of(&self.linked.ids, definition.node);
        let info = self.info(id);
        let export = info.exports.get(definition.export);
        let ExportKind::Data(datum) = export.kind else {
            return Err(Fault(alloc::format!("`{}` is not data", export.name)));
        };
        memory::address(self.process, id, &export.name, datum)
    }
}
