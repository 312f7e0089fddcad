//! Trace events of a `dlopen`, for a process that wants them.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt::Write;

use crate::act::apply::LinkedGroup;
use crate::decide::plan::LinkPlan;
use crate::decide::print::printed;
use crate::decide::scope::{Scope, find};
use crate::find::group::{Group, Node};
use crate::module::ExportKind;
use crate::program::diagnostics::{Diagnostics, Event};
use crate::program::state::State;

/// Reports how a load group is bound, and which definitions others hide.
pub(crate) fn plan<P: Diagnostics + State>(
    process: &mut P,
    path: &str,
    group: &Group,
    plan: &LinkPlan,
) {
    if !process.traces() {
        return;
    }
    let text = process.program(|program| {
        let duplicates = duplicates(&program.scope(group));
        printed(program, group, plan) + &duplicates
    });
    process.trace(Event::Open { path, plan: &text });
}

/// Returns the symbols of the scope that more than one module defines, each with all of them: the first is bound to.
fn duplicates(scope: &Scope<'_>) -> String {
    let mut text = String::new();
    for (at, visible) in scope.local.iter().enumerate() {
        let Node::New(_) = visible.node else {
            continue;
        };
        for export in visible.info.exports.iter() {
            let symbol = matches!(export.kind, ExportKind::Function(_) | ExportKind::Data(_));
            if !symbol || is_of_every_module(&export.name) || !visible.info.defines_export(export) {
                continue;
            }
            let global = scope.global.find(&export.name);
            let before = global.map(|first| first.path).or_else(|| {
                let (first, ..) = find(&scope.local[..at], &export.name)?;
                Some(first.path)
            });
            if let Some(first) = before {
                let _ = writeln!(
                    text,
                    "duplicate {}: {} stands before {}",
                    export.name, first, visible.path
                );
            }
        }
    }
    text
}

/// Reports whether the linker exports it from each module, for the loader.
fn is_of_every_module(name: &str) -> bool {
    name.starts_with("__wasm_") || matches!(name, "_initialize" | "_start")
}

/// Reports the place of each module of the group.
pub(crate) fn places<P: Diagnostics + State>(process: &mut P, linked: &LinkedGroup) {
    if !process.traces() {
        return;
    }
    let places: Vec<_> = process.program(|program| {
        let modules = linked.ids.iter().filter_map(|id| program.modules.get(id));
        let places = modules.map(|module| {
            let path = Arc::clone(&module.path);
            (path, module.memory_base, module.table_base)
        });
        places.collect()
    });
    for (path, data, slots) in places {
        process.trace(Event::Place {
            path: &path,
            data,
            slots,
        });
    }
}
