//! The interface of a file system to the VFS: two traits and their types.

use super::lock::{HeldLock, LockKind, LockRange};
use super::mode::{Mode, Owner, Permissions};
use super::path::parent;
use crate::memory::{GuestMemory, fill};
use crate::{Errno, MaybeSend, Timestamp};

/// The type of a file, with WASI's numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum FileKind {
    /// Something else, such as a pipe.
    Unknown = 0,
    /// A block device.
    BlockDevice = 1,
    /// A character device: a terminal.
    CharacterDevice = 2,
    /// A directory.
    Directory = 3,
    /// A regular file.
    RegularFile = 4,
    /// A datagram socket.
    SocketDatagram = 5,
    /// A byte-stream socket.
    SocketStream = 6,
    /// A symbolic link.
    SymbolicLink = 7,
}

/// The result of `stat`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stat {
    /// The file system; the VFS fills it in.
    pub device: u64,
    /// The file in its file system; never 0.
    pub inode: u64,
    /// File type.
    pub kind: FileKind,
    /// Permissions.
    pub mode: Mode,
    /// Owner.
    pub owner: Owner,
    /// Names that it has.
    pub links: u64,
    /// Bytes of a file, or of a link's target.
    pub size: u64,
    /// Last read.
    pub accessed: Timestamp,
    /// Last change of the content.
    pub modified: Timestamp,
    /// Last change of anything.
    pub changed: Timestamp,
}

impl Stat {
    /// Returns the `stat` of an immutable file with an inode and a type.
    pub const fn unchanging(inode: u64, kind: FileKind, size: u64) -> Stat {
        let time = Timestamp::UNCHANGING;
        Stat {
            device: 0,
            inode,
            kind,
            mode: Mode::of_kind(kind),
            owner: Owner::Guest,
            links: 1,
            size,
            accessed: time,
            modified: time,
            changed: time,
        }
    }
}

/// One line of a directory listing. `.` and `..` are added by the VFS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirEntry {
    /// The name, one path component.
    pub name: Vec<u8>,
    /// As in [`Stat`].
    pub inode: u64,
    /// As in [`Stat`].
    pub kind: FileKind,
}

/// Follow a symbolic link at the end of a path, or not. Links in the middle are always followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Follow {
    /// The target is meant.
    Yes,
    /// The link itself is meant.
    No,
}

/// Options for opening a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenHow {
    /// For reading.
    pub read: bool,
    /// For writing.
    pub write: bool,
    /// Make the file when it is not there.
    pub create: bool,
    /// Fail when it is there (with `create`).
    pub exclusive: bool,
    /// Empty it.
    pub truncate: bool,
    /// Write at the end, also when another descriptor writes there.
    pub append: bool,
    /// Fail unless it is a directory.
    pub directory: bool,
    /// A link at the end.
    pub follow: Follow,
    /// The permissions of a file that is created.
    pub mode: Mode,
}

impl OpenHow {
    /// For reading, following links.
    pub const READ: OpenHow = OpenHow {
        read: true,
        write: false,
        create: false,
        exclusive: false,
        truncate: false,
        append: false,
        directory: false,
        follow: Follow::Yes,
        mode: Mode::FILE,
    };

    /// Returns `true` if the result may be a directory: no option is for files only.
    pub fn suits_directory(&self) -> bool {
        !(self.write || self.create && !self.directory || self.truncate)
    }
}

/// New times of a file; what is `None` stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct NewTimes {
    /// Last read.
    pub accessed: Option<Timestamp>,
    /// Last change of the content.
    pub modified: Option<Timestamp>,
}

/// The result of `open`.
pub enum OpenedFile {
    /// A file.
    File(Box<dyn File>),
    /// A directory: it is reached by its path from now on.
    Directory,
}

/// Why a file system did not do what it was asked to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FsError {
    /// It failed.
    Errno(Errno),
    /// The path leads out of this file system, by a symbolic link: this is where it goes on, an absolute path of the guest or a
    /// path relative to this file system's root.
    Leaves {
        /// The path with the rest behind the link.
        path: Vec<u8>,
    },
}

