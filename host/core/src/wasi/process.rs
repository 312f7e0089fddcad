//! `proc_*` and `sched_yield`.

use super::{Outcome, Wasi};
use crate::Errno;

/// The guest ended itself by `proc_exit`: not an error of the host, but nothing of the guest runs after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the program exited with code {code}")]
pub struct Exit {
    /// As the guest said; an operating system may keep only its low 8 bits.
    pub code: u32,
}

impl Wasi {
    /// The exit that the host has to unwind the guest with.
    pub fn proc_exit(&mut self, code: u32) -> Exit {
        Exit { code }
    }

    /// Signals do not exist here.
    ///
    /// # Errors
    /// Always [`Errno::NoSys`].
    pub fn proc_raise(&mut self, _signal: u32) -> Outcome {
        Err(Errno::NoSys)
    }

    /// Lets others run.
    ///
    /// # Errors
    /// Never.
    pub fn sched_yield(&mut self) -> Outcome {
        self.platform.yield_now();
        Ok(())
    }
}
