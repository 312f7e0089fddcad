//! `pymode.path_*`, `pymode.fstat` and their like: what POSIX says about files and WASI preview1 has no word for: permissions,
//! owners, and a working directory.

use super::path::{borrow_path, read_path};
use super::{Access, DescriptorKind, Flags, OpenHow, OpenedAt, Outcome, Wasi};
use crate::vfs::{FileKind, Follow, GuestPath, Mode, Permissions, Stat};
use crate::{Errno, GuestMemory, Timestamp};

/// The length of the guest's `struct stat`.
const STAT_LEN: usize = 144;

/// `AT_SYMLINK_NOFOLLOW` of the guest's `<fcntl.h>`.
const NO_FOLLOW: u32 = 1;

/// `O_*` of the guest's `<fcntl.h>`: WASI's `fdflags`, WASI's `oflags` from bit 12 on, and libc's own.
mod open_flags {
    pub(super) const FDFLAGS: u32 = 0xfff;
    pub(super) const CREATE: u32 = 1 << 12;
    pub(super) const DIRECTORY: u32 = 2 << 12;
    pub(super) const EXCLUSIVE: u32 = 4 << 12;
    pub(super) const TRUNCATE: u32 = 8 << 12;
    pub(super) const NO_FOLLOW: u32 = 1 << 24;
    pub(super) const EXECUTE: u32 = 1 << 25;
    pub(super) const READ: u32 = 1 << 26;
    pub(super) const SEARCH: u32 = 1 << 27;
    pub(super) const WRITE: u32 = 1 << 28;
    pub(super) const ALL: u32 = FDFLAGS
        | CREATE
        | DIRECTORY
        | EXCLUSIVE
        | TRUNCATE
        | NO_FOLLOW
        | EXECUTE
        | READ
        | SEARCH
        | WRITE;
}

/// `AT_*` of a function that only knows whether to follow a link.
fn follow(flags: u32) -> Result<Follow, Errno> {
    match flags {
        0 => Ok(Follow::Yes),
        NO_FOLLOW => Ok(Follow::No),
        _ => Err(Errno::Inval),
    }
}

impl Wasi {
    /// `fchdir`, and from there on.
    ///
    /// # Errors
    /// As `chdir(2)`.
    pub fn chdir(
        &mut self,
        memory: &mut dyn GuestMemory,
        fd: u32,
        path: u32,
        path_len: u32,
    ) -> Outcome {
        let path = read_path(memory, path, path_len)?;
        let directory = self.vfs.real_directory(self.descriptors.path(fd, &path)?)?;
        let here = GuestPath::absolute(&directory);
        self.vfs.access(here, Follow::Yes, Permissions::SEARCH)?;
        self.descriptors.set_working_directory(directory);
        Ok(())
    }

    /// `getcwd`, without a NUL; its length goes to `out`.
    ///
    /// # Errors
    /// [`Errno::Range`] when it does not fit; [`Errno::NoEnt`] when it has been removed; [`Errno::Fault`].
    pub fn getcwd(
        &mut self,
        memory: &mut dyn GuestMemory,
        buffer: u32,
        room: u32,
        out: u32,
    ) -> Outcome {
        memory.check(out, 4)?;
        let directory = self.descriptors.working_directory();
        self.vfs.stat(GuestPath::absolute(directory), Follow::Yes)?;
        if directory.len() > room as usize {
            return Err(Errno::Range);
        }
        memory.write(buffer, directory)?;
        memory.write_u32(out, directory.len() as u32)
    }

