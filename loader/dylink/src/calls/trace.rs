//! What `LD_DEBUG=all` would print: each function makes lines of what was decided or done, when the process wants them.

use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt::{Display, Write};

use crate::act::apply::Linked;
use crate::calls::preview::printed;
use crate::calls::process::Process;
use crate::decide::plan::LinkPlan;
use crate::find::group::{Group, Scope, defines, find};
use crate::module::ExportKind;
use crate::program::ids::ModuleId;

/// How a load group is to be bound, and which definitions stand behind others.
pub(crate) fn plan<P: Process>(process: &mut P, path: &str, group: &Group, plan: &LinkPlan) {
    if !process.traces() {
        return;
    }
    let text = process.program(|program| {
        let duplicates = duplicates(&program.scope(group));
        printed(program, group, plan) + &duplicates
    });
    process.trace(&format!("dlopen {path}\n{}", text.trim_end()));
}

/// Symbols of the scope that more than one module defines, each with all of them: the first is the one that is bound to.
fn duplicates(scope: &Scope<'_>) -> String {
    let mut text = String::new();
    for (at, visible) in scope.local.iter().enumerate() {
        let crate::find::group::Node::New(_) = visible.node else {
            continue;
        };
        for export in visible.info.exports.iter() {
            let symbol = matches!(export.kind, ExportKind::Function(_) | ExportKind::Data(_));
            if !symbol || is_of_every_module(&export.name) || !defines(visible.info, export) {
                continue;
            }
            let global = scope.global.find(&export.name);
            let before = global.or_else(|| find(&scope.local[..at], &export.name));
            if let Some((first, _, _)) = before {
                let _ = writeln!(
                    text,
                    "duplicate {}: {} stands before {}",
                    export.name, first.path, visible.path
                );
            }
        }
    }
    text
}

/// What the linker exports from each module, for the loader.
fn is_of_every_module(name: &str) -> bool {
    name.starts_with("__wasm_") || matches!(name, "_initialize" | "_start")
}

/// Where each module of the group lies.
pub(crate) fn places<P: Process>(process: &mut P, linked: &Linked) {
    if !process.traces() {
        return;
    }
    let lines: Vec<String> = process.program(|program| {
        let modules = linked.ids.iter().filter_map(|id| program.modules.get(id));
        modules
            .map(|module| {
                format!(
                    "place {}: data at {}, slots from {}",
                    module.path, module.memory_base, module.table_base.0
                )
            })
            .collect()
    });
    for line in lines {
        process.trace(&line);
    }
}

/// A call into a module.
pub(crate) fn call<P: Process>(process: &mut P, path: &str, function: &str) {
    if process.traces() {
        process.trace(&format!("call {path}!{function}"));
    }
}

/// A symbol that was asked for.
pub(crate) fn symbol<P: Process>(process: &mut P, name: &str, outcome: &dyn Display) {
    if process.traces() {
        process.trace(&format!("dlsym {name} = {outcome}"));
    }
}

/// A handle that was given back, and how many there are still.
pub(crate) fn closed<P: Process>(process: &mut P, id: ModuleId) {
    if !process.traces() {
        return;
    }
    let text = process.program(|program| {
        let module = program.modules.get(&id)?;
        Some(format!(
            "dlclose {}: open {} times",
            module.path, module.opens
        ))
    });
    process.trace(&text.unwrap_or_default());
}

/// Modules that nobody holds.
pub(crate) fn leaving<P: Process>(process: &mut P, ids: &[ModuleId]) {
    if !process.traces() {
        return;
    }
    for id in ids {
        let path: Option<Arc<str>> =
            process.program(|program| Some(Arc::clone(&program.modules.get(id)?.path)));
        process.trace(&format!("unload {}", path.unwrap_or_default()));
    }
}

/// Something that failed, in the guest's words.
pub(crate) fn failed<P: Process>(process: &mut P, what: &str, error: &dyn Display) {
    if process.traces() {
        process.trace(&format!("{what} failed: {error}"));
    }
}
