//! The one tree of files that a guest sees, made of mounted file systems.
//!
//! A guest names files by absolute paths, or by paths relative to a directory it has opened; a directory is kept as its path. All
//! ways out of the tree end here: `..` at the root stays at the root, symbolic links are resolved inside the tree, and a file
//! system sees only paths that stay below its root.

mod dev_fs;
mod fs;
mod image_fs;
mod mem_fs;
mod mounts;

pub use self::dev_fs::DevFs;
pub use self::fs::{
    Answer, DirEntry, File, FileKind, FileSystem, Follow, NewTimes, OpenHow, Opened, Refusal, Stat,
};
pub use self::image_fs::{Blob, ImageFs};
pub use self::mem_fs::MemFs;
use self::mounts::{Located, Mounts, PointId};
use crate::Errno;

/// The longest path, as Linux has it.
const MAX_PATH: usize = 4096;

/// The longest name in a directory, as Linux has it.
const MAX_NAME: usize = 255;

/// How many symbolic links a path may lead through, as Linux has it.
const MAX_LINKS: u32 = 40;

/// `directory/rest`, or the one of them that is not empty.
fn join(directory: &[u8], rest: &[u8]) -> Vec<u8> {
    match (directory, rest) {
        ([], only) | (only, []) => only.to_vec(),
        (directory, rest) => [directory, rest].join(&b'/'),
    }
}

/// A path as a guest gives it: relative to an open directory, whose path is `base`, unless it is absolute.
#[derive(Debug, Clone, Copy)]
pub struct GuestPath<'a> {
    /// Path of a directory, absolute.
    pub base: &'a [u8],
    /// What the guest said.
    pub path: &'a [u8],
}

impl<'a> GuestPath<'a> {
    /// An absolute path.
    pub fn absolute(path: &'a [u8]) -> GuestPath<'a> {
        GuestPath { base: b"/", path }
    }
}

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

    /// What is at `path`.
    ///
    /// # Errors
    /// As `fstatat(2)`.
    pub fn stat(&mut self, path: GuestPath<'_>, follow: Follow) -> Result<Stat, Errno> {
        self.at(path, |vfs, place| {
            // A slash at the end asks for the directory that a link leads to.
            let follow = if place.wants_directory {
                Follow::Yes
            } else {
                follow
            };
            let mut stat = match vfs.systems[place.fs].stat(&place.path, follow) {
                Err(refusal) => vfs
                    .leads_to_mount(place)
                    .map(|point| vfs.mounts.stat(point))
                    .ok_or(refusal)?,
                Ok(stat) => stat,
            };
            if place.wants_directory && stat.kind != FileKind::Directory {
                return Err(Errno::NotDir.into());
            }
            stat.device = place.fs as u64 + 1;
            Ok(stat)
        })
    }

