//! A file system in memory: the guest's `/tmp`.

mod tree;

use std::borrow::Cow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use self::tree::{Inode, InodeContent, ROOT, Tree};
use super::fs::{
    Answer, DirEntry, File, FileKind, FileSystem, Follow, FsError, NewTimes, OpenHow, OpenedFile,
    Stat,
};
use super::mode::{Mode, Permissions};
use super::path::{Ending, MAX_LINKS, MAX_NAME, join};
use crate::platform::Clock;
use crate::{Errno, Platform, Timestamp};

/// A writable tree that lives as long as this value and its open files, with room for so many bytes.
pub struct MemFs {
    shared: Shared,
}

/// State that the tree and its open files share. The guest does one thing at a time, so the lock is never contended.
#[derive(Clone)]
struct Shared {
    tree: Arc<Mutex<Tree>>,
    platform: Arc<dyn Platform>,
}

impl Shared {
    fn tree(&self) -> MutexGuard<'_, Tree> {
        // Nothing panics half-way through a change.
        self.tree.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Timestamp {
        now(&*self.platform)
    }
}

fn now(platform: &dyn Platform) -> Timestamp {
    platform
        .now(Clock::Realtime)
        .map_or(Timestamp::UNCHANGING, Timestamp)
}

/// The end of a path: the directory, the name in it, and the file with that name, if there is one.
struct NodeLocation {
    parent: Inode,
    /// Empty when the path ends in the tree's root or in `..`.
    name: Vec<u8>,
    node: Option<Inode>,
    /// A link at the end said so, with a slash at the end of its target.
    wants_directory: bool,
}

impl MemFs {
    /// An empty tree with room for `limit` bytes of files, names and bookkeeping.
    pub fn new(platform: Arc<dyn Platform>, limit: u64) -> MemFs {
        let tree = Tree::new(limit, now(&*platform));
        MemFs {
            shared: Shared {
                tree: Arc::new(Mutex::new(tree)),
                platform,
            },
        }
    }

    fn file(&self, tree: &mut Tree, inode: Inode, write: bool) -> Answer<OpenedFile> {
        tree.open(inode)?;
        Ok(OpenedFile::File(Box::new(MemFile {
            shared: self.shared.clone(),
            inode,
            write,
        })))
    }

    /// Makes what `content` says at a path where nothing may be.
    fn make(&mut self, path: &[u8], content: InodeContent, mode: Mode) -> Answer<()> {
        let now = self.shared.now();
        let mut tree = self.shared.tree();
        let place = tree.walk(path, Follow::No)?;
        match place.node {
            Some(_) => Err(Errno::Exist.into()),
            None => tree.make(&place, content, mode, now).map(|_| ()),
        }
    }
}

impl Tree {
    fn walk(&self, path: &[u8], follow: Follow) -> Answer<NodeLocation> {
        let mut rest = Cow::Borrowed(path);
        let mut at = 0;
        let mut directory = ROOT;
        let mut links = 0;
        let mut wants_directory = false;
        loop {
            let Some((name, after)) = first_name(&rest[at..]) else {
                return Ok(NodeLocation {
                    parent: directory,
                    name: Vec::new(),
                    node: Some(directory),
                    wants_directory,
                });
            };
            let behind = &rest[rest.len() - after..];
            let is_last = first_name(behind).is_none();
            if name == b".." {
                let Some(parent) = self.parent(directory)? else {
                    return Err(FsError::Leaves {
                        path: join(b"..", behind),
                    });
                };
                directory = parent;
                at = rest.len() - after;
                continue;
            }
            self.check(directory, Permissions::SEARCH)?;
            let Some(child) = self.child(directory, name)? else {
                return match is_last {
                    true => Ok(NodeLocation {
                        parent: directory,
                        name: name.to_vec(),
                        node: None,
                        wants_directory,
                    }),
                    false => Err(Errno::NoEnt.into()),
                };
            };
            if let (Some(target), true) =
                (self.link_target(child)?, !is_last || follow == Follow::Yes)
            {
                links += 1;
                if links > MAX_LINKS {
                    return Err(Errno::Loop.into());
                }
                let onward = join(target, behind);
                if target.starts_with(b"/") {
                    return Err(FsError::Leaves { path: onward });
                }
                wants_directory |= is_last && Ending::of(target).wants_directory();
                rest = Cow::Owned(onward);
                at = 0;
                continue;
            }
            if is_last {
                return Ok(NodeLocation {
                    parent: directory,
                    name: name.to_vec(),
                    node: Some(child),
                    wants_directory,
                });
            }
            if self.kind(child)? != FileKind::Directory {
                return Err(Errno::NotDir.into());
            }
            directory = child;
            at = rest.len() - after;
        }
    }

    /// Returns the inode of a path that must exist.
    fn existing(&self, path: &[u8], follow: Follow) -> Answer<Inode> {
        let place = self.walk(path, follow)?;
        let inode = place.node.ok_or(Errno::NoEnt)?;
        match place.wants_directory && !self.is_directory(inode)? {
            true => Err(Errno::NotDir.into()),
            false => Ok(inode),
        }
    }

