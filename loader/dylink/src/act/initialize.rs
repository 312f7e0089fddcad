//! Relocations, then constructors: guest code from here on.

use alloc::sync::Arc;

use crate::act::apply::LinkedGroup;
use crate::act::copy::copy;
use crate::act::engine::Engine;
use crate::act::error::{ActError, Cause};
use crate::act::stack::Stack;
use crate::decide::plan::{LinkPlan, RELOCATE};
use crate::program::Phase;
use crate::program::diagnostics::{Diagnostics, Event};
use crate::program::ids::ModuleId;
use crate::program::state::State;

/// Relocates all modules of the group, then constructs each after what it needs.
pub(crate) async fn initialize<P: Engine + Diagnostics + State>(
    process: &mut P,
    plan: &LinkPlan,
    linked: &mut LinkedGroup,
) -> Result<(), ActError<P::Error>> {
    process.program(|program| {
        for at in &plan.order {
            let now = program.now();
            if let Some(module) = program.modules.get_mut(&linked.ids[*at]) {
                module.phase = Phase::Initializing;
                module.initialized = now;
            }
        }
    });
    // A relocation may store the address of another member's datum, and a constructor may follow it.
    for at in &plan.order {
        if plan.modules[*at].relocates {
            run(process, linked, *at, RELOCATE).await?;
        }
    }
    copy(process, &linked.ids, &plan.substitution.copies).await?;
    for at in &plan.order {
        if let Some(constructor) = plan.modules[*at].constructor {
            run(process, linked, *at, constructor.export()).await?;
        }
    }
    Ok(())
}

async fn run<P: Engine + Diagnostics + State>(
    process: &mut P,
    linked: &mut LinkedGroup,
    at: usize,
    name: &'static str,
) -> Result<(), ActError<P::Error>> {
    let id: ModuleId = linked.ids[at];
    let (path, instance) = process.program(|program| {
        let module = &program.modules[&id];
        (Arc::clone(&module.path), module.instance.clone())
    });
    let function = instance.and_then(|instance| process.export(&instance, name));
    let Some(function) = function else {
        return Err(ActError::Guest {
            path,
            function: name,
            reason: Cause::NotExported { name: name.into() },
        });
    };
    if process.traces() {
        process.trace(Event::Call {
            path: &path,
            function: name,
        });
    }
    let failed = |error: P::Error| ActError::Guest {
        path: Arc::clone(&path),
        function: name,
        reason: error.into(),
    };
    let stack = Stack::save(process).map_err(failed)?;
    linked.undo.guest_ran = true;
    let result = process.call(&function, &[]).await;
    stack.settle(process, result).map(drop).map_err(failed)
}