    /// Opens a file or directory. A directory is answered by its path, to be used as [`GuestPath::base`].
    ///
    /// # Errors
    /// As `openat(2)`.
    pub fn open(&mut self, path: GuestPath<'_>, how: &OpenHow) -> Result<OpenedAt, Errno> {
        let opened = self.at(path, |vfs, place| {
            let mut how = *how;
            if place.wants_directory {
                if how.create && !how.directory {
                    return Err(Errno::IsDir.into());
                }
                how.directory = true;
            }
            match vfs.systems[place.fs].open(&place.path, &how) {
                Err(refusal) => match vfs.leads_to_mount(place) {
                    Some(_) if how.suits_directory() => Ok((place.fs, Opened::Directory)),
                    Some(_) => Err(Errno::IsDir.into()),
                    None if how.create => Err(Vfs::not_made(place, refusal)),
                    None => Err(refusal),
                },
                Ok(opened) => Ok((place.fs, opened)),
            }
        });
        Ok(match opened? {
            (fs, Opened::File(file)) => OpenedAt::File {
                file,
                device: fs as u64 + 1,
            },
            (_, Opened::Directory) => OpenedAt::Directory {
                path: absolute(path)?,
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
    pub fn create_dir(&mut self, path: GuestPath<'_>) -> Result<(), Errno> {
        self.at(path, |vfs, place| match place.point {
            Some(_) => Err(Errno::Exist.into()),
            None => {
                let made = vfs.systems[place.fs].create_dir(&place.path);
                made.map_err(|refusal| Vfs::not_made(place, refusal))
            }
        })
    }

    /// Removes an empty directory.
    ///
    /// # Errors
    /// As `rmdir(2)`; [`Errno::Busy`] for a mount point.
    pub fn remove_dir(&mut self, path: GuestPath<'_>) -> Result<(), Errno> {
        self.at(path, |vfs, place| {
            vfs.system_unless_point(place)?.remove_dir(&place.path)
        })
    }

    /// Removes a file or link.
    ///
    /// # Errors
    /// As `unlinkat(2)`; [`Errno::Busy`] for a mount point.
    pub fn unlink(&mut self, path: GuestPath<'_>) -> Result<(), Errno> {
        self.at(path, |vfs, place| {
            if place.wants_directory {
                // `name/` means what a link leads to, and a file it cannot mean.
                let kind = vfs.systems[place.fs].stat(&place.path, Follow::Yes)?.kind;
                return Err(if kind == FileKind::Directory {
                    Errno::IsDir
                } else {
                    Errno::NotDir
                }
                .into());
            }
            vfs.system_unless_point(place)?.unlink(&place.path)
        })
    }

    /// Moves `from` to `to`.
    ///
    /// # Errors
    /// As `renameat(2)`; [`Errno::Xdev`] between two file systems.
    pub fn rename(&mut self, from: GuestPath<'_>, to: GuestPath<'_>) -> Result<(), Errno> {
        self.at_both(from, to, |vfs, from, to| {
            let system = &mut vfs.systems[from.fs];
            let is_directory = |stat: Stat| stat.kind == FileKind::Directory;
            if (from.wants_directory || to.wants_directory)
                && !is_directory(system.stat(&from.path, Follow::No)?)
            {
                return Err(Errno::NotDir.into());
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
            vfs.systems[from.fs].link(&from.path, follow, &to.path)
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
        self.at(path, |vfs, place| match place.point {
            Some(_) => Err(Errno::Exist.into()),
            None => {
                let made = vfs.systems[place.fs].symlink(target, &place.path);
                made.map_err(|refusal| Vfs::not_made(place, refusal))
            }
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
            None => vfs.systems[place.fs].set_times(&place.path, follow, times),
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

    /// Does something at a path, following where file systems say that the path goes on elsewhere.
    fn at<T>(
        &mut self,
        path: GuestPath<'_>,
        act: impl Fn(&mut Vfs, &Located) -> Answer<T>,
    ) -> Result<T, Errno> {
        let mut place = std::mem::replace(&mut self.scratch, Located::new());
        let done = self.at_place(path, &mut place, act);
        self.scratch = place;
        done
    }

    fn at_place<T>(
        &mut self,
        path: GuestPath<'_>,
        place: &mut Located,
        act: impl Fn(&mut Vfs, &Located) -> Answer<T>,
    ) -> Result<T, Errno> {
        self.mounts.locate(path.base, path.path, place)?;
        for _ in 0..MAX_LINKS {
            match act(self, place) {
                Ok(done) => return Ok(done),
                Err(Refusal::Errno(errno)) => return Err(errno),
                Err(Refusal::Leaves { path: onward }) => {
                    let wanted_directory = place.wants_directory;
                    let base = self.mounts.path_of(place.fs);
                    self.mounts.locate(&base, &onward, place)?;
                    place.wants_directory |= wanted_directory;
                }
            }
        }
        Err(Errno::Loop)
    }

    /// Does something with two paths of one file system.
    fn at_both(
        &mut self,
        from: GuestPath<'_>,
        to: GuestPath<'_>,
        act: impl Fn(&mut Vfs, &Located, &Located) -> Answer<()>,
    ) -> Result<(), Errno> {
        let mut target = Located::new();
        self.mounts.locate(to.base, to.path, &mut target)?;
        self.at(from, |vfs, source| {
            if source.point.is_some() || target.point.is_some() {
                return Err(Errno::Busy.into());
            }
            if source.fs != target.fs {
                // What is not there is not on another device either.
                vfs.systems[source.fs].stat(&source.path, Follow::No)?;
                return Err(Errno::Xdev.into());
            }
            act(vfs, source, &target)
        })
    }

    /// What to say when something could not be made at a place.
    fn not_made(place: &Located, refusal: Refusal) -> Refusal {
        match refusal {
            // The file system below does not even have the directory that the guest sees.
            Refusal::Errno(Errno::NoEnt) if place.in_leading_point => Errno::Rofs.into(),
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

    /// The file system at a place where something may be taken away.
    fn system_unless_point(&mut self, place: &Located) -> Answer<&mut dyn FileSystem> {
        match place.point {
            Some(_) => Err(Errno::Busy.into()),
            None => Ok(&mut *self.systems[place.fs]),
        }
    }
}

/// What [`Vfs::open`] found.
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

fn absolute(path: GuestPath<'_>) -> Result<Vec<u8>, Errno> {
    let whole = match path.path.starts_with(b"/") {
        true => path.path.to_vec(),
        false => join(path.base, path.path),
    };
    // `.` and double slashes would make the path of a directory longer each time it is opened through itself.
    let mut clean = Vec::with_capacity(whole.len());
    for name in whole
        .split(|&byte| byte == b'/')
        .filter(|name| !matches!(*name, b"" | b"."))
    {
        clean.push(b'/');
        clean.extend_from_slice(name);
    }
    if clean.is_empty() {
        clean.push(b'/');
    }
    Ok(clean)
}