impl From<Errno> for FsError {
    fn from(errno: Errno) -> FsError {
        FsError::Errno(errno)
    }
}

/// The result of a file system operation.
pub type Answer<T> = Result<T, FsError>;

/// A tree of files that can be mounted.
///
/// Paths are relative to its root: names between single slashes, without `.` and `..`; empty is the root itself.
/// A file system never lets a path out of its tree: it refuses or answers [`FsError::Leaves`].
pub trait FileSystem: MaybeSend {
    /// Returns the `stat` of a path.
    ///
    /// # Errors
    /// [`Errno::NoEnt`], [`Errno::NotDir`], [`Errno::Loop`], …
    fn stat(&mut self, path: &[u8], follow: Follow) -> Answer<Stat>;

    /// Opens `path`.
    ///
    /// # Errors
    /// As `open(2)`.
    fn open(&mut self, path: &[u8], how: &OpenHow) -> Answer<OpenedFile>;

    /// Lists a directory.
    ///
    /// # Errors
    /// [`Errno::NotDir`] and those of `stat`.
    fn read_dir(&mut self, path: &[u8]) -> Answer<Vec<DirEntry>>;

    /// The target of a symbolic link.
    ///
    /// # Errors
    /// [`Errno::Inval`] when it is none.
    fn read_link(&mut self, path: &[u8]) -> Answer<Vec<u8>> {
        self.stat(path, Follow::No)?;
        Err(Errno::Inval.into())
    }

    /// Something will be mounted at `path`: a chance to make the directory. Failure does not matter.
    fn prepare_mount_point(&mut self, _path: &[u8]) {}

    /// Makes a directory.
    ///
    /// # Errors
    /// As `mkdir(2)`.
    fn create_dir(&mut self, path: &[u8], _mode: Mode) -> Answer<()> {
        refuse_new(self, path)
    }

    /// Removes an empty directory.
    ///
    /// # Errors
    /// As `rmdir(2)`.
    fn remove_dir(&mut self, path: &[u8]) -> Answer<()> {
        refuse_change(self, path)
    }

    /// Removes a file or link.
    ///
    /// # Errors
    /// As `unlink(2)`.
    fn unlink(&mut self, path: &[u8]) -> Answer<()> {
        refuse_change(self, path)
    }

    /// Moves `from` to `to`, replacing what is there.
    ///
    /// # Errors
    /// As `rename(2)`. When only `to` leaves the file system, the answer is [`Errno::Xdev`].
    fn rename(&mut self, from: &[u8], _to: &[u8]) -> Answer<()> {
        refuse_change(self, from)
    }

    /// Makes a symbolic link at `path`.
    ///
    /// # Errors
    /// As `symlink(2)`.
    fn symlink(&mut self, _target: &[u8], path: &[u8]) -> Answer<()> {
        refuse_new(self, path)
    }

    /// Gives the file at `from` a second name.
    ///
    /// # Errors
    /// As `link(2)`.
    fn link(&mut self, from: &[u8], _follow: Follow, _to: &[u8]) -> Answer<()> {
        refuse_change(self, from)
    }

    /// Sets the times of what is at `path`.
    ///
    /// # Errors
    /// As `utimensat(2)`.
    fn set_times(&mut self, path: &[u8], follow: Follow, _times: NewTimes) -> Answer<()> {
        self.stat(path, follow)?;
        Err(Errno::Rofs.into())
    }

    /// Sets the permissions of what is at `path`.
    ///
    /// # Errors
    /// As `fchmodat(2)`; [`Errno::NotSup`] for a symbolic link.
    fn set_mode(&mut self, path: &[u8], follow: Follow, _mode: Mode) -> Answer<()> {
        self.stat(path, follow)?;
        Err(Errno::Rofs.into())
    }