    /// `openat`, with libc's flags.
    ///
    /// # Errors
    /// As that.
    #[expect(clippy::too_many_arguments, reason = "the contract's list")]
    pub fn openat(
        &mut self,
        memory: &mut dyn GuestMemory,
        fd: u32,
        path: u32,
        path_len: u32,
        flags: u32,
        mode: u32,
        out: u32,
    ) -> Outcome {
        memory.check(out, 4)?;
        let path = read_path(memory, path, path_len)?;
        let has = |flag: u32| flags & flag != 0;
        if flags & !open_flags::ALL != 0 {
            return Err(Errno::Inval);
        }
        let fdflags = Flags::from_bits(flags & open_flags::FDFLAGS)?;
        let how = OpenHow {
            read: has(open_flags::READ),
            write: has(open_flags::WRITE),
            create: has(open_flags::CREATE),
            directory: has(open_flags::DIRECTORY),
            exclusive: has(open_flags::EXCLUSIVE),
            truncate: has(open_flags::TRUNCATE),
            append: fdflags.appends(),
            follow: match has(open_flags::NO_FOLLOW) {
                true => Follow::No,
                false => Follow::Yes,
            },
            mode: Mode::from_bits(mode).without(self.mask),
        };
        let fd = self.open(fd, &path, &how, fdflags)?;
        memory.write_u32(out, fd)
    }

    /// Opens a path and gives it a descriptor.
    pub(super) fn open(
        &mut self,
        fd: u32,
        path: &[u8],
        how: &OpenHow,
        flags: Flags,
    ) -> Result<u32, Errno> {
        if how.create && how.directory {
            return Err(Errno::Inval);
        }
        let path = self.descriptors.path(fd, path)?;
        let kind = match self.vfs.open(path, how)? {
            OpenedAt::File { file, device } => DescriptorKind::File {
                file,
                device,
                position: 0,
                access: Access {
                    read: how.read,
                    write: how.write,
                },
            },
            OpenedAt::Directory { path } => DescriptorKind::Directory {
                path,
                is_preopened: false,
                listing: Vec::new(),
            },
        };
        self.open_descriptor(kind, flags)
    }

    /// `mkdirat`.
    ///
    /// # Errors
    /// As that.
    pub fn mkdirat(
        &mut self,
        memory: &mut dyn GuestMemory,
        fd: u32,
        path: u32,
        path_len: u32,
        mode: u32,
    ) -> Outcome {
        let path = read_path(memory, path, path_len)?;
        // Only the sticky bit comes with the others.
        let mode = Mode::from_bits(mode & 0o1777).without(self.mask);
        self.vfs.create_dir(self.descriptors.path(fd, &path)?, mode)
    }

    /// `fstatat`.
    ///
    /// # Errors
    /// As that.
    pub fn fstatat(
        &mut self,
        memory: &mut dyn GuestMemory,
        fd: u32,
        path: u32,
        path_len: u32,
        flags: u32,
        out: u32,
    ) -> Outcome {
        let follow = follow(flags)?;
        let path = borrow_path(memory, path, path_len)?;
        let path = self.descriptors.path(fd, &path)?;
        let stat = self.vfs.stat(path, follow)?;
        memory.write(out, &stat_bytes(&stat))
    }

    /// `fstat`.
    ///
    /// # Errors
    /// As that.
    pub fn fstat(&mut self, memory: &mut dyn GuestMemory, fd: u32, out: u32) -> Outcome {
        let stat = self.stat_open(fd)?;
        memory.write(out, &stat_bytes(&stat))
    }

    /// Returns the `stat` of an open file.
    pub(super) fn stat_open(&mut self, fd: u32) -> Result<Stat, Errno> {
        Ok(match &mut self.descriptors.get(fd)?.kind {
            DescriptorKind::Directory { path, .. } => {
                self.vfs.stat(GuestPath::absolute(path), Follow::Yes)?
            }
            DescriptorKind::File { file, device, .. } => Stat {
                device: *device,
                ..file.stat()?
            },
            DescriptorKind::Stream { stream, .. } => Stat {
                accessed: Timestamp(0),
                modified: Timestamp(0),
                changed: Timestamp(0),
                ..Stat::unchanging(u64::from(fd) + 1, stream.kind(), 0)
            },
        })
    }

