//! `pymode.fd_lock`, `pymode.fd_lock_test`: record locks, which WASI preview1 has no functions for.
//!
//! A lock belongs to the process, as POSIX has it: a guest never excludes itself, and gives up all its locks on a file when it closes
//! any of its descriptors.

use super::{Access, DescriptorKind, Outcome, Wasi};
use crate::vfs::{File, LockKind, LockRange};
use crate::{Errno, GuestMemory};

/// `F_RDLCK`, `F_WRLCK` and `F_UNLCK` in the guest.
const READ: u32 = 0;
const WRITE: u32 = 1;
const UNLOCK: u32 = 2;

impl Wasi {
    /// Locks a part of an open file, or gives it up: `kind` is `F_RDLCK`, `F_WRLCK` or `F_UNLCK`. A `len` of 0 reaches to the end.
    ///
    /// # Errors
    /// [`Errno::Again`] while another process holds a lock that forbids it; [`Errno::Badf`], also for a file that is not open for
    /// reading or writing as the lock wants; [`Errno::Inval`] for something other than a file, or another kind; [`Errno::NoLck`].
    pub fn fd_lock(&mut self, fd: u32, kind: u32, start: u64, len: u64) -> Outcome {
        let range = LockRange { start, len };
        let (file, access) = self.lockable(fd)?;
        match kind {
            READ if access.read => file.lock(Some(LockKind::Read), range),
            WRITE if access.write => file.lock(Some(LockKind::Write), range),
            READ | WRITE => Err(Errno::Badf),
            UNLOCK => file.lock(None, range),
            _ => Err(Errno::Inval),
        }
    }

    /// Finds a lock of another process that would forbid this one. To `held` goes its kind, `F_UNLCK` when there is none, and the
    /// number of the process, 4 bytes each; to `place` its start and length, 8 bytes each.
    ///
    /// # Errors
    /// [`Errno::Badf`]; [`Errno::Inval`] for something other than a file, or another kind; [`Errno::Fault`].
    #[expect(
        clippy::too_many_arguments,
        reason = "they are those of the host function"
    )]
    pub fn fd_lock_test(
        &mut self,
        memory: &mut dyn GuestMemory,
        fd: u32,
        kind: u32,
        start: u64,
        len: u64,
        place: u32,
        held: u32,
    ) -> Outcome {
        memory.check(place, 16)?;
        memory.check(held, 8)?;
        let range = LockRange { start, len };
        let (file, _) = self.lockable(fd)?;
        let found = match kind {
            READ => file.find_lock(LockKind::Read, range)?,
            WRITE => file.find_lock(LockKind::Write, range)?,
            _ => return Err(Errno::Inval),
        };
        let Some(lock) = found else {
            return memory.write_u32(held, UNLOCK);
        };
        let kind = match lock.kind {
            LockKind::Read => READ,
            LockKind::Write => WRITE,
        };
        memory.write_u32(held, kind)?;
        memory.write_u32(held + 4, lock.process)?;
        memory.write(place, &lock.range.start.to_le_bytes())?;
        memory.write(place + 8, &lock.range.len.to_le_bytes())
    }

    fn lockable(&mut self, fd: u32) -> Result<(&mut dyn File, Access), Errno> {
        match &mut self.descriptors.get(fd)?.kind {
            DescriptorKind::File { file, access, .. } => Ok((file.as_mut(), *access)),
            DescriptorKind::Directory { .. } | DescriptorKind::Stream { .. } => Err(Errno::Inval),
        }
    }
}
