//! The main module, attached by the first call that needs it.

use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::act::engine::{Engine, Main};
use crate::calls::error::MainError;
use crate::program::main_module::UnusableMain;
use crate::program::state::State;
use crate::program::{Allocator, Shared};

/// Returns what every side module is bound to. The first call asks the engine for its main module.
pub(crate) fn attach<P: Engine + State>(
    process: &mut P,
) -> Result<Shared<P::Extern>, MainError<P::Error>> {
    if let Some(shared) = process.program(|program| program.shared.clone()) {
        return Ok(shared);
    }
    let main = process
        .main()
        .map_err(|reason| MainError::Unreadable { reason })?;
    process.program(|program| program.check_main(&main.name, &main.info))?;
    let shared = shared(process, &main)?;
    process.program(|program| {
        program.insert_main(
            main.name,
            main.info,
            main.instance,
            main.hash,
            shared.clone(),
        );
    });
    Ok(shared)
}

fn shared<P: Engine>(
    process: &mut P,
    main: &Main<P::Instance>,
) -> Result<Shared<P::Extern>, UnusableMain> {
    let mut missing = Vec::new();
    let mut export = |name: &'static str| {
        let found = process.export(&main.instance, name);
        if found.is_none() {
            missing.push(name);
        }
        found
    };
    let memory = export("memory");
    let table = export("__indirect_function_table");
    let stack_pointer = export("__stack_pointer");
    let malloc = export("malloc");
    let free = export("free");
    match (memory, table, stack_pointer, malloc, free) {
        (Some(memory), Some(table), Some(stack_pointer), Some(malloc), Some(free)) => Ok(Shared {
            memory,
            table,
            stack_pointer,
            allocator: Allocator {
                malloc,
                free,
                aligned_alloc: process.export(&main.instance, "aligned_alloc"),
            },
        }),
        _ => Err(UnusableMain::Lacks {
            main: Arc::clone(&main.name),
            missing,
        }),
    }
}
