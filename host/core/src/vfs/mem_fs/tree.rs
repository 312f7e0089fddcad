//! Files, directories and links in memory, and the room they may take.
//!
//! Nodes are kept in one table and name each other by number: a guest can nest directories deeper than our stack is, and a table comes
//! apart without recursion.

use std::collections::{BTreeMap, HashMap};

use super::super::fs::{DirEntry, FileKind, NewTimes, Stat};
use super::super::mode::{Mode, Owner, Permissions};
use super::super::path::MAX_NAME;
use crate::{Errno, Timestamp};

/// Size of a node besides its bytes, so that a million empty files are not free.
const NODE_COST: u64 = 256;

/// The number of a node, never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Inode(u64);

pub(super) const ROOT: Inode = Inode(1);

pub(super) struct Tree {
    nodes: HashMap<Inode, Node>,
    next: u64,
    used: u64,
    limit: u64,
}

/// A file, directory or link. It lives while it has a name or is open.
struct Node {
    content: InodeContent,
    mode: Mode,
    names: u64,
    opens: u64,
    accessed: Timestamp,
    modified: Timestamp,
    changed: Timestamp,
}

pub(super) enum InodeContent {
    Directory {
        children: BTreeMap<Box<[u8]>, Inode>,
        parent: Inode,
    },
    File(Vec<u8>),
    Link(Vec<u8>),
}

impl InodeContent {
    /// An empty directory; where it is, its first name says.
    pub(super) fn directory() -> InodeContent {
        InodeContent::Directory {
            children: BTreeMap::new(),
            parent: ROOT,
        }
    }

    fn size(&self) -> u64 {
        match self {
            InodeContent::Directory { .. } => 0,
            InodeContent::File(bytes) | InodeContent::Link(bytes) => bytes.len() as u64,
        }
    }

    fn kind(&self) -> FileKind {
        match self {
            InodeContent::Directory { .. } => FileKind::Directory,
            InodeContent::File(_) => FileKind::RegularFile,
            InodeContent::Link(_) => FileKind::SymbolicLink,
        }
    }
}

impl Node {
    fn new(content: InodeContent, mode: Mode, now: Timestamp) -> Node {
        Node {
            content,
            mode,
            names: 0,
            opens: 0,
            accessed: now,
            modified: now,
            changed: now,
        }
    }

    fn touch(&mut self, now: Timestamp) {
        self.modified = now;
        self.changed = now;
    }
}

impl Tree {
    /// A root directory, which is free of charge, and room for `limit` bytes more.
    pub(super) fn new(limit: u64, now: Timestamp) -> Tree {
        let mut root = Node::new(InodeContent::directory(), Mode::DIRECTORY, now);
        root.names = 1;
        Tree {
            nodes: HashMap::from([(ROOT, root)]),
            next: ROOT.0 + 1,
            used: 0,
            limit,
        }
    }

    /// The node of a number that is in use, so it exists.
    fn node(&self, inode: Inode) -> Result<&Node, Errno> {
        self.nodes.get(&inode).ok_or(Errno::Stale)
    }

    fn node_mut(&mut self, inode: Inode) -> Result<&mut Node, Errno> {
        self.nodes.get_mut(&inode).ok_or(Errno::Stale)
    }

    fn take(&mut self, bytes: u64) -> Result<(), Errno> {
        let used = self
            .used
            .checked_add(bytes)
            .filter(|used| *used <= self.limit);
        self.used = used.ok_or(Errno::NoSpc)?;
        Ok(())
    }

    fn give_back(&mut self, bytes: u64) {
        self.used = self.used.saturating_sub(bytes);
    }

    /// Puts in a node that has no name yet.
    pub(super) fn add(
        &mut self,
        content: InodeContent,
        mode: Mode,
        now: Timestamp,
    ) -> Result<Inode, Errno> {
        self.take(NODE_COST + content.size())?;
        let inode = Inode(self.next);
        self.next += 1;
        self.nodes.insert(inode, Node::new(content, mode, now));
        Ok(inode)
    }