    /// `faccessat`.
    ///
    /// # Errors
    /// As that.
    pub fn faccessat(
        &mut self,
        memory: &mut dyn GuestMemory,
        fd: u32,
        path: u32,
        path_len: u32,
        wanted: u32,
        flags: u32,
    ) -> Outcome {
        let follow = follow(flags)?;
        if wanted > 0b111 {
            return Err(Errno::Inval);
        }
        let path = read_path(memory, path, path_len)?;
        let wanted = Permissions {
            read: wanted & 4 != 0,
            write: wanted & 2 != 0,
            execute: wanted & 1 != 0,
        };
        self.vfs
            .access(self.descriptors.path(fd, &path)?, follow, wanted)
    }

    /// `fchmodat`.
    ///
    /// # Errors
    /// As that.
    pub fn fchmodat(
        &mut self,
        memory: &mut dyn GuestMemory,
        fd: u32,
        path: u32,
        path_len: u32,
        mode: u32,
        flags: u32,
    ) -> Outcome {
        let follow = follow(flags)?;
        let path = read_path(memory, path, path_len)?;
        let mode = Mode::from_bits(mode);
        self.vfs
            .set_mode(self.descriptors.path(fd, &path)?, follow, mode)
    }

    /// `fchmod`.
    ///
    /// # Errors
    /// As that; [`Errno::Inval`] for a stream.
    pub fn fchmod(&mut self, fd: u32, mode: u32) -> Outcome {
        let mode = Mode::from_bits(mode);
        match &mut self.descriptors.get(fd)?.kind {
            DescriptorKind::Directory { path, .. } => {
                self.vfs
                    .set_mode(GuestPath::absolute(path), Follow::Yes, mode)
            }
            DescriptorKind::File { file, .. } => file.set_mode(mode),
            DescriptorKind::Stream { .. } => Err(Errno::Inval),
        }
    }

    /// `umask`: returns the old mask.
    pub fn umask(&mut self, mask: u32) -> u32 {
        std::mem::replace(&mut self.mask, Mode::from_bits(mask & 0o777)).bits()
    }
}

/// The guest's `struct stat`.
fn stat_bytes(stat: &Stat) -> [u8; STAT_LEN] {
    const BLOCK: u64 = 4096;
    let kind: u32 = match stat.kind {
        // What is nothing else is a pipe.
        FileKind::Unknown => 0o010_000,
        FileKind::CharacterDevice => 0o020_000,
        FileKind::Directory => 0o040_000,
        FileKind::BlockDevice => 0o060_000,
        FileKind::RegularFile => 0o100_000,
        FileKind::SymbolicLink => 0o120_000,
        FileKind::SocketDatagram | FileKind::SocketStream => 0o140_000,
    };
    let mut bytes = [0; STAT_LEN];
    let mut put = |at: usize, field: &[u8]| bytes[at..][..field.len()].copy_from_slice(field);
    put(0, &stat.device.to_le_bytes());
    put(8, &stat.inode.to_le_bytes());
    put(16, &stat.links.to_le_bytes());
    put(24, &(kind | stat.mode.bits()).to_le_bytes());
    put(28, &stat.owner.number().to_le_bytes());
    put(32, &stat.owner.number().to_le_bytes());
    put(48, &stat.size.to_le_bytes());
    put(56, &(BLOCK as u32).to_le_bytes());
    // Of 512 bytes each, in whole blocks.
    put(
        64,
        &(stat.size.div_ceil(BLOCK) * (BLOCK / 512)).to_le_bytes(),
    );
    for (at, time) in [
        (72, stat.accessed),
        (88, stat.modified),
        (104, stat.changed),
    ] {
        put(at, &(time.0 / 1_000_000_000).to_le_bytes());
        put(at + 8, &((time.0 % 1_000_000_000) as u32).to_le_bytes());
    }
    bytes
}
