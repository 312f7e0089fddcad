//! The one tree of files that a guest sees, made of mounted file systems.
//!
//! A guest names files by absolute paths, or by paths relative to a directory it has opened; a directory is kept as its path. All
//! ways out of the tree end here: `..` at the root stays at the root, symbolic links are resolved inside the tree, and a file
//! system sees only paths that stay below its root.

mod dev_fs;
mod fs;
mod image_fs;
mod lock;
mod mem_fs;
mod mode;
mod mounts;
mod path;
mod walk;

pub use self::dev_fs::DevFs;
pub use self::fs::{
    Answer, DirEntry, File, FileKind, FileSystem, Follow, FsError, NewTimes, OpenHow, OpenedFile,
    Stat,
};
pub use self::image_fs::{Blob, ImageFs};
pub use self::lock::{HeldLock, LockKind, LockRange};
pub use self::mem_fs::MemFs;
pub use self::mode::{Mode, Owner, Permissions, USER};
use self::mounts::{Located, Mounts, PointId};
pub use self::path::GuestPath;
use self::path::{Ending, MAX_PATH, parent};
use crate::Errno;

/// The mounted file systems.
pub struct Vfs {
    systems: Vec<Box<dyn FileSystem>>,
    mounts: Mounts,
    /// Kept between calls for its allocation.
    scratch: Located,
}

impl Vfs {
    /// A tree with one file system at `/`.
    pub fn new(root: Box<dyn FileSystem>) -> Vfs {
        Vfs {
            systems: vec![root],
            mounts: Mounts::new(),
            scratch: Located::new(),
        }
    }

    /// Mounts a file system at an absolute path; it hides what was there. The directories on the way are seen even if no file system has them.
    ///
    /// A file system whose root is a file is mounted as that file.
    pub fn mount(&mut self, path: &[u8], system: Box<dyn FileSystem>) {
        let (around, hidden) = self.mounts.mount(path, self.systems.len());
        if !hidden.is_empty() {
            self.systems[around].prepare_mount_point(&hidden);
        }
        self.systems.push(system);
    }

    /// Returns the `stat` of a path.
    ///
    /// # Errors
    /// As `fstatat(2)`.
    pub fn stat(&mut self, path: GuestPath<'_>, follow: Follow) -> Result<Stat, Errno> {
        self.at(path, |vfs, place| vfs.stat_place(place, follow))
    }

    /// Opens a file or directory. A directory is answered by its path, to be used as [`GuestPath::base`].
    ///
    /// # Errors
    /// As `openat(2)`.
    pub fn open(&mut self, path: GuestPath<'_>, how: &OpenHow) -> Result<OpenedAt, Errno> {
        let opened = self.at(path, |vfs, place| {
            let mut how = *how;
            match place.ending {
                Ending::Name => {}
                Ending::Slash if how.create => {
                    // Only a name in a directory that is there could have been made.
                    let above = vfs.systems[place.fs].stat(parent(&place.path), Follow::Yes);
                    return match above {
                        Err(FsError::Errno(errno)) if place.point.is_none() => Err(errno.into()),
                        _ => Err(Errno::IsDir.into()),
                    };
                }
                _ if how.create => {
                    let is_new = how.exclusive;
                    let errno = if is_new { Errno::Exist } else { Errno::IsDir };
                    return vfs.refuse_nameless(place, errno);
                }
                _ => {
                    how.directory = true;
                    how.follow = Follow::Yes;
                }
            }
            match vfs.systems[place.fs].open(&place.path, &how) {
                Err(refusal) => match vfs.leads_to_mount(place) {
                    Some(_) if how.suits_directory() => Ok((place.fs, OpenedFile::Directory)),
                    Some(_) => Err(Errno::IsDir.into()),
                    None if how.create => Err(Vfs::not_made(place, refusal)),
                    None => Err(refusal),
                },
                Ok(opened) => Ok((place.fs, opened)),
            }
        });
        Ok(match opened? {
            (fs, OpenedFile::File(file)) => OpenedAt::File {
                file,
                device: fs as u64 + 1,
            },
            (_, OpenedFile::Directory) => OpenedAt::Directory {
                path: self.directory_path(path)?,
            },
        })
    }

