//! An open file of this machine.

use std::fs::File as SystemFile;
use std::os::unix::fs::{FileExt, PermissionsExt};

use cap_std::fs::Metadata;
use pymode_host::vfs::{File, HeldLock, LockKind, LockRange, Mode, NewTimes, Stat};
use pymode_host::{Errno, Timestamp};
use rustix::fs::{Timespec, Timestamps, UTIME_OMIT};

use super::DirectoryAccess;
use super::lock;
use super::metadata::stat_of;
use crate::errno::errno;

/// A time that is set, or stays.
pub(super) fn timespec(time: Option<Timestamp>) -> Timespec {
    match time {
        Some(Timestamp(nanoseconds)) => Timespec {
            tv_sec: (nanoseconds / 1_000_000_000) as i64,
            tv_nsec: (nanoseconds % 1_000_000_000) as i64,
        },
        None => Timespec {
            tv_sec: 0,
            tv_nsec: UTIME_OMIT,
        },
    }
}

pub(super) struct HostFile {
    pub(super) file: SystemFile,
    pub(super) access: DirectoryAccess,
    pub(super) device: u64,
}

impl HostFile {
    fn check_writable(&self) -> Result<(), Errno> {
        if self.access == DirectoryAccess::ReadOnly {
            Err(Errno::Rofs)
        } else {
            Ok(())
        }
    }
}

impl File for HostFile {
    fn stat(&mut self) -> Result<Stat, Errno> {
        let metadata = Metadata::from_file(&self.file).map_err(|error| errno(&error))?;
        Ok(stat_of(&metadata, self.device))
    }

    fn read_at(&mut self, offset: u64, into: &mut [u8]) -> Result<usize, Errno> {
        self.file
            .read_at(into, offset)
            .map_err(|error| errno(&error))
    }

    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> Result<usize, Errno> {
        self.file
            .write_at(bytes, offset)
            .map_err(|error| errno(&error))
    }

    fn set_len(&mut self, len: u64) -> Result<(), Errno> {
        self.check_writable()?;
        self.file.set_len(len).map_err(|error| errno(&error))
    }

    fn set_times(&mut self, times: NewTimes) -> Result<(), Errno> {
        self.check_writable()?;
        let times = Timestamps {
            last_access: timespec(times.accessed),
            last_modification: timespec(times.modified),
        };
        rustix::fs::futimens(&self.file, &times).map_err(|error| errno(&error.into()))
    }

    fn set_mode(&mut self, mode: Mode) -> Result<(), Errno> {
        self.check_writable()?;
        let permissions = std::fs::Permissions::from_mode(mode.bits());
        self.file
            .set_permissions(permissions)
            .map_err(|error| errno(&error))
    }

    fn lock(&mut self, kind: Option<LockKind>, range: LockRange) -> Result<(), Errno> {
        lock::set(&self.file, kind, range)
    }

    fn find_lock(&mut self, kind: LockKind, range: LockRange) -> Result<Option<HeldLock>, Errno> {
        lock::find(&self.file, kind, range)
    }

    fn sync(&mut self) -> Result<(), Errno> {
        self.file.sync_all().map_err(|error| errno(&error))
    }
}
