//! Everything that can be said of symbols that are missing.

pub(crate) mod nearby;
#[cfg(feature = "parse")]
pub(crate) mod notes;

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use hashbrown::HashMap;

use crate::decide::error::DecideError;
use crate::decide::resolve::{Resolution, resolve};
use crate::decide::unresolved::{Needed, Problem, Unresolved};
use crate::explain::nearby::nearby;
use crate::find::files::Files;
use crate::find::group::Group;
use crate::module::inspect::Inspection;
use crate::program::Phase;
use crate::program::diagnostics::Diagnostics;
use crate::program::state::State;

/// Returns what every import is bound to, or the error that lists and explains all symbols that are missing. `has_host` tells
/// of a function of the host, by module and name, that there is one.
pub(crate) fn resolve_or_explain<P: Files + Diagnostics + State>(
    process: &mut P,
    path: &str,
    group: &Group,
    has_host: &mut dyn FnMut(&str, &str) -> bool,
) -> Result<Resolution, DecideError> {
    let resolution = process.program(|program| {
        let mut scope = program.scope(group);
        let resolution = resolve(group, &scope, has_host);
        if resolution.is_err() {
            scope.elsewhere = program.elsewhere(group, &scope);
            return resolve(group, &scope, has_host);
        }
        resolution
    });
    resolution.map_err(|mut symbols| {
        explain(process, group, &mut symbols);
        DecideError::Unresolved {
            path: String::from(path),
            symbols,
        }
    })
}

/// The number of modules that are inspected for one message: each is read once more.
const INSPECTED: usize = 64;

/// Adds how each symbol is reached, and which library has a missing one: one that is not loaded, or does not export it.
fn explain<P: Files + Diagnostics + State>(
    process: &mut P,
    group: &Group,
    symbols: &mut [Unresolved],
) {
    nearby(process, group, symbols);
    let members = group.members.iter().map(|member| Arc::clone(&member.path));
    let mut paths: Vec<Arc<str>> = members.collect();
    process.program(|program| {
        let mut loaded: Vec<_> = program
            .modules
            .iter()
            .filter(|(_, module)| module.phase == Phase::Ready)
            .collect();
        loaded.sort_unstable_by_key(|(id, _)| **id);
        paths.extend(loaded.iter().map(|(_, module)| Arc::clone(&module.path)));
    });
    paths.truncate(INSPECTED);
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