    /// Lets a node go that nothing leads to any more.
    pub(super) fn collect(&mut self, inode: Inode) {
        let is_gone = |node: &Node| node.names == 0 && node.opens == 0;
        if self.nodes.get(&inode).is_some_and(is_gone)
            && let Some(node) = self.nodes.remove(&inode)
        {
            self.give_back(NODE_COST + node.content.size());
        }
    }

    /// Counts a file that is open.
    pub(super) fn open(&mut self, inode: Inode) -> Result<(), Errno> {
        self.node_mut(inode)?.opens += 1;
        Ok(())
    }

    /// Counts a file that is closed.
    pub(super) fn close(&mut self, inode: Inode) {
        if let Ok(node) = self.node_mut(inode) {
            node.opens -= 1;
        }
        self.collect(inode);
    }

    pub(super) fn kind(&self, inode: Inode) -> Result<FileKind, Errno> {
        Ok(self.node(inode)?.content.kind())
    }

    pub(super) fn stat(&self, inode: Inode) -> Result<Stat, Errno> {
        let node = self.node(inode)?;
        Ok(Stat {
            device: 0,
            inode: inode.0,
            kind: node.content.kind(),
            mode: node.mode,
            owner: Owner::Guest,
            links: node.names,
            size: node.content.size(),
            accessed: node.accessed,
            modified: node.modified,
            changed: node.changed,
        })
    }

    /// Refuses what the permissions of a node forbid.
    pub(super) fn check(&self, inode: Inode, wanted: Permissions) -> Result<(), Errno> {
        match self.node(inode)?.mode.allows(wanted) {
            true => Ok(()),
            false => Err(Errno::Acces),
        }
    }

    pub(super) fn set_mode(
        &mut self,
        inode: Inode,
        mode: Mode,
        now: Timestamp,
    ) -> Result<(), Errno> {
        let node = self.node_mut(inode)?;
        if let InodeContent::Link(_) = node.content {
            return Err(Errno::NotSup);
        }
        node.mode = mode;
        node.changed = now;
        Ok(())
    }

    pub(super) fn set_times(
        &mut self,
        inode: Inode,
        times: NewTimes,
        now: Timestamp,
    ) -> Result<(), Errno> {
        let node = self.node_mut(inode)?;
        node.accessed = times.accessed.unwrap_or(node.accessed);
        node.modified = times.modified.unwrap_or(node.modified);
        node.changed = now;
        Ok(())
    }
}

/// Directories.
impl Tree {
    fn children(&self, directory: Inode) -> Result<&BTreeMap<Box<[u8]>, Inode>, Errno> {
        match &self.node(directory)?.content {
            InodeContent::Directory { children, .. } => Ok(children),
            _ => Err(Errno::NotDir),
        }
    }

    /// The parent of a directory; none for the root.
    pub(super) fn parent(&self, directory: Inode) -> Result<Option<Inode>, Errno> {
        match &self.node(directory)?.content {
            InodeContent::Directory { parent, .. } => {
                Ok(Some(*parent).filter(|_| directory != ROOT))
            }
            _ => Err(Errno::NotDir),
        }
    }

    pub(super) fn child(&self, directory: Inode, name: &[u8]) -> Result<Option<Inode>, Errno> {
        Ok(self.children(directory)?.get(name).copied())
    }

    /// Gives `inode` a name in a directory, in which nothing has that name.
    pub(super) fn insert(
        &mut self,
        directory: Inode,
        name: &[u8],
        inode: Inode,
        now: Timestamp,
    ) -> Result<(), Errno> {
        if name.len() > MAX_NAME {
            return Err(Errno::NameTooLong);
        }
        let above = self.node_mut(directory)?;
        let InodeContent::Directory { children, .. } = &mut above.content else {
            return Err(Errno::NotDir);
        };
        children.insert(name.into(), inode);
        above.touch(now);
        let node = self.node_mut(inode)?;
        node.names += 1;
        node.changed = now;
        if let InodeContent::Directory { parent, .. } = &mut node.content {
            *parent = directory;
        }
        Ok(())
    }

