//! Directories and files of this machine as file systems of the guest.
//!
//! cap-std keeps every path below the directory, whatever links there are and even if they change meanwhile.

mod file;
mod links;
mod lock;
mod metadata;

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use cap_std::fs::{
    Dir, DirBuilder, DirBuilderExt, MetadataExt, OpenOptions, OpenOptionsExt, PermissionsExt,
};
use pymode_host::Errno;
use pymode_host::vfs::{
    Answer, DirEntry, FileKind, FileSystem, Follow, FsError, Mode, NewTimes, OpenHow, OpenedFile,
    Permissions, Stat,
};
use rustix::fs::{AtFlags, OFlags, Timestamps};

use self::file::HostFile;
use self::metadata::{kind, stat_of};
use crate::errno::errno;
use crate::platform;

/// Access of a guest to a directory: read-only, or writable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DirectoryAccess {
    ReadOnly,
    ReadWrite,
}

/// A directory of this machine, or a single file of one.
pub(crate) struct HostDir {
    dir: Dir,
    /// The only name there is, when a single file is mounted.
    only: Option<Vec<u8>>,
    access: DirectoryAccess,
    device: u64,
}

impl HostDir {
    pub(crate) fn open(path: &Path, access: DirectoryAccess) -> io::Result<HostDir> {
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
                    Some(path) => FsError::Leaves { path },
                    None => Errno::NotCapable.into(),
                }
            }
            errno => errno.into(),
        })
    }

    /// Changes what is at a path, or takes it away.
    fn change<T>(&self, path: &[u8], act: impl FnOnce(&Dir, &Path) -> io::Result<T>) -> Answer<T> {
        self.check_change(path, Follow::No)?;
        self.at(path, Follow::No, act)
    }

    /// Makes what is not there yet.
    fn make<T>(&self, path: &[u8], act: impl FnOnce(&Dir, &Path) -> io::Result<T>) -> Answer<T> {
        if self.access == DirectoryAccess::ReadOnly {
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
                FsError::Errno(Errno::NotCapable)
                    if links::way_out(&self.dir, to, Follow::No).is_some() =>
                {
                    Errno::Xdev.into()
                }
                refusal => refusal,
            })
    }

    /// Opens a file, and gives it all of its permissions if it is new.
    ///
    /// The system takes this process's mask away from them, which the guest does not know.
    fn open_file(&self, path: &Path, how: &OpenHow) -> io::Result<cap_std::fs::File> {
        let options = self.options(how);
        let is_masked = how.mode.without(platform::mask()) != how.mode;
        if is_masked && how.create && self.access == DirectoryAccess::ReadWrite {
            let mut new = options.clone();
            new.create(false).create_new(true);
            match self.dir.open_with(path, &new) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists && !how.exclusive => {}
                opened => {
                    let file = opened?;
                    file.set_permissions(permissions(how.mode))?;
                    return Ok(file);
                }
            }
        }
        self.dir.open_with(path, &options)
    }

    /// Calls a function with the directory of a path and the name in it, which is not a link if links are
    /// followed. The function must not follow links either, so that it stays in the directory even if names change meanwhile.
    fn at_name<T>(
        &self,
        path: &[u8],
        follow: Follow,
        act: impl FnOnce(&Dir, &Path) -> io::Result<T>,
    ) -> Answer<T> {
        self.at(path, follow, |dir, at| {
            let is_link = follow == Follow::Yes && dir.symlink_metadata(at)?.is_symlink();
            let at: PathBuf = match is_link {
                true => dir.canonicalize(at)?,
                false => at.to_path_buf(),
            };
            match (at.parent(), at.file_name()) {
                (Some(above), Some(name)) if above != Path::new("") => {
                    act(&dir.open_dir(above)?, Path::new(name))
                }
                _ => act(dir, &at),
            }
        })
    }

    /// Refuses to change what is there, if all is read-only.
    fn check_change(&self, path: &[u8], follow: Follow) -> Answer<()> {
        if self.access == DirectoryAccess::ReadOnly {
            // What is not there could not have been changed anyway.
            self.at(path, follow, |dir, at| match follow {
                Follow::Yes => dir.metadata(at),
                Follow::No => dir.symlink_metadata(at),
            })?;
            return Err(Errno::Rofs.into());
        }
        Ok(())
    }

    fn options(&self, how: &OpenHow) -> OpenOptions {
        let mut options = OpenOptions::new();
        // A pipe without a writer must not stop the host.
        let mut flags = OFlags::NONBLOCK;
        if how.directory {
            flags |= OFlags::DIRECTORY;
        }
        if how.follow == Follow::No {
            flags |= OFlags::NOFOLLOW;
        }
        options
            .custom_flags(flags.bits().cast_signed())
            .mode(how.mode.bits());
        let makes = how.create && self.access == DirectoryAccess::ReadWrite;
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
            Err(FsError::Errno(Errno::NoEnt)) if how.create => {
                self.stat(parent(path), Follow::Yes)?;
                Err(Errno::Rofs.into())
            }
            Err(refusal) => Err(refusal),
        }
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

    fn open(&mut self, path: &[u8], how: &OpenHow) -> Answer<OpenedFile> {
        if self.access == DirectoryAccess::ReadOnly && (how.write || how.truncate || how.create) {
            self.check_read_only(path, how)?;
        }
        let opened = self.at(path, how.follow, |dir, at| {
            debug_assert!(std::ptr::eq(dir, &self.dir));
            self.open_file(at, how)
        })?;
        let metadata = opened.metadata().map_err(|error| errno(&error))?;
        match kind(metadata.file_type()) {
            FileKind::Directory => Ok(OpenedFile::Directory),
            FileKind::RegularFile => Ok(OpenedFile::File(Box::new(HostFile {
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

    fn create_dir(&mut self, path: &[u8], mode: Mode) -> Answer<()> {
        self.make(path, |dir, at| {
            let mut builder = DirBuilder::new();
            dir.create_dir_with(at, builder.mode(mode.bits()))?;
            match mode.without(platform::mask()) == mode {
                true => Ok(()),
                false => dir.set_permissions(at, permissions(mode)),
            }
        })
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
        self.make(path, |dir, at| {
            dir.symlink_contents(OsStr::from_bytes(target), at)
        })
    }

    fn link(&mut self, from: &[u8], follow: Follow, to: &[u8]) -> Answer<()> {
        let from = match follow {
            Follow::Yes => self.at(from, follow, |dir, at| dir.canonicalize(at))?,
            Follow::No => self.path(from)?.to_path_buf(),
        };
        let from = from.as_os_str().as_bytes();
        self.change_both(from, to, |dir, from, to| dir.hard_link(from, dir, to))
    }

    fn set_times(&mut self, path: &[u8], follow: Follow, times: NewTimes) -> Answer<()> {
        self.check_change(path, follow)?;
        let times = Timestamps {
            last_access: file::timespec(times.accessed),
            last_modification: file::timespec(times.modified),
        };
        self.at_name(path, follow, |dir, name| {
            let flags = AtFlags::SYMLINK_NOFOLLOW;
            Ok(rustix::fs::utimensat(dir, name, &times, flags)?)
        })
    }

    fn set_mode(&mut self, path: &[u8], follow: Follow, mode: Mode) -> Answer<()> {
        self.check_change(path, follow)?;
        if follow == Follow::No && self.stat(path, follow)?.kind == FileKind::SymbolicLink {
            return Err(Errno::NotSup.into());
        }
        self.at(path, Follow::Yes, |dir, at| {
            dir.set_permissions(at, permissions(mode))
        })
    }

    fn access(&mut self, path: &[u8], follow: Follow, wanted: Permissions) -> Answer<()> {
        if wanted.write {
            self.check_change(path, follow)?;
        }
        let mut modes = rustix::fs::Access::EXISTS;
        for (is_wanted, mode) in [
            (wanted.read, rustix::fs::Access::READ_OK),
            (wanted.write, rustix::fs::Access::WRITE_OK),
            (wanted.execute, rustix::fs::Access::EXEC_OK),
        ] {
            modes.set(mode, is_wanted);
        }
        self.at_name(path, follow, |dir, name| {
            let flags = AtFlags::EACCESS | AtFlags::SYMLINK_NOFOLLOW;
            Ok(rustix::fs::accessat(dir, name, modes, flags)?)
        })
    }
}

fn permissions(mode: Mode) -> cap_std::fs::Permissions {
    cap_std::fs::Permissions::from_mode(mode.bits())
}
