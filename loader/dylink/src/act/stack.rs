//! Calls into the guest: if one does not return, the shadow stack is put back to where it stood.

use crate::act::engine::Fault;
use crate::calls::process::Process;

/// Where the shadow stack stood before a call.
pub(crate) struct Stack<Extern> {
    saved: Option<(Extern, u32)>,
}

impl<Extern: Clone> Stack<Extern> {
    /// Looks where it stands.
    pub(crate) fn save<P: Process<Extern = Extern>>(process: &mut P) -> Result<Self, Fault> {
        let pointer =
            process.program(|program| Some(program.shared.as_ref()?.stack_pointer.clone()));
        let saved = match pointer {
            Some(pointer) => {
                let value = process.read(&pointer)?;
                Some((pointer, value))
            }
            None => None,
        };
        Ok(Self { saved })
    }

    /// Takes the frames away that a call left behind, if it failed.
    pub(crate) fn settle<P: Process<Extern = Extern>, T>(
        self,
        process: &mut P,
        result: Result<T, Fault>,
    ) -> Result<T, Fault> {
        if result.is_err()
            && let Some((pointer, value)) = self.saved
        {
            // A stack pointer that was read can be written; if not, the fault that is reported is the one that matters.
            let _ = process.write(&pointer, value);
        }
        result
    }
}

/// Calls a guest function.
pub(crate) async fn call<P: Process>(
    process: &mut P,
    function: &P::Extern,
    args: &[u32],
) -> Result<Option<u32>, Fault> {
    let stack = Stack::save(process)?;
    let result = process.call(function, args).await;
    stack.settle(process, result)
}
