//! `dlclose`.

use alloc::sync::Arc;

use crate::act::engine::Engine;
use crate::calls::error::CloseError;
use crate::calls::reclaim::reclaim;
use crate::program::diagnostics::{Diagnostics, Event};
use crate::program::ids::{Handle, ModuleId};
use crate::program::state::State;

/// Takes back one `open` of a handle.
///
/// When every `open` is taken back, the handle is closed: `sym` refuses it. Then every module that nothing holds is unloaded: that
/// is not open, not needed by and not bound to a module that stays, and was not opened with `RTLD_NODELETE`.
///
/// # Errors
/// When the handle is not open, or an exit handler did not return. Then everything is unloaded all the same but the module
/// whose handler it was: its memory and slots stay reserved.
pub async fn close<P: Engine + Diagnostics + State>(
    process: &mut P,
    handle: Handle,
) -> Result<(), CloseError<P::Error>> {
    let (path, opens) = process.program(|program| {
        let id = program.opened(handle)?;
        let Some(module) = program.modules.get_mut(&id) else {
            return Ok((None, 0));
        };
        if id != ModuleId::MAIN {
            module.opens -= 1;
        }
        Ok::<_, CloseError<P::Error>>((Some(Arc::clone(&module.path)), module.opens))
    })?;
    if let (true, Some(path)) = (process.traces(), path) {
        process.trace(Event::Close { path: &path, opens });
    }
    // Others hold it: nothing goes.
    if opens > 0 {
        return Ok(());
    }
    reclaim(process).await
}
