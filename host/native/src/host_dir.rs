//! Directories and files of this machine as file systems of the guest.
//!
//! cap-std keeps every path below the directory, whatever links there are and whoever changes them meanwhile.

mod links;

use std::ffi::OsStr;
use std::fs::File as SystemFile;
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::{Duration, SystemTime};

use cap_std::fs::{Dir, FileTypeExt, Metadata, MetadataExt, OpenOptions, OpenOptionsExt};
use pymode_host::vfs::{
    Answer, DirEntry, File, FileKind, FileSystem, Follow, NewTimes, OpenHow, Opened, Refusal, Stat,
};
use pymode_host::{Errno, Timestamp};

use rustix::fs::OFlags;

use crate::errno::errno;

/// Whether a guest may change what it sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    ReadOnly,
    ReadWrite,
}

/// A directory of this machine, or a single file of one.
pub(crate) struct HostDir {
    dir: Dir,
    /// The only name there is, when a single file is mounted.
    only: Option<Vec<u8>>,
    access: Access,
    device: u64,
}

impl HostDir {
    pub(crate) fn open(path: &Path, access: Access) -> io::Result<HostDir> {
        let authority = cap_std::ambient_authority();
        let path = path.canonicalize()?;
        let (dir, only) = match (path.is_dir(), path.parent(), path.file_name()) {
            (false, Some(parent), Some(name)) => (
                Dir::open_ambient_dir(parent, authority)?,
                Some(name.as_bytes().to_vec()),
            ),
            _ => (Dir::open_ambient_dir(&path, authority)?, None),
        };
        let device = dir.dir_metadata()?.dev();
        Ok(HostDir {
            dir,
            only,
            access,
            device,
        })
    }

    /// The path in `dir`.
    fn path<'a>(&'a self, path: &'a [u8]) -> Result<&'a Path, Errno> {
        let bytes = match (&self.only, path) {
            (None, b"") => b".",
            (None, path) => path,
            (Some(name), b"") => name,
            (Some(_), _) => return Err(Errno::NotDir),
        };
        Ok(Path::new(OsStr::from_bytes(bytes)))
    }

    /// Does something at a path. Where a link leads out of the directory, it is the guest's tree that it goes on in.
    fn at<T>(
        &self,
        path: &[u8],
        follow: Follow,
        act: impl FnOnce(&Dir, &Path) -> io::Result<T>,
    ) -> Answer<T> {
        act(&self.dir, self.path(path)?).map_err(|error| match errno(&error) {
            Errno::NotCapable if self.only.is_none() => {
                match links::way_out(&self.dir, path, follow) {
                    Some(path) => Refusal::Leaves { path },
                    None => Errno::NotCapable.into(),
                }
            }
            errno => errno.into(),
        })
    }

    /// Changes what is at a path, or takes it away.
    fn change<T>(&self, path: &[u8], act: impl FnOnce(&Dir, &Path) -> io::Result<T>) -> Answer<T> {
        if self.access == Access::ReadOnly {
            // What is not there could not have been changed anyway.
            self.at(path, Follow::No, |dir, at| dir.symlink_metadata(at))?;
            return Err(Errno::Rofs.into());
        }
        self.at(path, Follow::No, act)
    }

    /// Makes what is not there yet.
    fn make<T>(&self, path: &[u8], act: impl FnOnce(&Dir, &Path) -> io::Result<T>) -> Answer<T> {
        if self.access == Access::ReadOnly {
            if self
                .at(path, Follow::No, |dir, at| dir.symlink_metadata(at))
                .is_ok()
            {
                return Err(Errno::Exist.into());
            }
            self.at(parent(path), Follow::Yes, |dir, at| dir.metadata(at))?;
            return Err(Errno::Rofs.into());
        }
        self.at(path, Follow::No, act)
    }

    /// Changes what is at two paths.
    fn change_both(
        &self,
        from: &[u8],
        to: &[u8],
        act: impl FnOnce(&Dir, &Path, &Path) -> io::Result<()>,
    ) -> Answer<()> {
        let to_path = self.path(to)?;
        self.change(from, |dir, from| act(dir, from, to_path))
            .map_err(|refusal| match refusal {
                // Not the first path leads out, so it is the second.
                Refusal::Errno(Errno::NotCapable)
                    if links::way_out(&self.dir, to, Follow::No).is_some() =>
                {
                    Errno::Xdev.into()
                }
                refusal => refusal,
            })
    }

