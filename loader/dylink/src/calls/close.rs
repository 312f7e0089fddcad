//! `dlclose`.

use crate::calls::process::Process;
use crate::calls::trace;
use crate::error::HandleError;
use crate::program::ids::{Handle, ModuleId};

/// Takes back one `open` of a handle.
///
/// When every `open` is taken back, the handle is closed: `sym` refuses it. The module stays until [`reclaim`] finds that
/// nobody holds it; an `open` before that finds it as it was.
///
/// [`reclaim`]: crate::reclaim
pub fn close<P: Process>(process: &mut P, handle: Handle) -> Result<(), HandleError> {
    let id = process.program(|program| {
        let id = program.opened(handle)?;
        if let Some(module) = program.modules.get_mut(&id)
            && id != ModuleId::MAIN
        {
            module.opens -= 1;
        }
        Ok(id)
    })?;
    trace::closed(process, id);
    Ok(())
}
