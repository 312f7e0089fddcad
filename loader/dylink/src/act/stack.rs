//! Calls into the guest: if one does not return, the shadow stack is put back to where it stood.

use crate::act::engine::Engine;
use crate::program::state::{Objects, State};

/// The shadow stack as it stood before a call.
pub(crate) struct Stack<Extern> {
    saved: Option<(Extern, u32)>,
}

impl<Extern: Clone> Stack<Extern> {
    /// Remembers where it stands.
    pub(crate) fn save<P: Engine + State + Objects<Extern = Extern>>(
        process: &mut P,
    ) -> Result<Self, P::Error> {
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

    /// Removes the frames that a call left behind, if it failed.
    pub(crate) fn settle<P: Engine + Objects<Extern = Extern>, T>(
        self,
        process: &mut P,
        result: Result<T, P::Error>,
    ) -> Result<T, P::Error> {
        if result.is_err()
            && let Some((pointer, value)) = self.saved
        {
            // A stack pointer that was read can be written; if not, the error that is reported is the one that matters.
            let _ = process.write(&pointer, value);
        }
        result
    }
}

/// Calls a guest function.
pub(crate) async fn call<P: Engine + State>(
    process: &mut P,
    function: &P::Extern,
    args: &[u32],
) -> Result<Option<u32>, P::Error> {
    let stack = Stack::save(process)?;
    let result = process.call(function, args).await;
    stack.settle(process, result)
}
