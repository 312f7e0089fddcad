//! What can be said of symbols that are missing, beyond that they are.

pub(crate) mod nearby;
#[cfg(feature = "parse")]
pub(crate) mod notes;

use alloc::sync::Arc;
use alloc::vec::Vec;

use hashbrown::HashMap;

use crate::calls::process::Process;
use crate::decide::unresolved::{Needed, Problem, Unresolved};
use crate::explain::nearby::nearby;
use crate::find::group::Group;
use crate::module::inspect::Inspection;
use crate::program::State;

/// How many modules are looked into for one message: each is read once more.
const LOOKED_INTO: usize = 64;

/// Tells how each symbol is reached, and which library has a missing one: one that is not loaded, or one that does not export it.
pub(crate) fn explain<P: Process>(process: &mut P, group: &Group, symbols: &mut [Unresolved]) {
    nearby(process, group, symbols);
    let members = group.members.iter().map(|member| Arc::clone(&member.path));
    let mut paths: Vec<Arc<str>> = members.collect();
    process.program(|program| {
        let mut loaded: Vec<_> = program
            .modules
            .iter()
            .filter(|(_, module)| module.state == State::Ready)
            .collect();
        loaded.sort_unstable_by_key(|(id, _)| **id);
        paths.extend(loaded.iter().map(|(_, module)| Arc::clone(&module.path)));
    });
    paths.truncate(LOOKED_INTO);
    let mut inspected: HashMap<Arc<str>, Inspection> = HashMap::new();
    for path in &paths {
        if let Some(inspection) = process.inspect(path) {
            inspected.insert(Arc::clone(path), inspection);
        }
    }
    for symbol in symbols {
        if let Some(inspection) = inspected.get(&symbol.needed_by) {
            let module = match &symbol.needed {
                Needed::Function(_) => "env",
                Needed::FunctionAddress => "GOT.func",
                Needed::Data => "GOT.mem",
                Needed::Host(module) => module,
                Needed::Tag(_) | Needed::Global => continue,
            };
            symbol.reached = inspection.reach(module, &symbol.name).cloned();
        }
        let function = matches!(symbol.needed, Needed::Function(_) | Needed::FunctionAddress);
        if function && symbol.problem == Problem::Missing {
            let hides = |path: &&Arc<str>| {
                let inspection = inspected.get(*path);
                inspection.is_some_and(|inspection| inspection.defines(&symbol.name))
            };
            if let Some(path) = paths.iter().find(hides) {
                symbol.problem = Problem::Hidden {
                    defined_in: Arc::clone(path),
                };
            }
        }
    }
}
