//! Unloading: exit handlers run, then memory and slots are free again.

use alloc::sync::Arc;
use alloc::vec::Vec;

use hashbrown::HashSet;

use crate::act::engine::{Engine, EngineError};
use crate::act::memory;
use crate::act::stack;
use crate::calls::attach::attach;
use crate::calls::error::CloseError;
use crate::program::diagnostics::{Diagnostics, Event};
use crate::program::ids::{Address, ModuleId};
use crate::program::order::after_what_they_need;
use crate::program::state::State;
use crate::program::{Phase, Program, Shared};

/// Function of main's C runtime that runs a closed module's `atexit` and `__cxa_atexit` handlers. The argument is the module's
/// `__dso_handle`, which lld puts at its memory base.
const FINALIZE: &str = "__cxa_finalize";

/// Unloads every module that nothing holds: that is not open, not needed by and not bound to a module that stays, and was not
/// opened with `RTLD_NODELETE`. Modules go before what they need.
///
/// When a handler fails, everything is unloaded all the same but the module whose handler it was: its memory and slots stay
/// reserved. The first failure is returned, unless a handler ended the program.
///
/// A handler may close a library, too. What goes with that goes when what is going now has gone, as with glibc.
pub(crate) async fn reclaim<P: Engine + Diagnostics + State>(
    process: &mut P,
) -> Result<(), CloseError<P::Error>> {
    if process.program(|program| core::mem::replace(&mut program.is_reclaiming, true)) {
        return Ok(());
    }
    let mut outcome = Ok(());
    loop {
        let leaving = process.program(Program::take_leaving);
        if leaving.is_empty() {
            break;
        }
        if process.traces() {
            trace(process, &leaving);
        }
        outcome = worse(outcome, unload(process, leaving).await);
    }
    process.program(|program| program.is_reclaiming = false);
    outcome
}

fn trace<P: Diagnostics + State>(process: &mut P, leaving: &[ModuleId]) {
    for id in leaving {
        let path = process.program(|program| Some(Arc::clone(&program.modules.get(id)?.path)));
        let path = &path.unwrap_or_default();
        process.trace(Event::Unload { path });
    }
}

/// Returns the first failure, unless the second is that the program has ended.
fn worse<E: EngineError>(
    first: Result<(), CloseError<E>>,
    second: Result<(), CloseError<E>>,
) -> Result<(), CloseError<E>> {
    match (first, second) {
        (Err(_), Err(CloseError::ExitHandler { path, reason })) if reason.is_exit() => {
            Err(CloseError::ExitHandler { path, reason })
        }
        (first, second) => first.and(second),
    }
}

async fn unload<P: Engine + State>(
    process: &mut P,
    leaving: Vec<ModuleId>,
) -> Result<(), CloseError<P::Error>> {
    let Ok(shared) = attach(process) else {
        return Ok(());
    };
    let mut outcome = Ok(());
    // All handlers first: one of them may call into another module that leaves.
    let mut finalized = Vec::new();
    for id in leaving {
        match finalize(process, id).await {
            Ok(()) => finalized.push(id),
            Err(error) => {
                process.program(|program| program.abandon(id));
                outcome = worse(outcome, Err(error));
            }
        }
    }
    for id in finalized {
        release(process, &shared, id).await;
    }
    outcome
}

impl<Instance, Extern> Program<Instance, Extern> {
    /// Takes the modules that nothing holds out of every list, in the order in which it is to go. It can be neither found nor opened from
    /// here on.
    fn take_leaving(&mut self) -> Vec<ModuleId> {
        let mut held: HashSet<ModuleId> = HashSet::new();
        let mut queue: Vec<ModuleId> = self
            .modules
            .iter()
            .filter(|(_, module)| {
                module.opens > 0 || module.nodelete || module.phase != Phase::Ready
            })
            .map(|(id, _)| *id)
            .collect();
        while let Some(id) = queue.pop() {
            if held.insert(id)
                && let Some(module) = self.modules.get(&id)
            {
                queue.extend(&module.uses);
            }
        }
        let mut leaving: Vec<ModuleId> = self.modules.keys().copied().collect();
        leaving.retain(|id| !held.contains(id));
        if leaving.is_empty() {
            return leaving;
        }
        let leaving = self.users_first(leaving);
        for id in &leaving {
            self.global.leave(*id);
            if let Some(module) = self.modules.get_mut(id) {
                module.phase = Phase::Leaving;
                let file = module.file;
                self.forget_file(file, *id);
            }
        }
        leaving
    }
}

