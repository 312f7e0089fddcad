//! `path_*`: names in a directory that is open.

use std::borrow::Cow;

use super::{Flags, OpenHow, Outcome, Wasi, fd, write_cut, write_stat};
use crate::vfs::{Follow, Mode};
use crate::{Errno, GuestMemory};

/// The longest text that is taken for a path, so that a wrong length allocates no gigabytes.
const MAX_PATH: u32 = 4096;

/// Permissions of what WASI's own functions create, which have no word for them.
const FILE_MODE: Mode = Mode::from_bits(0o666);
const DIRECTORY_MODE: Mode = Mode::from_bits(0o777);

pub(super) fn read_path(memory: &dyn GuestMemory, at: u32, len: u32) -> Result<Vec<u8>, Errno> {
    memory.check(at, len.into())?;
    if len >= MAX_PATH {
        return Err(Errno::NameTooLong);
    }
    let path = memory.read_vec(at, len)?;
    check_text(&path)?;
    Ok(path)
}

/// A path where it lies in the guest's memory, or a copy if this program cannot address that. Start-up asks for the status of
/// hundreds of files: no copy where none is needed.
pub(super) fn borrow_path(
    memory: &dyn GuestMemory,
    at: u32,
    len: u32,
) -> Result<Cow<'_, [u8]>, Errno> {
    let Some(path) = memory.slice(at, len)? else {
        return read_path(memory, at, len).map(Cow::Owned);
    };
    check_text(path)?;
    Ok(Cow::Borrowed(path))
}

/// WASI's paths are text.
fn check_text(path: &[u8]) -> Result<(), Errno> {
    std::str::from_utf8(path)
        .map(|_| ())
        .map_err(|_| Errno::Ilseq)
}

/// `lookupflags`: bit 0 follows a link at the end.
fn follow(flags: u32) -> Follow {
    if flags & 1 == 0 {
        Follow::No
    } else {
        Follow::Yes
    }
}

impl Wasi {
    /// `mkdirat`.
    ///
    /// # Errors
    /// As that.
    pub fn path_create_directory(
        &mut self,
        memory: &mut dyn GuestMemory,
        fd: u32,
        path: u32,
        path_len: u32,
    ) -> Outcome {
        let path = read_path(memory, path, path_len)?;
        let mode = DIRECTORY_MODE.without(self.mask);
        self.vfs.create_dir(self.descriptors.path(fd, &path)?, mode)
    }

    /// `fstatat`.
    ///
    /// # Errors
    /// As that.
    pub fn path_filestat_get(
        &mut self,
        memory: &mut dyn GuestMemory,
        fd: u32,
        flags: u32,
        path: u32,
        path_len: u32,
        out: u32,
    ) -> Outcome {
        let path = borrow_path(memory, path, path_len)?;
        let path = self.descriptors.path(fd, &path)?;
        let stat = self.vfs.stat(path, follow(flags))?;
        write_stat(memory, out, &stat)
    }

    /// `utimensat`.
    ///
    /// # Errors
    /// As that.
    #[expect(clippy::too_many_arguments, reason = "WASI's list")]
    pub fn path_filestat_set_times(
        &mut self,
        memory: &mut dyn GuestMemory,
        fd: u32,
        flags: u32,
        path: u32,
        path_len: u32,
        accessed: u64,
        modified: u64,
        time_flags: u32,
    ) -> Outcome {
        let path = read_path(memory, path, path_len)?;
        let times = self.new_times(accessed, modified, time_flags)?;
        let path = self.descriptors.path(fd, &path)?;
        self.vfs.set_times(path, follow(flags), times)
    }

    /// `linkat`.
    ///
    /// # Errors
    /// As that.
    #[expect(clippy::too_many_arguments, reason = "WASI's list")]
    pub fn path_link(
        &mut self,
        memory: &mut dyn GuestMemory,
        old_fd: u32,
        old_flags: u32,
        old_path: u32,
        old_path_len: u32,
        new_fd: u32,
        new_path: u32,
        new_path_len: u32,
    ) -> Outcome {
        let old_path = read_path(memory, old_path, old_path_len)?;
        let new_path = read_path(memory, new_path, new_path_len)?;
        let from = self.descriptors.path(old_fd, &old_path)?;
        let to = self.descriptors.path(new_fd, &new_path)?;
        self.vfs.link(from, follow(old_flags), to)
    }

