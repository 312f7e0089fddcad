//! Time and randomness from the machine: the only inputs that the guest does not determine.

use crate::{Errno, MaybeSend, MaybeSync};

/// One of WASI's clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// Nanoseconds since 1970, may jump.
    Realtime,
    /// Nanoseconds since some moment, never goes back.
    Monotonic,
    /// Processor time of this process.
    ProcessCpu,
    /// Processor time of this thread.
    ThreadCpu,
}

impl Clock {
    /// The clock with WASI's number for it.
    pub fn from_number(number: u32) -> Option<Clock> {
        [
            Clock::Realtime,
            Clock::Monotonic,
            Clock::ProcessCpu,
            Clock::ThreadCpu,
        ]
        .get(number as usize)
        .copied()
    }
}

/// The seam to clocks, randomness and waiting.
pub trait Platform: MaybeSend + MaybeSync {
    /// Returns the time of `clock` in nanoseconds.
    ///
    /// # Errors
    /// [`Errno::NotSup`] or [`Errno::Inval`] for a clock that there is not.
    fn now(&self, clock: Clock) -> Result<u64, Errno>;

    /// The smallest step of `clock`, in nanoseconds.
    ///
    /// # Errors
    /// As for [`Platform::now`].
    fn resolution(&self, clock: Clock) -> Result<u64, Errno>;

    /// Fills `bytes` with randomness fit for keys.
    ///
    /// # Errors
    /// [`Errno::Io`] when the machine has none.
    fn random(&self, bytes: &mut [u8]) -> Result<(), Errno>;

    /// Waits for so many nanoseconds.
    ///
    /// # Errors
    /// [`Errno::NotSup`] on a platform that cannot wait in the middle of a call; [`Errno::Intr`] when it was woken early.
    fn sleep(&self, nanoseconds: u64) -> Result<(), Errno>;

    /// Lets others run.
    fn yield_now(&self) {}
}

/// A moment: nanoseconds since 1970, as WASI counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Timestamp(pub u64);

impl Timestamp {
    /// The time of what never changes: the first moment of 1980, the earliest that a zip archive can hold.
    pub const UNCHANGING: Timestamp = Timestamp(315_532_800_000_000_000);
}
