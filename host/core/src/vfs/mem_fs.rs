//! A file system in memory: the guest's `/tmp`.

mod node;

use std::borrow::Cow;
use std::rc::Rc;

use self::node::{Content, Node, Space};
use super::fs::{
    Answer, DirEntry, File, FileKind, FileSystem, Follow, NewTimes, OpenHow, Opened, Refusal, Stat,
};
use super::{MAX_LINKS, join};
use crate::platform::Clock;
use crate::{Errno, Platform, Timestamp};

/// A writable tree that lives as long as this value, with room for so many bytes.
pub struct MemFs {
    root: Rc<Node>,
    platform: Rc<dyn Platform>,
    space: Rc<Space>,
}

/// Where a path ends: the directory, the name in it, and what has that name, if anything.
struct Place {
    parent: Rc<Node>,
    /// Empty when the path ends in the tree's root or in `..`.
    name: Vec<u8>,
    node: Option<Rc<Node>>,
}

impl MemFs {
    /// An empty tree with room for `limit` bytes of files, names and bookkeeping.
    pub fn new(platform: Rc<dyn Platform>, limit: u64) -> MemFs {
        let space = Rc::new(Space::new(limit));
        // The root is free of charge, so that even a tree without room is a tree.
        let root = Node::root(now(&*platform));
        MemFs {
            root,
            platform,
            space,
        }
    }

    fn now(&self) -> Timestamp {
        now(&*self.platform)
    }

    fn walk(&self, path: &[u8], follow: Follow) -> Answer<Place> {
        let mut rest = Cow::Borrowed(path);
        let mut at = 0;
        let mut directory = Rc::clone(&self.root);
        let mut links = 0;
        loop {
            let Some((name, after)) = first_name(&rest[at..]) else {
                return Ok(Place {
                    parent: Rc::clone(&directory),
                    name: Vec::new(),
                    node: Some(directory),
                });
            };
            let behind = &rest[rest.len() - after..];
            let is_last = first_name(behind).is_none();
            if name == b".." {
                let Some(parent) = directory.parent()? else {
                    return Err(Refusal::Leaves {
                        path: join(b"..", behind),
                    });
                };
                directory = parent;
                at = rest.len() - after;
                continue;
            }
            let Some(child) = directory.child(name)? else {
                return match is_last {
                    true => Ok(Place {
                        parent: directory,
                        name: name.to_vec(),
                        node: None,
                    }),
                    false => Err(Errno::NoEnt.into()),
                };
            };
            if let (Some(target), true) = (child.link_target(), !is_last || follow == Follow::Yes) {
                links += 1;
                if links > MAX_LINKS {
                    return Err(Errno::Loop.into());
                }
                let onward = join(&target, behind);
                if target.starts_with(b"/") {
                    return Err(Refusal::Leaves { path: onward });
                }
                rest = Cow::Owned(onward);
                at = 0;
                continue;
            }
            if is_last {
                return Ok(Place {
                    parent: directory,
                    name: name.to_vec(),
                    node: Some(child),
                });
            }
            if !child.is_directory() {
                return Err(Errno::NotDir.into());
            }
            directory = child;
            at = rest.len() - after;
        }
    }

    /// The node at a path that must be there.
    fn existing(&self, path: &[u8], follow: Follow) -> Answer<Rc<Node>> {
        self.walk(path, follow)?.node.ok_or(Errno::NoEnt.into())
    }

    /// Makes what `content` says at a path where nothing may be.
    fn make(&mut self, path: &[u8], content: Content) -> Answer<Rc<Node>> {
        let place = self.walk(path, Follow::No)?;
        if place.node.is_some() {
            return Err(Errno::Exist.into());
        }
        self.make_at(&place, content)
    }

    fn make_at(&self, place: &Place, content: Content) -> Answer<Rc<Node>> {
        let node = Node::new(content, self.now(), &self.space)?;
        place
            .parent
            .insert(&place.name, Rc::clone(&node), self.now())?;
        Ok(node)
    }

    fn file(&self, node: Rc<Node>, write: bool) -> Opened {
        Opened::File(Box::new(MemFile {
            node,
            platform: Rc::clone(&self.platform),
            write,
        }))
    }
}

