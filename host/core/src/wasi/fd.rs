//! `fd_*`, first half: what a descriptor is, rather than what is in it.

use super::{
    Access, Descriptor, DescriptorKind, FileKind, Flags, GuestPath, Outcome, Wasi, write_stat,
};
use crate::vfs::{Follow, NewTimes};
use crate::{Errno, GuestMemory, Timestamp};

/// `rights`: libc's `fcntl(F_GETFL)` and `isatty` read them.
mod rights {
    pub(super) const FD_READ: u64 = 1 << 1;
    pub(super) const FD_SEEK: u64 = 1 << 2;
    pub(super) const FD_TELL: u64 = 1 << 5;
    pub(super) const FD_WRITE: u64 = 1 << 6;
    pub(super) const ALL: u64 = (1 << 30) - 1;
    /// Everything that changes or reads the content of a file.
    pub(super) const CONTENT: u64 =
        FD_READ | FD_WRITE | FD_DATASYNC | FD_ALLOCATE | FD_READDIR | FD_SET_SIZE;
    const FD_DATASYNC: u64 = 1;
    const FD_ALLOCATE: u64 = 1 << 8;
    const FD_READDIR: u64 = 1 << 14;
    const FD_SET_SIZE: u64 = 1 << 22;
    pub(super) const FOR_WRITING: u64 = FD_WRITE | FD_DATASYNC | FD_ALLOCATE | FD_SET_SIZE;
    pub(super) const FOR_READING: u64 = FD_READ | FD_READDIR;
}

impl Wasi {
    /// Advice about what will be read next: taken note of, and of no effect.
    ///
    /// # Errors
    /// [`Errno::Badf`]; [`Errno::Spipe`] for a stream; [`Errno::Inval`] for advice that WASI has not.
    pub fn fd_advise(&mut self, fd: u32, _offset: u64, _len: u64, advice: u32) -> Outcome {
        match self.descriptors.get(fd)?.kind {
            DescriptorKind::Stream { .. } => Err(Errno::Spipe),
            _ if advice > 5 => Err(Errno::Inval),
            _ => Ok(()),
        }
    }

    /// Closes a file.
    ///
    /// # Errors
    /// [`Errno::Badf`].
    pub fn fd_close(&mut self, fd: u32) -> Outcome {
        self.descriptors.close(fd)
    }

    /// Kind, flags and rights: 24 bytes.
    ///
    /// # Errors
    /// [`Errno::Badf`]; [`Errno::Fault`].
    pub fn fd_fdstat_get(&mut self, memory: &mut dyn GuestMemory, fd: u32, out: u32) -> Outcome {
        let descriptor = self.descriptors.get(fd)?;
        let (kind, rights) = match &mut descriptor.kind {
            DescriptorKind::Directory { .. } => (
                FileKind::Directory,
                rights::ALL & !(rights::FD_SEEK | rights::FD_WRITE),
            ),
            DescriptorKind::File { file, access, .. } => (file.stat()?.kind, rights_of(*access)),
            // Without these two, and with the kind of a terminal, libc takes it for a terminal.
            DescriptorKind::Stream { stream, access } => (
                stream.kind(),
                rights_of(*access) & !(rights::FD_SEEK | rights::FD_TELL),
            ),
        };
        let mut bytes = [0; 24];
        bytes[0] = kind as u8;
        bytes[2..4].copy_from_slice(&descriptor.flags.bits().to_le_bytes());
        bytes[8..16].copy_from_slice(&rights.to_le_bytes());
        // What is opened below a directory may have all rights.
        let inherited = if kind == FileKind::Directory {
            rights::ALL
        } else {
            0
        };
        bytes[16..24].copy_from_slice(&inherited.to_le_bytes());
        memory.write(out, &bytes)
    }

    /// Sets append and its like.
    ///
    /// # Errors
    /// [`Errno::Badf`]; [`Errno::Inval`] for a flag that WASI has not.
    pub fn fd_fdstat_set_flags(&mut self, fd: u32, flags: u32) -> Outcome {
        let descriptor = self.descriptors.get(fd)?;
        descriptor.flags = Flags::from_bits(flags)?;
        Ok(())
    }

    /// Gives up rights. Nothing comes of it, as nothing depends on rights.
    ///
    /// # Errors
    /// [`Errno::Badf`].
    pub fn fd_fdstat_set_rights(&mut self, fd: u32, _base: u64, _inheriting: u64) -> Outcome {
        self.descriptors.get(fd).map(|_| ())
    }

