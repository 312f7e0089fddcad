//! `dlopen`.

use hashbrown::HashSet;

use crate::act::apply::{LinkedGroup, apply, register};
use crate::act::engine::Engine;
use crate::act::error::ActError;
use crate::act::initialize::initialize;
use crate::calls::attach::attach;
use crate::calls::error::OpenError;
use crate::calls::process::Process;
use crate::calls::start::start;
use crate::calls::trace;
use crate::closed_set::recall::recall;
use crate::decide::error::DecideError;
use crate::decide::plan::{LinkPlan, plan};
use crate::decide::resolve::{Resolution, resolve_again};
use crate::decide::substitute::substitution;
use crate::explain::resolve_or_explain;
use crate::find::files::Files;
use crate::find::gather::{Gathered, gather};
use crate::find::group::Group;
use crate::module::ImportKind;
use crate::program::Shared;
use crate::program::diagnostics::Diagnostics;
use crate::program::flags::OpenFlags;
use crate::program::ids::{Handle, ModuleId};
use crate::program::state::State;

/// Loads a library and all it needs, or finds it loaded, and returns a handle to it. `None` is the main module.
///
/// Either everything happens or nothing does: on failure no module, address, slot or scope is left of it. One thing is kept
/// on purpose: if guest code of the group has run before the failure, its memory and slots stay reserved, because the guest
/// may hold pointers into them.
///
/// A constructor may call `open` again. Of a module whose constructor runs it gets the handle.
///
/// # Errors
/// When a file is not found or cannot be loaded, a symbol is missing, or the engine or the guest fails.
pub async fn open<P: Process>(
    process: &mut P,
    path: Option<&str>,
    flags: OpenFlags,
) -> Result<Handle, OpenError<P::Error>> {
    let shared = attach(process)?;
    let Some(path) = path else {
        start(process, &shared).await?;
        return Ok(process.program(|program| program.reopen(ModuleId::MAIN, flags)));
    };
    let (found, recalled) = find(process, path, flags).await?;
    let (group, sources) = match found {
        Gathered::Loaded(id) => return Ok(process.program(|program| program.reopen(id, flags))),
        Gathered::New(group, sources) => (group, sources),
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
            Err(error.into())
        }
    }
}

/// Finds the files of a load group, which are bound already if the link plan knows them.
pub(crate) async fn find<P: Process>(
    process: &mut P,
    path: &str,
    flags: OpenFlags,
) -> Result<(Gathered<<P as Files>::Source>, Option<Resolution>), OpenError<P::Error>> {
    if !flags.noload
        && let Some(plan) = process.plan()
        && let Some(recalled) = recall(process, &plan, path).await?
    {
        let found = Gathered::New(recalled.group, recalled.sources);
        return Ok((found, Some(recalled.resolution)));
    }
    Ok((gather(process, path, flags).await?, None))
}

/// Decides everything before anything is done.
pub(crate) fn decide<P: Process>(
    process: &mut P,
    path: &str,
    group: &Group,
    recalled: Option<Resolution>,
) -> Result<LinkPlan, DecideError> {
    let resolution = match recalled.and_then(|recalled| still_holds(process, group, recalled)) {
        Some(resolution) => resolution,
        None => {
            // The host is asked first: while the program is visited, there is no engine.
            let hosts = offered(process, group);
            resolve_or_explain(process, path, group, &mut |module, name| {
                hosts.contains(&(module, name))
            })?
        }
    };
    process.program(|program| {
        let info = |node| program.info(group, node);
        let has_slot = |id, function| program.slot(id, function).is_some();
        let mut plan = plan(group, &resolution, &info, &has_slot, &program.config)?;
        if group.is_mains() {
            let main = &program.modules[&ModuleId::MAIN];
            let found = substitution(&main.path, &main.info, &program.scope(group));
            plan.substitute(found.map_err(|symbols| DecideError::Unresolved {
                path: path.into(),
                symbols,
            })?);
        }
        Ok(plan)
    })
}

/// Returns a resolution of the link plan, which knows of nothing in the global scope but main, with what else is there by now;
/// `None` if something is missing then, and is to be reported with all that is.
fn still_holds<P: State>(
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

/// Returns the host functions that the group imports and the host offers, by module and name.
fn offered<'a, P: Engine>(process: &mut P, group: &'a Group) -> HashSet<(&'a str, &'a str)> {
    let members = group.members.iter();
    let imports = members.flat_map(|member| &member.info.imports);
    imports
        .filter(|import| import.kind == ImportKind::Host)
        .map(|import| (&*import.module, &*import.name))
        .filter(|(module, name)| process.host(module, name).is_some())
        .collect()
}

pub(crate) async fn load<P: Engine + Diagnostics + State>(
    process: &mut P,
    shared: &Shared<P::Extern>,
    plan: &LinkPlan,
    sources: &[P::Source],
    linked: &mut LinkedGroup,
) -> Result<(), ActError<P::Error>> {
    apply(process, shared, plan, sources, linked).await?;
    trace::places(process, linked);
    initialize(process, plan, linked).await
}