impl Drop for MemFs {
    fn drop(&mut self) {
        // A guest can nest directories deeper than our stack is: take the tree apart level by level, not by recursion.
        let mut todo = vec![Rc::clone(&self.root)];
        while let Some(node) = todo.pop() {
            todo.extend(node.take_children());
        }
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

fn now(platform: &dyn Platform) -> Timestamp {
    platform
        .now(Clock::Realtime)
        .map_or(Timestamp::UNCHANGING, Timestamp)
}

impl FileSystem for MemFs {
    fn stat(&mut self, path: &[u8], follow: Follow) -> Answer<Stat> {
        Ok(self.existing(path, follow)?.stat())
    }

    fn open(&mut self, path: &[u8], how: &OpenHow) -> Answer<Opened> {
        let exclusive = how.create && how.exclusive;
        let place = self.walk(path, if exclusive { Follow::No } else { how.follow })?;
        let Some(node) = place.node else {
            if !how.create || how.directory {
                return Err(Errno::NoEnt.into());
            }
            let node = self.make_at(&place, Content::File(Vec::new()))?;
            return Ok(self.file(node, how.write));
        };
        if exclusive {
            return Err(Errno::Exist.into());
        }
        match node.kind() {
            FileKind::Directory if how.suits_directory() => Ok(Opened::Directory),
            FileKind::Directory => Err(Errno::IsDir.into()),
            _ if how.directory => Err(Errno::NotDir.into()),
            FileKind::SymbolicLink => Err(Errno::Loop.into()),
            _ => {
                if how.truncate {
                    node.set_len(0, self.now())?;
                }
                Ok(self.file(node, how.write))
            }
        }
    }

    fn read_dir(&mut self, path: &[u8]) -> Answer<Vec<DirEntry>> {
        Ok(self.existing(path, Follow::Yes)?.list()?)
    }

    fn read_link(&mut self, path: &[u8]) -> Answer<Vec<u8>> {
        self.existing(path, Follow::No)?
            .link_target()
            .ok_or(Errno::Inval.into())
    }

    fn prepare_mount_point(&mut self, path: &[u8]) {
        for end in path
            .iter()
            .enumerate()
            .filter(|(_, byte)| **byte == b'/')
            .map(|(at, _)| at)
            .chain([path.len()])
        {
            // One that is there already is as good, and a tree without room does without.
            let _ = self.create_dir(&path[..end]);
        }
    }

    fn create_dir(&mut self, path: &[u8]) -> Answer<()> {
        self.make(path, Content::new_directory())?;
        Ok(())
    }

    fn remove_dir(&mut self, path: &[u8]) -> Answer<()> {
        let place = self.walk(path, Follow::No)?;
        let node = place.node.ok_or(Errno::NoEnt)?;
        if place.name.is_empty() {
            // The root, or the directory that `..` names, which is not empty: the path came from inside it.
            return Err(if Rc::ptr_eq(&node, &self.root) {
                Errno::Busy
            } else {
                Errno::NotEmpty
            }
            .into());
        }
        node.check_empty()?;
        place.parent.remove(&place.name, self.now())?;
        Ok(())
    }

    fn unlink(&mut self, path: &[u8]) -> Answer<()> {
        let place = self.walk(path, Follow::No)?;
        if place.node.ok_or(Errno::NoEnt)?.is_directory() {
            return Err(Errno::IsDir.into());
        }
        place.parent.remove(&place.name, self.now())?;
        Ok(())
    }

    fn rename(&mut self, from: &[u8], to: &[u8]) -> Answer<()> {
        let source = self.walk(from, Follow::No)?;
        let node = source.node.ok_or(Errno::NoEnt)?;
        let target = match self.walk(to, Follow::No) {
            Err(Refusal::Leaves { .. }) => return Err(Errno::Xdev.into()),
            place => place?,
        };
        if source.name.is_empty() || target.name.is_empty() {
            return Err(Errno::Busy.into());
        }
        if let Some(there) = &target.node {
            if Rc::ptr_eq(&node, there) {
                return Ok(());
            }
            match (node.is_directory(), there.is_directory()) {
                (true, true) => there.check_empty()?,
                (true, false) => return Err(Errno::NotDir.into()),
                (false, true) => return Err(Errno::IsDir.into()),
                (false, false) => {}
            }
        }
        if node.is_directory() && target.parent.is_inside(&node)? {
            return Err(Errno::Inval.into());
        }
        let now = self.now();
        if target.node.is_some() {
            target.parent.remove(&target.name, now)?;
        }
        source.parent.remove(&source.name, now)?;
        target.parent.insert(&target.name, node, now)?;
        Ok(())
    }

    fn symlink(&mut self, target: &[u8], path: &[u8]) -> Answer<()> {
        if target.is_empty() {
            return Err(Errno::NoEnt.into());
        }
        self.make(path, Content::Link(target.to_vec()))?;
        Ok(())
    }

    fn link(&mut self, from: &[u8], follow: Follow, to: &[u8]) -> Answer<()> {
        let node = self.existing(from, follow)?;
        let place = match self.walk(to, Follow::No) {
            Err(Refusal::Leaves { .. }) => return Err(Errno::Xdev.into()),
            place => place?,
        };
        if node.is_directory() {
            return Err(Errno::Perm.into());
        }
        if place.node.is_some() {
            return Err(Errno::Exist.into());
        }
        place.parent.insert(&place.name, node, self.now())?;
        Ok(())
    }

    fn set_times(&mut self, path: &[u8], follow: Follow, times: NewTimes) -> Answer<()> {
        self.existing(path, follow)?.set_times(times, self.now());
        Ok(())
    }
}

struct MemFile {
    node: Rc<Node>,
    platform: Rc<dyn Platform>,
    write: bool,
}

impl File for MemFile {
    fn stat(&mut self) -> Result<Stat, Errno> {
        Ok(self.node.stat())
    }

    fn read_at(&mut self, offset: u64, into: &mut [u8]) -> Result<usize, Errno> {
        Ok(self.node.read_at(offset, into))
    }

    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> Result<usize, Errno> {
        match self.write {
            true => self.node.write_at(offset, bytes, now(&*self.platform)),
            false => Err(Errno::Badf),
        }
    }

    fn set_len(&mut self, len: u64) -> Result<(), Errno> {
        match self.write {
            true => self.node.set_len(len, now(&*self.platform)),
            false => Err(Errno::Inval),
        }
    }

    fn set_times(&mut self, times: NewTimes) -> Result<(), Errno> {
        self.node.set_times(times, now(&*self.platform));
        Ok(())
    }
}