    /// Checks what the guest may do with what is at `path`. By default nothing can be written to.
    ///
    /// # Errors
    /// As `faccessat(2)`.
    fn access(&mut self, path: &[u8], follow: Follow, wanted: Permissions) -> Answer<()> {
        let stat = self.stat(path, follow)?;
        if wanted.write && stat.kind != FileKind::CharacterDevice {
            return Err(Errno::Rofs.into());
        }
        match stat.mode.allows(wanted) {
            true => Ok(()),
            false => Err(Errno::Acces.into()),
        }
    }
}

/// A read-only file system's answer about something that should be there.
fn refuse_change<T>(fs: &mut (impl FileSystem + ?Sized), path: &[u8]) -> Answer<T> {
    fs.stat(path, Follow::No)?;
    Err(Errno::Rofs.into())
}

/// A read-only file system's answer about something that should not be there yet.
fn refuse_new<T>(fs: &mut (impl FileSystem + ?Sized), path: &[u8]) -> Answer<T> {
    match fs.stat(path, Follow::No) {
        Ok(_) => Err(Errno::Exist.into()),
        Err(FsError::Errno(Errno::NoEnt)) => {
            // Only in a directory that is there could it have been made.
            fs.stat(parent(path), Follow::Yes)?;
            Err(Errno::Rofs.into())
        }
        Err(other) => Err(other),
    }
}

/// An open regular file. The caller keeps the position in it.
pub trait File: MaybeSend {
    /// Returns the file's `stat`.
    ///
    /// # Errors
    /// [`Errno::Io`].
    fn stat(&mut self) -> Result<Stat, Errno>;

    /// Reads at `offset`; fewer bytes than asked for only at the end of the file, or when the host gives no more at once.
    ///
    /// # Errors
    /// [`Errno::Io`].
    fn read_at(&mut self, offset: u64, into: &mut [u8]) -> Result<usize, Errno>;

    /// Reads straight into the guest's memory: the way for files whose bytes this program cannot address.
    ///
    /// # Errors
    /// [`Errno::Fault`], [`Errno::Io`].
    fn read_to_guest(
        &mut self,
        offset: u64,
        memory: &mut dyn GuestMemory,
        at: u32,
        len: u32,
    ) -> Result<usize, Errno> {
        fill(memory, at, len, |done, room| {
            self.read_at(offset.saturating_add(done), room)
        })
    }

    /// Writes at `offset`, filling a gap before it with zeros.
    ///
    /// # Errors
    /// [`Errno::NoSpc`], [`Errno::Fbig`], [`Errno::Io`]; [`Errno::Badf`] when it is not open for writing.
    fn write_at(&mut self, _offset: u64, _bytes: &[u8]) -> Result<usize, Errno> {
        Err(Errno::Badf)
    }

    /// Cuts or lengthens the file.
    ///
    /// # Errors
    /// As for `write_at`; [`Errno::Inval`] when it is not open for writing.
    fn set_len(&mut self, _len: u64) -> Result<(), Errno> {
        Err(Errno::Inval)
    }

    /// Sets its times.
    ///
    /// # Errors
    /// [`Errno::Rofs`].
    fn set_times(&mut self, _times: NewTimes) -> Result<(), Errno> {
        Err(Errno::Rofs)
    }

    /// Sets its permissions.
    ///
    /// # Errors
    /// [`Errno::Rofs`].
    fn set_mode(&mut self, _mode: Mode) -> Result<(), Errno> {
        Err(Errno::Rofs)
    }

    /// Locks a part of the file for the guest, or unlocks it. No other process sees the files of most file systems.
    ///
    /// # Errors
    /// [`Errno::Again`] while another process holds a conflicting lock; [`Errno::NoLck`].
    fn lock(&mut self, _kind: Option<LockKind>, _range: LockRange) -> Result<(), Errno> {
        Ok(())
    }

    /// Finds a lock of another process that conflicts with this one.
    ///
    /// # Errors
    /// [`Errno::Io`].
    fn find_lock(&mut self, _kind: LockKind, _range: LockRange) -> Result<Option<HeldLock>, Errno> {
        Ok(None)
    }

    /// Brings what was written to where it lasts.
    ///
    /// # Errors
    /// [`Errno::Io`].
    fn sync(&mut self) -> Result<(), Errno> {
        Ok(())
    }
}