    /// Writes the file's `stat`, 64 bytes.
    ///
    /// # Errors
    /// [`Errno::Badf`]; [`Errno::Fault`]; [`Errno::Io`].
    pub fn fd_filestat_get(&mut self, memory: &mut dyn GuestMemory, fd: u32, out: u32) -> Outcome {
        let stat = self.stat_open(fd)?;
        write_stat(memory, out, &stat)
    }

    /// Sets the times of an open file.
    ///
    /// # Errors
    /// [`Errno::Badf`]; [`Errno::Inval`] for flags that contradict each other or a stream; [`Errno::Rofs`].
    pub fn fd_filestat_set_times(
        &mut self,
        fd: u32,
        accessed: u64,
        modified: u64,
        flags: u32,
    ) -> Outcome {
        let times = self.new_times(accessed, modified, flags)?;
        match &mut self.descriptors.get(fd)?.kind {
            DescriptorKind::Directory { path, .. } => {
                self.vfs
                    .set_times(GuestPath::absolute(path), Follow::Yes, times)
            }
            DescriptorKind::File { file, .. } => file.set_times(times),
            DescriptorKind::Stream { .. } => Err(Errno::Inval),
        }
    }

    /// Writes the description of a preopened directory: 8 bytes, of which the second half is the length of its name.
    ///
    /// # Errors
    /// [`Errno::Badf`] when not: libc tries one number after the other and stops there.
    pub fn fd_prestat_get(&mut self, memory: &mut dyn GuestMemory, fd: u32, out: u32) -> Outcome {
        let len = self.preopened(fd)?.len() as u32;
        memory.write_u32(out, 0)?;
        memory.write_u32(out.checked_add(4).ok_or(Errno::Fault)?, len)
    }

    /// The name of a directory that was given at start, without a NUL.
    ///
    /// # Errors
    /// [`Errno::Badf`]; [`Errno::NameTooLong`] when the buffer is too small; [`Errno::Fault`].
    pub fn fd_prestat_dir_name(
        &mut self,
        memory: &mut dyn GuestMemory,
        fd: u32,
        at: u32,
        len: u32,
    ) -> Outcome {
        let name = self.preopened(fd)?;
        if name.len() > len as usize {
            return Err(Errno::NameTooLong);
        }
        memory.write(at, name)
    }

    /// `to` becomes what `fd` was; `fd` is closed.
    ///
    /// # Errors
    /// [`Errno::Badf`].
    pub fn fd_renumber(&mut self, fd: u32, to: u32) -> Outcome {
        self.descriptors.renumber(fd, to)
    }

    fn preopened(&mut self, fd: u32) -> Result<&[u8], Errno> {
        match &self.descriptors.get(fd)?.kind {
            DescriptorKind::Directory {
                path,
                is_preopened: true,
                ..
            } => Ok(path),
            _ => Err(Errno::Badf),
        }
    }

    /// `fstflags`: bit 0 set, bit 1 now, for the time of access; bits 2 and 3 for that of modification.
    pub(super) fn new_times(
        &self,
        accessed: u64,
        modified: u64,
        flags: u32,
    ) -> Result<NewTimes, Errno> {
        let now = match flags & 0b1010 {
            0 => Timestamp(0),
            _ => Timestamp(self.platform.now(crate::Clock::Realtime)?),
        };
        let time = |given: u64, flags: u32| match flags {
            0b00 => Ok(None),
            0b01 => Ok(Some(Timestamp(given))),
            0b10 => Ok(Some(now)),
            _ => Err(Errno::Inval),
        };
        if flags > 0b1111 {
            return Err(Errno::Inval);
        }
        Ok(NewTimes {
            accessed: time(accessed, flags & 0b11)?,
            modified: time(modified, flags >> 2)?,
        })
    }
}

fn rights_of(access: Access) -> u64 {
    let mut rights = rights::ALL & !rights::CONTENT;
    if access.read {
        rights |= rights::FOR_READING;
    }
    if access.write {
        rights |= rights::FOR_WRITING;
    }
    rights
}

/// Returns the access rights for the rights that the guest requests.
pub(super) fn access_for(rights: u64) -> Access {
    Access {
        read: rights & rights::FD_READ != 0,
        write: rights & rights::FD_WRITE != 0,
    }
}

impl Wasi {
    pub(super) fn open_descriptor(
        &mut self,
        kind: DescriptorKind,
        flags: Flags,
    ) -> Result<u32, Errno> {
        self.descriptors.insert(Descriptor { kind, flags })
    }
}