impl<Instance, Extern> Program<Instance, Extern> {
    /// Each module before what it needs, as far as cycles allow, and those that do not need each other in the order in which
    /// they were loaded: glibc's order. What a module is only bound to gives way to what others need.
    fn users_first(&self, mut modules: Vec<ModuleId>) -> Vec<ModuleId> {
        modules.sort_unstable();
        let all: HashSet<ModuleId> = modules.iter().copied().collect();
        let module = |id| self.modules.get(&id);
        let needs = |id| match module(id) {
            // With what was opened came the others, in an order that is known.
            Some(module) if module.root == id => {
                let mut others = self.tree(id);
                let initialized = |id: &ModuleId| self.modules.get(id).map(|it| it.initialized);
                others.sort_unstable_by_key(|id| core::cmp::Reverse(initialized(id)));
                others
            }
            Some(module) => module.needs.clone(),
            None => Vec::new(),
        };
        let sorted = |modules: &[ModuleId], needs: &dyn Fn(ModuleId) -> Vec<ModuleId>| {
            let of_these = |id| {
                let mut needs = needs(id);
                needs.retain(|id| all.contains(id));
                needs
            };
            let from_last = modules.iter().rev().copied();
            let mut order = after_what_they_need(from_last, &mut HashSet::new(), of_these);
            order.reverse();
            order
        };
        let binds = |id: &ModuleId| module(*id).is_some_and(|it| it.uses.len() > it.needs.len());
        if modules.iter().any(binds) {
            let uses = |id| module(id).map_or(Vec::new(), |module| module.uses.clone());
            modules = sorted(&modules, &|id| [needs(id), uses(id)].concat());
        }
        sorted(&modules, &needs)
    }
}

async fn finalize<P: Engine + State>(
    process: &mut P,
    id: ModuleId,
) -> Result<(), CloseError<P::Error>> {
    let (path, handle, main) = process.program(|program| {
        let module = program.modules.get(&id);
        (
            module.map(|module| Arc::clone(&module.path)),
            module.map_or(Address(0), |module| module.memory_base),
            program
                .modules
                .get(&ModuleId::MAIN)
                .and_then(|main| main.instance.clone()),
        )
    });
    // A module without memory has no `__dso_handle` of its own; null would mean the whole program.
    if handle == Address(0) {
        return Ok(());
    }
    let (Some(path), Some(main)) = (path, main) else {
        return Ok(());
    };
    let Some(function) = process.export(&main, FINALIZE) else {
        return Ok(());
    };
    match stack::call(process, &function, &[handle.0]).await {
        Ok(_) => Ok(()),
        Err(reason) => Err(CloseError::ExitHandler { path, reason }),
    }
}

/// Gives back what the module had.
async fn release<P: Engine + State>(process: &mut P, shared: &Shared<P::Extern>, id: ModuleId) {
    let Some(module) = process.program(|program| program.take(id)) else {
        return;
    };
    memory::give_slots(
        process,
        &shared.table,
        module.table_base,
        module.info.table.size,
    );
    for slot in module.extra_slots.values() {
        memory::give_slots(process, &shared.table, *slot, 1);
    }
    if let Some(allocation) = module.allocation {
        // If main's `free` fails, the memory is lost, and nothing reports it.
        let _ = stack::call(process, &shared.allocator.free, &[allocation.0]).await;
    }
}
