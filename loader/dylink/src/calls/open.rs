//! `dlopen`.

use alloc::string::String;

use crate::act::apply::{Linked, apply, register};
use crate::act::initialize::initialize;
use crate::calls::attach::attach;
use crate::calls::process::Process;
use crate::calls::trace;
use crate::closed_set::recall::found;
use crate::decide::plan::{LinkPlan, plan};
use crate::decide::resolve::{Resolution, resolve, resolve_again};
use crate::error::OpenError;
use crate::explain::explain;
use crate::find::gather::Found;
use crate::find::group::Group;
use crate::program::Shared;
use crate::program::flags::OpenFlags;
use crate::program::ids::{Handle, ModuleId};

/// Loads a library and all it needs, or finds it loaded, and gives a handle to it. `None` is the main module.
///
/// Either everything happens or nothing does: on failure no module, address, slot or scope is left of it. One thing is kept
/// on purpose: if guest code of the group has run before the failure, its memory and slots stay reserved, because the guest
/// may hold pointers into them.
///
/// A constructor may call `open` again. Of a module whose constructor runs it gets the handle.
pub async fn open<P: Process>(
    process: &mut P,
    path: Option<&str>,
    flags: OpenFlags,
) -> Result<Handle, OpenError> {
    let shared = attach(process)?;
    let Some(path) = path else {
        return Ok(process.program(|program| program.reopen(ModuleId::MAIN, flags)));
    };
    let (found, recalled) = found(process, path, flags)?;
    let (group, sources) = match found {
        Found::Loaded(id) => return Ok(process.program(|program| program.reopen(id, flags))),
        Found::New(group, sources) => (group, sources),
    };
    let plan = decide(process, path, &group, recalled)?;
    trace::plan(process, path, &group, &plan);
    let mut linked = register(process, &group, &plan);
    match load(process, &shared, &plan, &sources, &mut linked).await {
        Ok(()) => {
            let root = linked.ids[0];
            process.program(|program| program.commit(&linked.ids));
            linked.undo.keep();
            Ok(process.program(|program| program.reopen(root, flags)))
        }
        Err(error) => {
            linked.undo.roll_back(process).await;
            Err(error)
        }
    }
}

/// Everything that is decided before anything is done.
pub(crate) fn decide<P: Process>(
    process: &mut P,
    path: &str,
    group: &Group,
    recalled: Option<Resolution>,
) -> Result<LinkPlan, OpenError> {
    let resolution = match recalled {
        Some(recalled) => match still_holds(process, group, recalled) {
            Some(resolution) => resolution,
            None => resolution(process, path, group)?,
        },
        None => resolution(process, path, group)?,
    };
    process.program(|program| {
        let info = |node| program.info(group, node);
        plan(group, &resolution, &info, &|id, function| {
            program.slot(id, function).is_some()
        })
    })
}

/// A plan knows of nothing in the global scope but main. What else is there by now has its say; `None` if something has to be
/// looked at, and perhaps told, as a whole.
fn still_holds<P: Process>(
    process: &mut P,
    group: &Group,
    recalled: Resolution,
) -> Option<Resolution> {
    process.program(|program| {
        if program.global.is_only_main() && program.tags.is_empty() {
            return Some(recalled);
        }
        resolve_again(group, &program.scope(group), recalled)
    })
}

/// What every import is bound to.
pub(crate) fn resolution<P: Process>(
    process: &mut P,
    path: &str,
    group: &Group,
) -> Result<Resolution, OpenError> {
    // The host is asked first: while the program is visited, there is no engine.
    let mut hosts = hashbrown::HashSet::new();
    for member in &group.members {
        for import in &member.info.imports {
            if import.wants == crate::module::Wants::Host
                && process.host(&import.module, &import.name).is_some()
            {
                hosts.insert((&*import.module, &*import.name));
            }
        }
    }
    let resolution = process.program(|program| {
        let mut scope = program.scope(group);
        let mut has_host = |module: &str, name: &str| hosts.contains(&(module, name));
        let resolution = resolve(group, &scope, &mut has_host);
        if resolution.is_err() {
            scope.elsewhere = program.elsewhere(group, &scope);
            return resolve(group, &scope, &mut has_host);
        }
        resolution
    });
    resolution.map_err(|mut symbols| {
        explain(process, group, &mut symbols);
        OpenError::Unresolved {
            path: String::from(path),
            symbols,
        }
    })
}

async fn load<P: Process>(
    process: &mut P,
    shared: &Shared<P::Extern>,
    plan: &LinkPlan,
    sources: &[P::Source],
    linked: &mut Linked,
) -> Result<(), OpenError> {
    apply(process, shared, plan, sources, linked).await?;
    trace::places(process, linked);
    initialize(process, plan, linked).await
}