    /// Lists a directory, without `.` and `..`.
    ///
    /// # Errors
    /// As `opendir(3)`.
    pub fn read_dir(&mut self, path: GuestPath<'_>) -> Result<Vec<DirEntry>, Errno> {
        self.at(path, |vfs, place| {
            let mut entries = match vfs.systems[place.fs].read_dir(&place.path) {
                Err(refusal) => vfs
                    .leads_to_mount(place)
                    .map(|_| Vec::new())
                    .ok_or(refusal)?,
                Ok(entries) => entries,
            };
            vfs.add_mounts(place, &mut entries);
            Ok(entries)
        })
    }

    /// The target of a symbolic link.
    ///
    /// # Errors
    /// As `readlinkat(2)`.
    pub fn read_link(&mut self, path: GuestPath<'_>) -> Result<Vec<u8>, Errno> {
        self.at(path, |vfs, place| {
            if place.ending.wants_directory() {
                return vfs.refuse_nameless(place, Errno::Inval);
            }
            match vfs.systems[place.fs].read_link(&place.path) {
                Err(refusal) => Err(vfs
                    .leads_to_mount(place)
                    .map_or(refusal, |_| Errno::Inval.into())),
                target => target,
            }
        })
    }

    /// Makes a directory.
    ///
    /// # Errors
    /// As `mkdirat(2)`.
    pub fn create_dir(&mut self, path: GuestPath<'_>, mode: Mode) -> Result<(), Errno> {
        self.at(path, |vfs, place| {
            vfs.check_new(place, true)?;
            let made = vfs.systems[place.fs].create_dir(&place.path, mode);
            made.map_err(|refusal| Vfs::not_made(place, refusal))
        })
    }

    /// Removes an empty directory.
    ///
    /// # Errors
    /// As `rmdir(2)`; [`Errno::Busy`] for a mount point.
    pub fn remove_dir(&mut self, path: GuestPath<'_>) -> Result<(), Errno> {
        self.at(path, |vfs, place| match place.ending {
            Ending::Dot => vfs.refuse_nameless(place, Errno::Inval),
            Ending::Parent => vfs.refuse_nameless(place, Errno::NotEmpty),
            Ending::Name | Ending::Slash | Ending::Root if place.point.is_none() => {
                vfs.systems[place.fs].remove_dir(&place.path)
            }
            _ => Err(Errno::Busy.into()),
        })
    }

    /// Removes a file or link.
    ///
    /// # Errors
    /// As `unlinkat(2)`; [`Errno::Busy`] for a mount point.
    pub fn unlink(&mut self, path: GuestPath<'_>) -> Result<(), Errno> {
        self.at(path, |vfs, place| match place.ending {
            Ending::Dot | Ending::Parent | Ending::Root => vfs.refuse_nameless(place, Errno::IsDir),
            _ if place.point.is_some() => Err(Errno::Busy.into()),
            Ending::Slash => {
                let kind = vfs.systems[place.fs].stat(&place.path, Follow::No)?.kind;
                Err(match kind {
                    FileKind::Directory => Errno::IsDir.into(),
                    _ => Errno::NotDir.into(),
                })
            }
            Ending::Name => vfs.systems[place.fs].unlink(&place.path),
        })
    }

    /// Moves `from` to `to`.
    ///
    /// # Errors
    /// As `renameat(2)`; [`Errno::Xdev`] between two file systems.
    pub fn rename(&mut self, from: GuestPath<'_>, to: GuestPath<'_>) -> Result<(), Errno> {
        self.at_both(from, to, |vfs, from, to| {
            for place in [from, to] {
                if matches!(place.ending, Ending::Dot | Ending::Parent | Ending::Root) {
                    vfs.stat_place(place, Follow::Yes)?;
                    return Err(Errno::Busy.into());
                }
                if place.point.is_some() {
                    return Err(Errno::Busy.into());
                }
            }
            let system = vfs.one_system(from, to)?;
            if from.ending == Ending::Slash || to.ending == Ending::Slash {
                let kind = system.stat(&from.path, Follow::No)?.kind;
                if kind != FileKind::Directory {
                    return Err(Errno::NotDir.into());
                }
            }
            system.rename(&from.path, &to.path)
        })
    }