    fn options(&self, how: &OpenHow) -> OpenOptions {
        let mut options = OpenOptions::new();
        // A pipe that nobody writes to must not stop the host.
        let mut flags = OFlags::NONBLOCK;
        if how.directory {
            flags |= OFlags::DIRECTORY;
        }
        if how.follow == Follow::No {
            flags |= OFlags::NOFOLLOW;
        }
        options.custom_flags(flags.bits().cast_signed());
        let makes = how.create && self.access == Access::ReadWrite;
        // What is made must be opened for writing, says the standard library, and nothing that is emptied is appended to.
        let write = how.write || how.truncate || makes;
        options
            .read(how.read || !write)
            .write(write)
            .truncate(how.truncate);
        options.append(how.append && write && !how.truncate);
        // `create_new` says it all by itself.
        options
            .create(makes && !how.exclusive)
            .create_new(makes && how.exclusive);
        options
    }

    /// Refuses what would change a read-only directory, with the reason that a writable one would have given, if it had one.
    fn check_read_only(&mut self, path: &[u8], how: &OpenHow) -> Answer<()> {
        match self.stat(path, how.follow) {
            Ok(_) if how.create && how.exclusive => Err(Errno::Exist.into()),
            Ok(stat) if stat.kind == FileKind::Directory && !how.suits_directory() => {
                Err(Errno::IsDir.into())
            }
            Ok(_) if how.write || how.truncate => Err(Errno::Rofs.into()),
            Ok(_) => Ok(()),
            Err(Refusal::Errno(Errno::NoEnt)) if how.create => {
                self.stat(parent(path), Follow::Yes)?;
                Err(Errno::Rofs.into())
            }
            Err(refusal) => Err(refusal),
        }
    }
}

fn stat_of(metadata: &Metadata, device: u64) -> Stat {
    let time = |seconds: i64, nanoseconds: i64| {
        let nanoseconds = i128::from(seconds) * 1_000_000_000 + i128::from(nanoseconds);
        // What was before 1970 is at 1970.
        Timestamp(u64::try_from(nanoseconds.max(0)).unwrap_or(u64::MAX))
    };
    Stat {
        device: 0,
        inode: inode(metadata.ino(), metadata.dev(), device),
        kind: kind(metadata.file_type()),
        links: metadata.nlink(),
        size: metadata.len(),
        accessed: time(metadata.atime(), metadata.atime_nsec()),
        modified: time(metadata.mtime(), metadata.mtime_nsec()),
        changed: time(metadata.ctime(), metadata.ctime_nsec()),
    }
}

/// Other file systems may be mounted below a directory, and have the same inodes: their device goes into the number.
fn inode(inode: u64, device: u64, root: u64) -> u64 {
    if device == root {
        inode
    } else {
        inode ^ device.rotate_left(32)
    }
}

fn kind(kind: cap_std::fs::FileType) -> FileKind {
    if kind.is_dir() {
        FileKind::Directory
    } else if kind.is_file() {
        FileKind::RegularFile
    } else if kind.is_symlink() {
        FileKind::SymbolicLink
    } else if kind.is_char_device() {
        FileKind::CharacterDevice
    } else if kind.is_block_device() {
        FileKind::BlockDevice
    } else if kind.is_socket() {
        FileKind::SocketStream
    } else {
        FileKind::Unknown
    }
}

fn parent(path: &[u8]) -> &[u8] {
    match path.iter().rposition(|&byte| byte == b'/') {
        Some(slash) => &path[..slash],
        None => b"",
    }
}

impl FileSystem for HostDir {
    fn stat(&mut self, path: &[u8], follow: Follow) -> Answer<Stat> {
        let metadata = self.at(path, follow, |dir, at| match (path, follow, &self.only) {
            (b"", _, None) => dir.dir_metadata(),
            (_, Follow::Yes, _) => dir.metadata(at),
            (_, Follow::No, _) => dir.symlink_metadata(at),
        })?;
        Ok(stat_of(&metadata, self.device))
    }