    /// `openat`. `oflags`: bit 0 create, 1 directory, 2 exclusive, 3 truncate.
    ///
    /// # Errors
    /// As that.
    #[expect(clippy::too_many_arguments, reason = "WASI's list")]
    pub fn path_open(
        &mut self,
        memory: &mut dyn GuestMemory,
        fd: u32,
        lookup_flags: u32,
        path: u32,
        path_len: u32,
        oflags: u32,
        rights: u64,
        _inheriting: u64,
        fdflags: u32,
        out: u32,
    ) -> Outcome {
        memory.check(out, 4)?;
        let path = read_path(memory, path, path_len)?;
        let flags = Flags::from_bits(fdflags)?;
        let access = fd::access_for(rights);
        let has = |bit: u32| oflags & 1 << bit != 0;
        let how = OpenHow {
            read: access.read,
            write: access.write,
            create: has(0),
            directory: has(1),
            exclusive: has(2),
            truncate: has(3),
            append: flags.appends(),
            follow: follow(lookup_flags),
            mode: FILE_MODE.without(self.mask),
        };
        if oflags > 0b1111 {
            return Err(Errno::Inval);
        }
        let fd = self.open(fd, &path, &how, flags)?;
        memory.write_u32(out, fd)
    }

    /// `readlinkat`: what fits, without a NUL.
    ///
    /// # Errors
    /// As that.
    #[expect(clippy::too_many_arguments, reason = "WASI's list")]
    pub fn path_readlink(
        &mut self,
        memory: &mut dyn GuestMemory,
        fd: u32,
        path: u32,
        path_len: u32,
        buffer: u32,
        buffer_len: u32,
        used: u32,
    ) -> Outcome {
        let path = read_path(memory, path, path_len)?;
        let target = self.vfs.read_link(self.descriptors.path(fd, &path)?)?;
        let count = write_cut(memory, buffer, buffer_len, &target)?;
        memory.write_u32(used, count)
    }

    /// `unlinkat` with `AT_REMOVEDIR`.
    ///
    /// # Errors
    /// As that.
    pub fn path_remove_directory(
        &mut self,
        memory: &mut dyn GuestMemory,
        fd: u32,
        path: u32,
        path_len: u32,
    ) -> Outcome {
        let path = read_path(memory, path, path_len)?;
        self.vfs.remove_dir(self.descriptors.path(fd, &path)?)
    }

    /// `renameat`.
    ///
    /// # Errors
    /// As that.
    #[expect(clippy::too_many_arguments, reason = "WASI's list")]
    pub fn path_rename(
        &mut self,
        memory: &mut dyn GuestMemory,
        fd: u32,
        old_path: u32,
        old_path_len: u32,
        new_fd: u32,
        new_path: u32,
        new_path_len: u32,
    ) -> Outcome {
        let old_path = read_path(memory, old_path, old_path_len)?;
        let new_path = read_path(memory, new_path, new_path_len)?;
        let from = self.descriptors.path(fd, &old_path)?;
        let to = self.descriptors.path(new_fd, &new_path)?;
        self.vfs.rename(from, to)
    }

    /// `symlinkat`.
    ///
    /// # Errors
    /// As that.
    pub fn path_symlink(
        &mut self,
        memory: &mut dyn GuestMemory,
        target: u32,
        target_len: u32,
        fd: u32,
        path: u32,
        path_len: u32,
    ) -> Outcome {
        let target = read_path(memory, target, target_len)?;
        let path = read_path(memory, path, path_len)?;
        self.vfs.symlink(&target, self.descriptors.path(fd, &path)?)
    }

    /// `unlinkat`. A directory is refused with [`Errno::IsDir`], as on Linux: libc's `remove`
    /// tries `rmdir` on exactly this answer.
    ///
    /// # Errors
    /// As that.
    pub fn path_unlink_file(
        &mut self,
        memory: &mut dyn GuestMemory,
        fd: u32,
        path: u32,
        path_len: u32,
    ) -> Outcome {
        let path = read_path(memory, path, path_len)?;
        self.vfs.unlink(self.descriptors.path(fd, &path)?)
    }
}