    /// Gives the file at `from` a second name.
    ///
    /// # Errors
    /// As `linkat(2)`; [`Errno::Xdev`] between two file systems.
    pub fn link(
        &mut self,
        from: GuestPath<'_>,
        follow: Follow,
        to: GuestPath<'_>,
    ) -> Result<(), Errno> {
        self.at_both(from, to, |vfs, from, to| {
            let follow = vfs.follow_at(from, follow)?;
            vfs.check_new(to, false).map_err(target_leaves)?;
            if from.point.is_some() {
                // It is a directory.
                return Err(Errno::Perm.into());
            }
            vfs.one_system(from, to)?.link(&from.path, follow, &to.path)
        })
    }

    /// Makes a symbolic link with the given target at `path`.
    ///
    /// # Errors
    /// As `symlinkat(2)`.
    pub fn symlink(&mut self, target: &[u8], path: GuestPath<'_>) -> Result<(), Errno> {
        if target.len() >= MAX_PATH {
            return Err(Errno::NameTooLong);
        }
        self.at(path, |vfs, place| {
            vfs.check_new(place, false)?;
            let made = vfs.systems[place.fs].symlink(target, &place.path);
            made.map_err(|refusal| Vfs::not_made(place, refusal))
        })
    }

    /// Sets the times of what is at `path`.
    ///
    /// # Errors
    /// As `utimensat(2)`.
    pub fn set_times(
        &mut self,
        path: GuestPath<'_>,
        follow: Follow,
        times: NewTimes,
    ) -> Result<(), Errno> {
        self.at(path, |vfs, place| match vfs.leads_to_mount(place) {
            Some(_) => Err(Errno::Rofs.into()),
            None => {
                let follow = vfs.follow_at(place, follow)?;
                vfs.systems[place.fs].set_times(&place.path, follow, times)
            }
        })
    }

    /// Sets the permissions of what is at `path`.
    ///
    /// # Errors
    /// As `fchmodat(2)`; [`Errno::NotSup`] for a symbolic link.
    pub fn set_mode(
        &mut self,
        path: GuestPath<'_>,
        follow: Follow,
        mode: Mode,
    ) -> Result<(), Errno> {
        self.at(path, |vfs, place| match vfs.leads_to_mount(place) {
            Some(_) => Err(Errno::Rofs.into()),
            None => {
                let follow = vfs.follow_at(place, follow)?;
                vfs.systems[place.fs].set_mode(&place.path, follow, mode)
            }
        })
    }

    /// Checks what the guest may do with what is at `path`.
    ///
    /// # Errors
    /// As `faccessat(2)`.
    pub fn access(
        &mut self,
        path: GuestPath<'_>,
        follow: Follow,
        wanted: Permissions,
    ) -> Result<(), Errno> {
        self.at(path, |vfs, place| match vfs.leads_to_mount(place) {
            Some(_) if wanted.write => Err(Errno::Rofs.into()),
            Some(_) => Ok(()),
            None => {
                let follow = vfs.follow_at(place, follow)?;
                vfs.systems[place.fs].access(&place.path, follow, wanted)
            }
        })
    }

    /// The whole content of a file, and which file it is: device and inode, the same for all its names.
    ///
    /// # Errors
    /// As `open(2)` and `read(2)`; [`Errno::IsDir`].
    pub fn read_file(&mut self, path: &[u8]) -> Result<(Vec<u8>, FileId), Errno> {
        let OpenedAt::File { mut file, device } =
            self.open(GuestPath::absolute(path), &OpenHow::READ)?
        else {
            return Err(Errno::IsDir);
        };
        let stat = file.stat()?;
        let mut bytes = Vec::new();
        let size = usize::try_from(stat.size).map_err(|_| Errno::Fbig)?;
        bytes.try_reserve_exact(size).map_err(|_| Errno::NoMem)?;
        bytes.resize(size, 0);
        let mut done = 0;
        while done < size {
            match file.read_at(done as u64, &mut bytes[done..])? {
                0 => break,
                count => done += count,
            }
        }
        bytes.truncate(done);
        Ok((
            bytes,
            FileId {
                device,
                inode: stat.inode,
            },
        ))
    }

