//! Plans as text: for tools, tests and logs.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt::{self, Write};

use crate::decide::binding::{Binding, Callee};
use crate::decide::plan::LinkPlan;
use crate::decide::thunk::ThunkAction;
use crate::find::group::{Definition, Group, Node};
use crate::module::{Exports, ModuleInfo};
use crate::program::Program;
use crate::program::ids::ModuleId;

/// Returns the decisions of a plan as text.
pub(crate) fn printed<I, X>(program: &Program<I, X>, group: &Group, plan: &LinkPlan) -> String {
    let loaded = named(program);
    let names = PlanNames {
        group,
        loaded: &loaded,
    };
    Printed { plan, names }.to_string()
}

/// Returns path and description of every module, in order.
pub(crate) fn named<I, X>(program: &Program<I, X>) -> Vec<(ModuleId, Arc<str>, Arc<ModuleInfo>)> {
    let mut loaded: Vec<_> = program
        .modules
        .iter()
        .map(|(id, module)| (*id, Arc::clone(&module.path), Arc::clone(&module.info)))
        .collect();
    loaded.sort_by_key(|(id, _, _)| *id);
    loaded
}

struct Printed<'a> {
    plan: &'a LinkPlan,
    names: PlanNames<'a>,
}

impl fmt::Display for Printed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        print(f, self.plan, &self.names)
    }
}

/// PlanNames for what a plan refers to by number.
pub(crate) struct PlanNames<'a> {
    pub(crate) group: &'a Group,
    pub(crate) loaded: &'a [(ModuleId, Arc<str>, Arc<ModuleInfo>)],
}

impl PlanNames<'_> {
    fn module(&self, node: Node) -> (&str, Option<&Exports>) {
        match node {
            Node::New(member) => {
                let member = &self.group.members[member];
                (&member.path, Some(&member.info.exports))
            }
            Node::Loaded(id) => {
                let found = self.loaded.iter().find(|(loaded, _, _)| *loaded == id);
                match found {
                    Some((_, path, info)) => (path, Some(&info.exports)),
                    None => ("?", None),
                }
            }
        }
    }

    fn definition(&self, definition: Definition) -> String {
        let (path, exports) = self.module(definition.node);
        let name = exports.map_or("?", |exports| &exports.get(definition.export).name);
        format!("{path}!{name}")
    }

    fn slot(&self, definition: Definition) -> String {
        format!("slot of {}", self.definition(definition))
    }
}

/// Writes the decisions of a plan, a line each.
pub(crate) fn print(
    f: &mut fmt::Formatter<'_>,
    plan: &LinkPlan,
    names: &PlanNames<'_>,
) -> fmt::Result {
    for function in &plan.fresh {
        writeln!(f, "new {}", names.slot(function.definition))?;
    }
    let mut forwards = plan.forwards.iter();
    for (at, function) in plan.thunks.functions.iter().enumerate() {
        write!(f, "thunk {at}: {} {} ", function.name, function.signature)?;
        match (function.action, forwards.as_slice().first()) {
            (ThunkAction::Forward, Some(to)) => {
                forwards.next();
                writeln!(f, "through the {}", names.slot(to.definition))?;
            }
            _ => writeln!(f, "traps: no module defines it")?,
        }
    }
    for at in &plan.order {
        let module = &plan.modules[*at];
        writeln!(
            f,
            "{}: {} bytes align {}, {} slots align {}",
            module.path,
            module.memory.size,
            module.memory.align.get(),
            module.table.size,
            module.table.align.get(),
        )?;
        let imports = &names.group.members[*at].info.imports;
        for (import, binding) in imports.iter().zip(&module.bindings) {
            let mut text = String::new();
            match *binding {
                Binding::Memory => text.push_str("main's memory"),
                Binding::Table => text.push_str("main's table"),
                Binding::StackPointer => text.push_str("main's stack pointer"),
                Binding::MemoryBase => text.push_str("its memory base"),
                Binding::TableBase => text.push_str("its table base"),
                Binding::Function(Callee::Export(definition)) | Binding::Tag(definition) => {
                    text.push_str(&names.definition(definition));
                }
                Binding::Function(Callee::Thunk(number)) => write!(text, "thunk {number}")?,
                Binding::MainGlobal(export) => {
                    let node = Node::Loaded(ModuleId::MAIN);
                    text.push_str(&names.definition(Definition { node, export }));
                }
                Binding::DataAddress(definition) => {
                    write!(text, "address of {}", names.definition(definition))?;
                }
                Binding::FunctionAddress(definition) => text.push_str(&names.slot(definition)),
                Binding::NullAddress => text.push_str("null"),
                Binding::ProcessTag => text.push_str("the process's tag"),
                Binding::Host => text.push_str("the host"),
            }
            writeln!(f, "  {}.{} = {text}", import.module, import.name)?;
        }
    }
    for at in &plan.order {
        let module = &plan.modules[*at];
        if module.relocates {
            writeln!(f, "relocate {}", module.path)?;
        }
    }
    for at in &plan.order {
        let module = &plan.modules[*at];
        if let Some(constructor) = module.constructor {
            writeln!(f, "call {}!{constructor}", module.path)?;
        }
    }
    Ok(())
}
