//! Record locks of the system: they hold against every other process of this machine.
//!
//! They are the classic ones of POSIX, not those of an open file description: a guest's program releases through one descriptor what it
//! has locked through another.

use std::fs::File;

use nix::fcntl::{FcntlArg, fcntl};
use nix::libc::{F_RDLCK, F_UNLCK, F_WRLCK, SEEK_SET, flock};
use pymode_host::Errno;
use pymode_host::vfs::{HeldLock, LockKind, LockRange};

use crate::errno::errno;

/// Locks a part of a file, or gives it up.
pub(super) fn set(file: &File, kind: Option<LockKind>, range: LockRange) -> Result<(), Errno> {
    let lock = record(kind, range)?;
    match fcntl(file, FcntlArg::F_SETLK(&lock)) {
        Ok(_) => Ok(()),
        // POSIX lets a system choose between the two.
        Err(nix::errno::Errno::EACCES | nix::errno::Errno::EAGAIN) => Err(Errno::Again),
        Err(nix::errno::Errno::ENOLCK) => Err(Errno::NoLck),
        Err(error) => Err(errno(&error.into())),
    }
}

/// Finds a lock of another process that forbids this one.
pub(super) fn find(
    file: &File,
    kind: LockKind,
    range: LockRange,
) -> Result<Option<HeldLock>, Errno> {
    let mut lock = record(Some(kind), range)?;
    fcntl(file, FcntlArg::F_GETLK(&mut lock)).map_err(|error| errno(&error.into()))?;
    let kind = match i32::from(lock.l_type) {
        F_RDLCK => LockKind::Read,
        F_WRLCK => LockKind::Write,
        _ => return Ok(None),
    };
    Ok(Some(HeldLock {
        kind,
        range: LockRange {
            start: lock.l_start.try_into().unwrap_or_default(),
            len: lock.l_len.try_into().unwrap_or_default(),
        },
        // One of another namespace has none that is known here.
        process: lock.l_pid.try_into().unwrap_or_default(),
    }))
}

fn record(kind: Option<LockKind>, range: LockRange) -> Result<flock, Errno> {
    let kind = match kind {
        Some(LockKind::Read) => F_RDLCK,
        Some(LockKind::Write) => F_WRLCK,
        None => F_UNLCK,
    };
    let number = |value: u64| i64::try_from(value).map_err(|_| Errno::Overflow);
    Ok(flock {
        l_type: kind as i16,
        l_whence: SEEK_SET as i16,
        l_start: number(range.start)?,
        l_len: number(range.len)?,
        l_pid: 0,
    })
}