    /// Takes a name away, but leaves the node; it must get another name or be collected.
    pub(super) fn remove(
        &mut self,
        directory: Inode,
        name: &[u8],
        now: Timestamp,
    ) -> Result<Inode, Errno> {
        let above = self.node_mut(directory)?;
        let InodeContent::Directory { children, .. } = &mut above.content else {
            return Err(Errno::NotDir);
        };
        let inode = children.remove(name).ok_or(Errno::NoEnt)?;
        above.touch(now);
        let node = self.node_mut(inode)?;
        node.names -= 1;
        node.changed = now;
        Ok(inode)
    }

    pub(super) fn check_empty(&self, directory: Inode) -> Result<(), Errno> {
        if self.children(directory)?.is_empty() {
            Ok(())
        } else {
            Err(Errno::NotEmpty)
        }
    }

    /// Returns `true` if a directory is `other` or below it.
    pub(super) fn is_inside(&self, directory: Inode, other: Inode) -> Result<bool, Errno> {
        let mut here = Some(directory);
        while let Some(inode) = here {
            if inode == other {
                return Ok(true);
            }
            here = self.parent(inode)?;
        }
        Ok(false)
    }

    pub(super) fn list(&self, directory: Inode) -> Result<Vec<DirEntry>, Errno> {
        let mut entries = Vec::new();
        for (name, &inode) in self.children(directory)? {
            let kind = self.kind(inode)?;
            entries.push(DirEntry {
                name: name.to_vec(),
                inode: inode.0,
                kind,
            });
        }
        Ok(entries)
    }
}

/// Files and links.
impl Tree {
    pub(super) fn link_target(&self, inode: Inode) -> Result<Option<&[u8]>, Errno> {
        match &self.node(inode)?.content {
            InodeContent::Link(target) => Ok(Some(target)),
            _ => Ok(None),
        }
    }

    pub(super) fn read_at(
        &self,
        inode: Inode,
        offset: u64,
        into: &mut [u8],
    ) -> Result<usize, Errno> {
        let InodeContent::File(bytes) = &self.node(inode)?.content else {
            return Err(Errno::Inval);
        };
        let rest = usize::try_from(offset)
            .ok()
            .and_then(|start| bytes.get(start..))
            .unwrap_or_default();
        let count = rest.len().min(into.len());
        into[..count].copy_from_slice(&rest[..count]);
        Ok(count)
    }

    pub(super) fn write_at(
        &mut self,
        inode: Inode,
        offset: u64,
        bytes: &[u8],
        now: Timestamp,
    ) -> Result<usize, Errno> {
        if bytes.is_empty() {
            return Ok(0);
        }
        let end = offset.checked_add(bytes.len() as u64).ok_or(Errno::Fbig)?;
        if end > self.node(inode)?.content.size() {
            self.set_len(inode, end, now)?;
        }
        let node = self.node_mut(inode)?;
        if let InodeContent::File(content) = &mut node.content {
            // Both fit: there is room for `end` bytes.
            content[offset as usize..end as usize].copy_from_slice(bytes);
        }
        node.touch(now);
        Ok(bytes.len())
    }

    pub(super) fn set_len(&mut self, inode: Inode, len: u64, now: Timestamp) -> Result<(), Errno> {
        let new = usize::try_from(len).map_err(|_| Errno::Fbig)?;
        let old = self.node(inode)?.content.size();
        // Before anything is allocated: a guest may ask for a file of exabytes.
        self.take(len.saturating_sub(old))?;
        let node = self.node_mut(inode)?;
        let InodeContent::File(content) = &mut node.content else {
            return Err(Errno::Inval);
        };
        if content
            .try_reserve(new.saturating_sub(content.len()))
            .is_err()
        {
            self.give_back(len.saturating_sub(old));
            return Err(Errno::NoSpc);
        }
        content.resize(new, 0);
        if new < content.capacity() / 4 {
            content.shrink_to(new * 2);
        }
        node.touch(now);
        self.give_back(old.saturating_sub(len));
        Ok(())
    }
}