    /// The place that a second path leads to, which the first must not leave the tree for.
    fn target(&self, path: &[u8]) -> Answer<NodeLocation> {
        match self.walk(path, Follow::No) {
            Err(FsError::Leaves { .. }) => Err(Errno::Xdev.into()),
            place => place,
        }
    }

    fn is_directory(&self, inode: Inode) -> Result<bool, Errno> {
        Ok(self.kind(inode)? == FileKind::Directory)
    }

    fn make(
        &mut self,
        place: &NodeLocation,
        content: InodeContent,
        mode: Mode,
        now: Timestamp,
    ) -> Answer<Inode> {
        self.check(place.parent, Permissions::CHANGE)?;
        let inode = self.add(content, mode, now)?;
        let named = self.insert(place.parent, &place.name, inode, now);
        // Without a name, it is to go at once.
        self.collect(inode);
        Ok(named.map(|()| inode)?)
    }

    fn unname(&mut self, place: &NodeLocation, now: Timestamp) -> Answer<()> {
        let inode = self.remove(place.parent, &place.name, now)?;
        self.collect(inode);
        Ok(())
    }
}

/// The first name of a path, and how many bytes follow it; `.` and empty names are skipped.
fn first_name(path: &[u8]) -> Option<(&[u8], usize)> {
    let mut rest = path;
    loop {
        let end = rest
            .iter()
            .position(|&byte| byte == b'/')
            .unwrap_or(rest.len());
        let (name, after) = (&rest[..end], &rest[rest.len().min(end + 1)..]);
        match name {
            b"" | b"." if after.is_empty() => return None,
            b"" | b"." => rest = after,
            _ => return Some((name, after.len())),
        }
    }
}

impl FileSystem for MemFs {
    fn stat(&mut self, path: &[u8], follow: Follow) -> Answer<Stat> {
        let tree = self.shared.tree();
        Ok(tree.stat(tree.existing(path, follow)?)?)
    }

    fn open(&mut self, path: &[u8], how: &OpenHow) -> Answer<OpenedFile> {
        let now = self.shared.now();
        let mut tree = self.shared.tree();
        let exclusive = how.create && how.exclusive;
        let place = tree.walk(path, if exclusive { Follow::No } else { how.follow })?;
        if place.wants_directory && how.create {
            return Err(Errno::IsDir.into());
        }
        let how = &OpenHow {
            directory: how.directory || place.wants_directory,
            ..*how
        };
        let Some(inode) = place.node else {
            if !how.create || how.directory {
                return Err(Errno::NoEnt.into());
            }
            let content = InodeContent::File(Vec::new());
            let inode = tree.make(&place, content, how.mode, now)?;
            return self.file(&mut tree, inode, how.write);
        };
        if exclusive {
            return Err(Errno::Exist.into());
        }
        let wanted = Permissions {
            read: how.read,
            write: how.write || how.truncate,
            execute: false,
        };
        match tree.kind(inode)? {
            FileKind::Directory if how.suits_directory() => {
                tree.check(inode, wanted)?;
                Ok(OpenedFile::Directory)
            }
            FileKind::Directory => Err(Errno::IsDir.into()),
            _ if how.directory => Err(Errno::NotDir.into()),
            FileKind::SymbolicLink => Err(Errno::Loop.into()),
            _ => {
                tree.check(inode, wanted)?;
                if how.truncate {
                    tree.set_len(inode, 0, now)?;
                }
                self.file(&mut tree, inode, how.write)
            }
        }
    }

    fn read_dir(&mut self, path: &[u8]) -> Answer<Vec<DirEntry>> {
        let tree = self.shared.tree();
        Ok(tree.list(tree.existing(path, Follow::Yes)?)?)
    }

    fn read_link(&mut self, path: &[u8]) -> Answer<Vec<u8>> {
        let tree = self.shared.tree();
        let target = tree.link_target(tree.existing(path, Follow::No)?)?;
        Ok(target.ok_or(Errno::Inval)?.to_vec())
    }

    fn prepare_mount_point(&mut self, path: &[u8]) {
        let slashes = path.iter().enumerate().filter(|(_, byte)| **byte == b'/');
        for end in slashes.map(|(at, _)| at).chain([path.len()]) {
            // One that is there already is as good, and a tree without room does without.
            let _ = self.create_dir(&path[..end], Mode::DIRECTORY);
        }
    }

    fn create_dir(&mut self, path: &[u8], mode: Mode) -> Answer<()> {
        self.make(path, InodeContent::directory(), mode)
    }

    fn remove_dir(&mut self, path: &[u8]) -> Answer<()> {
        let now = self.shared.now();
        let mut tree = self.shared.tree();
        let place = tree.walk(path, Follow::No)?;
        let inode = place.node.ok_or(Errno::NoEnt)?;
        if place.name.is_empty() {
            // The root, or the directory that `..` names, which is not empty: the path came from inside it.
            return Err(if inode == ROOT {
                Errno::Busy
            } else {
                Errno::NotEmpty
            }
            .into());
        }
        tree.check(place.parent, Permissions::CHANGE)?;
        tree.check_empty(inode)?;
        tree.unname(&place, now)
    }

