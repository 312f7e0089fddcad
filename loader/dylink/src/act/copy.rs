//! The first bytes of main's data that stands for a library's.

use alloc::sync::Arc;

use crate::act::apply::id_of;
use crate::act::engine::Engine;
use crate::act::error::{ActError, Cause};
use crate::act::{memory, stack};
use crate::decide::substitute::Copy;
use crate::module::ExportKind;
use crate::program::ids::ModuleId;
use crate::program::state::State;

/// Copies them from libraries that are relocated, and that nothing has used yet.
pub(crate) async fn copy<P: Engine + State>(
    process: &mut P,
    ids: &[ModuleId],
    copies: &[Copy],
) -> Result<(), ActError<P::Error>> {
    const MEMCPY: &str = "memcpy";
    if copies.is_empty() {
        return Ok(());
    }
    let (path, main) = process.program(|program| {
        let main = &program.modules[&ModuleId::MAIN];
        (Arc::clone(&main.path), main.instance.clone())
    });
    let failed = |reason| ActError::Guest {
        path: Arc::clone(&path),
        function: MEMCPY,
        reason,
    };
    let not_exported = Cause::NotExported {
        name: MEMCPY.into(),
    };
    let memcpy = main.and_then(|main| process.export(&main, MEMCPY));
    let memcpy = memcpy.ok_or_else(|| failed(not_exported))?;
    for copy in copies {
        let id = id_of(ids, copy.from.node);
        let (name, kind) = process.program(|program| {
            let export = program.modules[&id].info.exports.get(copy.from.export);
            (export.name.clone(), export.kind.clone())
        });
        let ExportKind::Data(datum) = kind else {
            unreachable!("only data is copied");
        };
        let from = memory::address(process, id, &name, datum).map_err(failed)?;
        let from = from.ok_or_else(|| failed(Cause::NotInstantiated))?;
        let called = stack::call(process, &memcpy, &[copy.to, from, copy.size]).await;
        called.map_err(|error| failed(error.into()))?;
    }
    Ok(())
}
