//! Calls into the guest.

use crate::engine::Fault;
use crate::process::Process;

/// Calls a guest function. If it does not return, the shadow stack is as before: the frames that were left on it are gone.
pub(crate) async fn call<P: Process>(
    process: &mut P,
    function: &P::Extern,
    args: &[u32],
) -> Result<Option<u32>, Fault> {
    let stack = stack(process)?;
    let result = process.call(function, args).await;
    unwind(process, stack, result)
}

/// Instantiates a module, with the same care: its start function may fail in the middle.
pub(crate) async fn instantiate<P: Process>(
    process: &mut P,
    code: &P::Code,
    imports: &[P::Extern],
) -> Result<P::Instance, Fault> {
    let stack = stack(process)?;
    let result = process.instantiate(code, imports).await;
    unwind(process, stack, result)
}

/// The stack pointer, and where it stands now.
fn stack<P: Process>(process: &mut P) -> Result<Option<(P::Extern, u32)>, Fault> {
    let pointer = process.program(|program| Some(program.shared.as_ref()?.stack_pointer.clone()));
    match pointer {
        Some(pointer) => {
            let value = process.read(&pointer)?;
            Ok(Some((pointer, value)))
        }
        None => Ok(None),
    }
}

fn unwind<P: Process, T>(
    process: &mut P,
    stack: Option<(P::Extern, u32)>,
    result: Result<T, Fault>,
) -> Result<T, Fault> {
    if result.is_err()
        && let Some((pointer, value)) = stack
    {
        // A stack pointer that was read can be written; if not, the fault that is reported is the one that matters.
        let _ = process.write(&pointer, value);
    }
    result
}
