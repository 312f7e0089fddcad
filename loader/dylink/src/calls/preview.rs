//! A `dlopen` up to the point where something would happen: for tools, tests and logs.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt::{self, Write};

use crate::calls::attach::attach;
use crate::calls::open::decide;
use crate::calls::process::Process;
use crate::closed_set::recall::found;
use crate::decide::plan::{Binding, FunctionRef, Got, LinkPlan};
use crate::decide::thunk::BridgeAction;
use crate::error::OpenError;
use crate::find::gather::Found;
use crate::find::group::{Definition, Group, Node};
use crate::module::{Exports, ModuleInfo};
use crate::program::Program;
use crate::program::flags::OpenFlags;
use crate::program::ids::ModuleId;

/// What `dlopen` would do. [`Display`](fmt::Display) prints every reservation, binding and call.
#[derive(Debug)]
#[non_exhaustive]
pub enum Preview {
    /// The file is loaded: one more handle to it.
    Loaded {
        /// Its path.
        path: Arc<str>,
    },
    /// A load group, and how it is bound.
    New {
        /// What is loaded together.
        group: Group,
        /// What is decided about it.
        plan: LinkPlan,
        /// Modules that are loaded and that the plan binds to.
        loaded: Vec<(ModuleId, Arc<str>, Arc<ModuleInfo>)>,
    },
}

/// Finds, reads, checks, resolves and plans, and changes nothing.
pub fn preview<P: Process>(
    process: &mut P,
    path: &str,
    flags: OpenFlags,
) -> Result<Preview, OpenError> {
    attach(process)?;
    let (found, recalled) = found(process, path, flags)?;
    let (group, _) = match found {
        Found::Loaded(id) => {
            let path = process.program(|program| Arc::clone(&program.modules[&id].path));
            return Ok(Preview::Loaded { path });
        }
        Found::New(group, sources) => (group, sources),
    };
    let plan = decide(process, path, &group, recalled)?;
    let loaded = process.program(|program| named(program));
    Ok(Preview::New {
        group,
        plan,
        loaded,
    })
}

/// What a plan says, as text.
pub(crate) fn printed<I, X>(program: &Program<I, X>, group: &Group, plan: &LinkPlan) -> String {
    let loaded = named(program);
    let names = Names {
        group,
        loaded: &loaded,
    };
    Printed { plan, names }.to_string()
}

/// Path and description of every module, in order.
fn named<I, X>(program: &Program<I, X>) -> Vec<(ModuleId, Arc<str>, Arc<ModuleInfo>)> {
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
    names: Names<'a>,
}

impl fmt::Display for Printed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        print(f, self.plan, &self.names)
    }
}

/// Names for what a plan refers to by number.
struct Names<'a> {
    group: &'a Group,
    loaded: &'a [(ModuleId, Arc<str>, Arc<ModuleInfo>)],
}

impl Names<'_> {
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

    fn got(&self, got: Got) -> String {
        match got {
            Got::Null => "null".into(),
            Got::Data(definition) => format!("address of {}", self.definition(definition)),
            Got::Function(function) => self.slot(function),
        }
    }

    fn slot(&self, function: FunctionRef) -> String {
        format!("slot of {}", self.definition(function.definition))
    }
}

impl fmt::Display for Preview {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Loaded { path } => writeln!(f, "{path} is loaded"),
            Self::New {
                group,
                plan,
                loaded,
            } => print(f, plan, &Names { group, loaded }),
        }
    }
}

fn print(f: &mut fmt::Formatter<'_>, plan: &LinkPlan, names: &Names<'_>) -> fmt::Result {
    for function in &plan.fresh {
        writeln!(f, "new {}", names.slot(*function))?;
    }
    let mut forwards = plan.forwards.iter();
    for (at, function) in plan.bridge.functions.iter().enumerate() {
        write!(f, "bridge {at}: {} {} ", function.name, function.signature)?;
        match (function.action, forwards.as_slice().first()) {
            (BridgeAction::Forward, Some(to)) => {
                forwards.next();
                writeln!(f, "through the {}", names.slot(*to))?;
            }
            _ => writeln!(f, "traps: nobody defines it")?,
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
                Binding::Export(definition) => text.push_str(&names.definition(definition)),
                Binding::Bridge(function) => write!(text, "bridge {function}")?,
                Binding::Got(got) => text.push_str(&names.got(got)),
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