    fn unlink(&mut self, path: &[u8]) -> Answer<()> {
        let now = self.shared.now();
        let mut tree = self.shared.tree();
        let place = tree.walk(path, Follow::No)?;
        let inode = place.node.ok_or(Errno::NoEnt)?;
        tree.check(place.parent, Permissions::CHANGE)?;
        if tree.is_directory(inode)? {
            return Err(Errno::IsDir.into());
        }
        tree.unname(&place, now)
    }

    fn rename(&mut self, from: &[u8], to: &[u8]) -> Answer<()> {
        let now = self.shared.now();
        let mut tree = self.shared.tree();
        let source = tree.walk(from, Follow::No)?;
        let inode = source.node.ok_or(Errno::NoEnt)?;
        let target = tree.target(to)?;
        if source.name.is_empty() || target.name.is_empty() {
            return Err(Errno::Busy.into());
        }
        tree.check(source.parent, Permissions::CHANGE)?;
        tree.check(target.parent, Permissions::CHANGE)?;
        let moves_directory = tree.is_directory(inode)?;
        if moves_directory && tree.is_inside(target.parent, inode)? {
            return Err(Errno::Inval.into());
        }
        if let Some(there) = target.node {
            if inode == there {
                return Ok(());
            }
            if tree.is_inside(source.parent, there)? {
                return Err(Errno::NotEmpty.into());
            }
            match (moves_directory, tree.is_directory(there)?) {
                (true, true) => tree.check_empty(there)?,
                (true, false) => return Err(Errno::NotDir.into()),
                (false, true) => return Err(Errno::IsDir.into()),
                (false, false) => {}
            }
        }
        if target.name.len() > MAX_NAME {
            return Err(Errno::NameTooLong.into());
        }
        // From here on nothing fails.
        if target.node.is_some() {
            tree.unname(&target, now)?;
        }
        tree.remove(source.parent, &source.name, now)?;
        Ok(tree.insert(target.parent, &target.name, inode, now)?)
    }

    fn symlink(&mut self, target: &[u8], path: &[u8]) -> Answer<()> {
        match target {
            [] => Err(Errno::NoEnt.into()),
            target => {
                let mode = Mode::of_kind(FileKind::SymbolicLink);
                self.make(path, InodeContent::Link(target.to_vec()), mode)
            }
        }
    }

    fn link(&mut self, from: &[u8], follow: Follow, to: &[u8]) -> Answer<()> {
        let now = self.shared.now();
        let mut tree = self.shared.tree();
        let inode = tree.existing(from, follow)?;
        let place = tree.target(to)?;
        if tree.is_directory(inode)? {
            return Err(Errno::Perm.into());
        }
        match place.node {
            Some(_) => Err(Errno::Exist.into()),
            None => {
                tree.check(place.parent, Permissions::CHANGE)?;
                Ok(tree.insert(place.parent, &place.name, inode, now)?)
            }
        }
    }

    fn set_times(&mut self, path: &[u8], follow: Follow, times: NewTimes) -> Answer<()> {
        let now = self.shared.now();
        let mut tree = self.shared.tree();
        let inode = tree.existing(path, follow)?;
        Ok(tree.set_times(inode, times, now)?)
    }

    fn set_mode(&mut self, path: &[u8], follow: Follow, mode: Mode) -> Answer<()> {
        let now = self.shared.now();
        let mut tree = self.shared.tree();
        let inode = tree.existing(path, follow)?;
        Ok(tree.set_mode(inode, mode, now)?)
    }

    fn access(&mut self, path: &[u8], follow: Follow, wanted: Permissions) -> Answer<()> {
        let tree = self.shared.tree();
        let inode = tree.existing(path, follow)?;
        Ok(tree.check(inode, wanted)?)
    }
}

struct MemFile {
    shared: Shared,
    inode: Inode,
    write: bool,
}

impl File for MemFile {
    fn stat(&mut self) -> Result<Stat, Errno> {
        self.shared.tree().stat(self.inode)
    }

    fn read_at(&mut self, offset: u64, into: &mut [u8]) -> Result<usize, Errno> {
        self.shared.tree().read_at(self.inode, offset, into)
    }

    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> Result<usize, Errno> {
        let now = self.shared.now();
        match self.write {
            true => self.shared.tree().write_at(self.inode, offset, bytes, now),
            false => Err(Errno::Badf),
        }
    }

    fn set_len(&mut self, len: u64) -> Result<(), Errno> {
        let now = self.shared.now();
        match self.write {
            true => self.shared.tree().set_len(self.inode, len, now),
            false => Err(Errno::Inval),
        }
    }

    fn set_times(&mut self, times: NewTimes) -> Result<(), Errno> {
        let now = self.shared.now();
        self.shared.tree().set_times(self.inode, times, now)
    }

    fn set_mode(&mut self, mode: Mode) -> Result<(), Errno> {
        let now = self.shared.now();
        self.shared.tree().set_mode(self.inode, mode, now)
    }
}

impl Drop for MemFile {
    fn drop(&mut self) {
        self.shared.tree().close(self.inode);
    }
}