    /// Returns the `stat` of a location.
    fn stat_place(&mut self, place: &Located, follow: Follow) -> Answer<Stat> {
        // A slash at the end asks for the directory that a link leads to.
        let follow = if place.ending.wants_directory() {
            Follow::Yes
        } else {
            follow
        };
        let mut stat = match self.systems[place.fs].stat(&place.path, follow) {
            Err(refusal) => self
                .leads_to_mount(place)
                .map(|point| self.mounts.stat(point))
                .ok_or(refusal)?,
            Ok(stat) => stat,
        };
        if place.ending.wants_directory() && stat.kind != FileKind::Directory {
            return Err(Errno::NotDir.into());
        }
        stat.device = place.fs as u64 + 1;
        Ok(stat)
    }

    /// Returns whether to follow a link at the end of a path. Fails if the path requires a directory and there is none.
    fn follow_at(&mut self, place: &Located, follow: Follow) -> Answer<Follow> {
        if !place.ending.wants_directory() {
            return Ok(follow);
        }
        self.stat_place(place, Follow::Yes)?;
        Ok(Follow::Yes)
    }

    /// The answer about a path that ends with no name, to a function that must have one: `errno`, if all of the path is there.
    fn refuse_nameless<T>(&mut self, place: &Located, errno: Errno) -> Answer<T> {
        self.stat_place(place, Follow::Yes)?;
        Err(errno.into())
    }

    /// That something can be created at a place, as far as the path tells.
    fn check_new(&mut self, place: &Located, is_directory: bool) -> Answer<()> {
        match place.ending {
            _ if place.point.is_some() => Err(Errno::Exist.into()),
            Ending::Dot | Ending::Parent | Ending::Root => {
                self.refuse_nameless(place, Errno::Exist)
            }
            Ending::Slash if !is_directory => {
                let there = self.systems[place.fs].stat(&place.path, Follow::No);
                there.and(Err(Errno::Exist.into()))
            }
            Ending::Slash | Ending::Name => Ok(()),
        }
    }

    /// The file system that has both places.
    fn one_system(&mut self, from: &Located, to: &Located) -> Answer<&mut dyn FileSystem> {
        let system = &mut *self.systems[from.fs];
        if from.fs != to.fs {
            // What is not there is not on another device either.
            system.stat(&from.path, Follow::No)?;
            return Err(Errno::Xdev.into());
        }
        Ok(system)
    }

    /// The error of a file that could not be created at a location.
    fn not_made(place: &Located, refusal: FsError) -> FsError {
        match refusal {
            // The file system below does not even have the directory that the guest sees.
            FsError::Errno(Errno::NoEnt) if place.in_leading_point => Errno::Rofs.into(),
            refusal => refusal,
        }
    }

    /// The point, when a path ends at a directory that leads to a mount, but is none itself.
    fn leads_to_mount(&self, place: &Located) -> Option<PointId> {
        place.point.filter(|&point| !self.mounts.is_mounted(point))
    }

    /// Adds the mount points directly below a place to the listing of what is there.
    fn add_mounts(&mut self, place: &Located, entries: &mut Vec<DirEntry>) {
        let Some(point) = place.point else { return };
        for (name, child, fs) in self.mounts.below(point) {
            let seen = match self.mounts.is_mounted(child) {
                // A single file may be mounted, too.
                true => self.systems[fs].stat(b"", Follow::Yes).ok(),
                false => None,
            };
            let stat = seen.unwrap_or_else(|| self.mounts.stat(child));
            let entry = DirEntry {
                name: name.to_vec(),
                inode: stat.inode,
                kind: stat.kind,
            };
            match entries.iter_mut().find(|entry| entry.name == name) {
                Some(hidden) => *hidden = entry,
                None => entries.push(entry),
            }
        }
    }
}

/// The answer about the second of two paths: that it leaves its file system is no answer about the first.
fn target_leaves(refusal: FsError) -> FsError {
    match refusal {
        FsError::Leaves { .. } => Errno::Xdev.into(),
        refusal => refusal,
    }
}

/// The result of [`Vfs::open`].
pub enum OpenedAt {
    /// A file, and the number of the file system it is on.
    File {
        /// The file.
        file: Box<dyn File>,
        /// Goes into [`Stat::device`].
        device: u64,
    },
    /// A directory.
    Directory {
        /// Its absolute path.
        path: Vec<u8>,
    },
}

/// Which file it is, whatever its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileId {
    /// The file system.
    pub device: u64,
    /// The file in it.
    pub inode: u64,
}