    fn open(&mut self, path: &[u8], how: &OpenHow) -> Answer<Opened> {
        if self.access == Access::ReadOnly && (how.write || how.truncate || how.create) {
            self.check_read_only(path, how)?;
        }
        let opened = self.at(path, how.follow, |dir, at| {
            dir.open_with(at, &self.options(how))
        })?;
        let metadata = opened.metadata().map_err(|error| errno(&error))?;
        match kind(metadata.file_type()) {
            FileKind::Directory => Ok(Opened::Directory),
            FileKind::RegularFile => Ok(Opened::File(Box::new(HostFile {
                file: opened.into_std(),
                access: self.access,
                device: self.device,
            }))),
            // Devices and pipes of the machine are not the guest's.
            _ => Err(Errno::Acces.into()),
        }
    }

    fn read_dir(&mut self, path: &[u8]) -> Answer<Vec<DirEntry>> {
        if self.only.is_some() {
            return Err(Errno::NotDir.into());
        }
        let mut entries = Vec::new();
        for entry in self.at(path, Follow::Yes, |dir, at| dir.read_dir(at))? {
            let entry = entry.map_err(|error| errno(&error))?;
            // One that is gone by now, or cannot be looked at, has still a name.
            let kind = entry.file_type().map_or(FileKind::Unknown, kind);
            let inode = entry
                .metadata()
                .map_or(1, |metadata| stat_of(&metadata, self.device).inode);
            entries.push(DirEntry {
                name: entry.file_name().into_vec(),
                inode,
                kind,
            });
        }
        Ok(entries)
    }

    fn read_link(&mut self, path: &[u8]) -> Answer<Vec<u8>> {
        let target = self.at(path, Follow::No, |dir, at| dir.read_link_contents(at))?;
        Ok(target.into_os_string().into_vec())
    }

    fn create_dir(&mut self, path: &[u8]) -> Answer<()> {
        self.make(path, |dir, at| dir.create_dir(at))
    }

    fn remove_dir(&mut self, path: &[u8]) -> Answer<()> {
        self.change(path, |dir, at| dir.remove_dir(at))
    }

    fn unlink(&mut self, path: &[u8]) -> Answer<()> {
        self.change(path, |dir, at| dir.remove_file(at))
    }

    fn rename(&mut self, from: &[u8], to: &[u8]) -> Answer<()> {
        self.change_both(from, to, |dir, from, to| dir.rename(from, dir, to))
    }

    fn symlink(&mut self, target: &[u8], path: &[u8]) -> Answer<()> {
        self.make(path, |dir, at| dir.symlink(OsStr::from_bytes(target), at))
    }

    fn link(&mut self, from: &[u8], _follow: Follow, to: &[u8]) -> Answer<()> {
        self.change_both(from, to, |dir, from, to| dir.hard_link(from, dir, to))
    }

    fn set_times(&mut self, path: &[u8], follow: Follow, times: NewTimes) -> Answer<()> {
        let stat = self.stat(path, follow)?;
        if self.access == Access::ReadOnly {
            return Err(Errno::Rofs.into());
        }
        if stat.kind == FileKind::SymbolicLink {
            return Err(Errno::NotSup.into());
        }
        let file = self.at(path, follow, |dir, at| {
            dir.open_with(at, &self.options(&OpenHow::READ))
        })?;
        Ok(set_times(&file.into_std(), times)?)
    }
}

fn set_times(file: &SystemFile, times: NewTimes) -> Result<(), Errno> {
    let system = |time: Timestamp| SystemTime::UNIX_EPOCH + Duration::from_nanos(time.0);
    let mut new = std::fs::FileTimes::new();
    if let Some(time) = times.accessed {
        new = new.set_accessed(system(time));
    }
    if let Some(time) = times.modified {
        new = new.set_modified(system(time));
    }
    file.set_times(new).map_err(|error| errno(&error))
}

struct HostFile {
    file: SystemFile,
    access: Access,
    device: u64,
}

impl HostFile {
    fn check_writable(&self) -> Result<(), Errno> {
        if self.access == Access::ReadOnly {
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
        set_times(&self.file, times)
    }

    fn sync(&mut self) -> Result<(), Errno> {
        self.file.sync_all().map_err(|error| errno(&error))
    }
}
