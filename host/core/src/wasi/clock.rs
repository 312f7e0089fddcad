//! `clock_*` and `random_get`: what the platform gives, handed on.

use super::{Outcome, Wasi};
use crate::{Clock, Errno, GuestMemory};

/// Size of a chunk of randomness where guest memory is not addressable.
const CHUNK: usize = 4096;

impl Wasi {
    /// The smallest step of a clock, in nanoseconds.
    ///
    /// # Errors
    /// [`Errno::Inval`] for a clock that WASI has not; [`Errno::Fault`].
    pub fn clock_res_get(&mut self, memory: &mut dyn GuestMemory, clock: u32, out: u32) -> Outcome {
        let clock = Clock::from_number(clock).ok_or(Errno::Inval)?;
        let resolution = self.platform.resolution(clock)?;
        memory.write_u64(out, resolution)
    }

    /// Writes the time of a clock in nanoseconds. The requested precision is ignored: the result is as precise as possible.
    ///
    /// # Errors
    /// [`Errno::Inval`] for a clock that WASI has not; [`Errno::Fault`].
    pub fn clock_time_get(
        &mut self,
        memory: &mut dyn GuestMemory,
        clock: u32,
        _precision: u64,
        out: u32,
    ) -> Outcome {
        let clock = Clock::from_number(clock).ok_or(Errno::Inval)?;
        let now = self.platform.now(clock)?;
        memory.write_u64(out, now)
    }

    /// Fills a buffer with randomness.
    ///
    /// # Errors
    /// [`Errno::Fault`]; [`Errno::Io`] when there is none.
    pub fn random_get(&mut self, memory: &mut dyn GuestMemory, at: u32, len: u32) -> Outcome {
        if let Some(room) = memory.slice_mut(at, len)? {
            return self.platform.random(room);
        }
        let mut buffer = [0; CHUNK];
        for done in (0..len).step_by(CHUNK) {
            let chunk = &mut buffer[..CHUNK.min((len - done) as usize)];
            self.platform.random(chunk)?;
            memory.write(at + done, chunk)?;
        }
        Ok(())
    }
}
