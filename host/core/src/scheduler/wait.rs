//! The ways in which a thread parks.

use crate::Errno;
use crate::wasi::Interest;

/// A guest's number for one of its threads. Main's is 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ThreadId(pub u32);

impl ThreadId {
    /// The thread that the program starts with.
    pub const MAIN: ThreadId = ThreadId(0);
}

/// The way in which a thread parks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wait {
    /// Until it is woken, or this time of the monotonic clock, in nanoseconds, has come.
    Event {
        /// `None`: it has no deadline.
        until: Option<u64>,
        /// The files that it waits for, too.
        files: Option<Interest>,
    },
    /// No wait: threads that are ready run first.
    Yield {
        /// Events from outside of the guest are handled first, too.
        lets_events: bool,
    },
    /// A wait without end. Nothing waits for the thread, and it counts as ended.
    Ever,
}

impl Wait {
    /// Reads the parameters of `pymode.thread_park`. `interest` gives the files that the guest has last asked for in vain.
    ///
    /// # Errors
    /// [`Errno::Inval`] for another `how`.
    pub fn from_guest(
        until: u64,
        how: u32,
        interest: impl FnOnce() -> Interest,
    ) -> Result<Wait, Errno> {
        let until = (until != u64::MAX).then_some(until);
        match how {
            0 => Ok(Wait::Event { until, files: None }),
            1 => Ok(Wait::Event {
                until,
                files: Some(interest()),
            }),
            2 | 4 => Ok(Wait::Yield {
                lets_events: how == 4,
            }),
            3 => Ok(Wait::Ever),
            _ => Err(Errno::Inval),
        }
    }
}

impl Wait {
    /// Returns the time until which the thread waits.
    #[must_use]
    pub fn deadline(&self) -> Option<u64> {
        match self {
            Wait::Event { until, .. } => *until,
            Wait::Yield { .. } | Wait::Ever => None,
        }
    }

    /// Returns `true` if what has happened outside is to be handled before the thread goes on.
    #[must_use]
    pub fn lets_events(&self) -> bool {
        matches!(self, Wait::Yield { lets_events: true })
    }
}

/// The decision about a thread that wants to park.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parked {
    /// It goes on at once.
    Returns(Result<(), Errno>),
    /// It leaves, until it is [ready](super::Scheduler::pop_ready).
    Leaves,
}
