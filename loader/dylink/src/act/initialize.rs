//! Relocations, then constructors: guest code from here on.

use alloc::sync::Arc;

use crate::act::apply::Linked;
use crate::act::stack::Stack;
use crate::calls::process::Process;
use crate::calls::trace;
use crate::decide::plan::{LinkPlan, RELOCATE};
use crate::error::OpenError;
use crate::program::State;
use crate::program::ids::ModuleId;

/// Relocates all modules of the group, then constructs each after what it needs.
pub(crate) async fn initialize<P: Process>(
    process: &mut P,
    plan: &LinkPlan,
    linked: &mut Linked,
) -> Result<(), OpenError> {
    process.program(|program| {
        for at in &plan.order {
            let now = program.now();
            if let Some(module) = program.modules.get_mut(&linked.ids[*at]) {
                module.state = State::Initializing;
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
    for at in &plan.order {
        if let Some(constructor) = plan.modules[*at].constructor {
            run(process, linked, *at, constructor.export()).await?;
        }
    }
    Ok(())
}

async fn run<P: Process>(
    process: &mut P,
    linked: &mut Linked,
    at: usize,
    name: &'static str,
) -> Result<(), OpenError> {
    let id: ModuleId = linked.ids[at];
    let (path, instance) = process.program(|program| {
        let module = &program.modules[&id];
        (Arc::clone(&module.path), module.instance.clone())
    });
    let function = instance.and_then(|instance| process.export(&instance, name));
    let Some(function) = function else {
        return Err(OpenError::Guest {
            path,
            function: name,
            reason: crate::act::engine::Fault::new("the instance does not export it"),
        });
    };
    trace::call(process, &path, name);
    let failed = |reason| OpenError::Guest {
        path: Arc::clone(&path),
        function: name,
        reason,
    };
    let stack = Stack::save(process).map_err(failed)?;
    linked.undo.guest_ran = true;
    let result = process.call(&function, &[]).await;
    stack.settle(process, result).map(drop).map_err(failed)
}
