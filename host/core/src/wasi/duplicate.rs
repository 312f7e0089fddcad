//! `pymode.fd_dup`: a second number for an open file, which WASI preview1 has no function for.

use super::{Outcome, Wasi};
use crate::{Errno, GuestMemory};

impl Wasi {
    /// Gives the open file `fd` another number. With `exactly` it is `to`, and what `to` stood for is closed; without, it is the
    /// lowest free one that is not below `to`. The number goes to `out`.
    ///
    /// # Errors
    /// [`Errno::Badf`], also for a number that cannot be; [`Errno::Mfile`]; [`Errno::Fault`].
    pub fn fd_dup(
        &mut self,
        memory: &mut dyn GuestMemory,
        fd: u32,
        to: u32,
        exactly: u32,
        out: u32,
    ) -> Outcome {
        memory.check(out, 4)?;
        let number = if exactly != 0 {
            self.descriptors.duplicate_to(fd, to)?;
            to
        } else {
            self.descriptors.duplicate(fd, to)?
        };
        memory.write_u32(out, number)
    }

    /// Opens a stream that the guest reads from, and only the host writes to.
    ///
    /// # Errors
    /// [`Errno::Mfile`].
    pub fn open_input(&mut self, stream: Box<dyn super::Stream>) -> Result<u32, Errno> {
        let access = super::Access {
            read: true,
            write: false,
        };
        self.open_descriptor(
            super::DescriptorKind::Stream { stream, access },
            super::Flags::default(),
        )
    }
}
