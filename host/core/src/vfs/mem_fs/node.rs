//! Files, directories and links in memory, and the room they may take.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::{Rc, Weak};

use super::super::fs::{DirEntry, FileKind, NewTimes, Stat};
use crate::{Errno, Timestamp};

/// What a node costs besides its bytes: about what it takes here, so that a million empty files are not free.
const NODE_COST: u64 = 256;

/// How many bytes a tree may take, and takes.
pub(super) struct Space {
    limit: u64,
    used: Cell<u64>,
    next_inode: Cell<u64>,
}

impl Space {
    pub(super) fn new(limit: u64) -> Space {
        Space {
            limit,
            used: Cell::new(0),
            next_inode: Cell::new(ROOT_INODE + 1),
        }
    }

    fn take(&self, bytes: u64) -> Result<(), Errno> {
        let used = self
            .used
            .get()
            .checked_add(bytes)
            .filter(|used| *used <= self.limit);
        self.used.set(used.ok_or(Errno::NoSpc)?);
        Ok(())
    }

    fn give_back(&self, bytes: u64) {
        self.used.set(self.used.get().saturating_sub(bytes));
    }
}

const ROOT_INODE: u64 = 1;

/// A file, directory or link. It lives while it has a name or is open.
pub(super) struct Node {
    inode: u64,
    /// How many names it has.
    links: Cell<u64>,
    content: RefCell<Content>,
    accessed: Cell<Timestamp>,
    modified: Cell<Timestamp>,
    changed: Cell<Timestamp>,
    /// None: the root, which is free.
    space: Option<Rc<Space>>,
}

pub(super) enum Content {
    Directory {
        children: BTreeMap<Box<[u8]>, Rc<Node>>,
        parent: Weak<Node>,
    },
    File(Vec<u8>),
    Link(Vec<u8>),
}

impl Content {
    pub(super) fn new_directory() -> Content {
        Content::Directory {
            children: BTreeMap::new(),
            parent: Weak::new(),
        }
    }

    fn size(&self) -> u64 {
        match self {
            Content::Directory { .. } => 0,
            Content::File(bytes) | Content::Link(bytes) => bytes.len() as u64,
        }
    }
}

impl Node {
    pub(super) fn root(now: Timestamp) -> Rc<Node> {
        Rc::new(Node::with(ROOT_INODE, Content::new_directory(), now, None))
    }

    pub(super) fn new(
        content: Content,
        now: Timestamp,
        space: &Rc<Space>,
    ) -> Result<Rc<Node>, Errno> {
        space.take(NODE_COST + content.size())?;
        let inode = space.next_inode.get();
        space.next_inode.set(inode + 1);
        Ok(Rc::new(Node::with(
            inode,
            content,
            now,
            Some(Rc::clone(space)),
        )))
    }

    fn with(inode: u64, content: Content, now: Timestamp, space: Option<Rc<Space>>) -> Node {
        Node {
            inode,
            links: Cell::new(0),
            content: RefCell::new(content),
            accessed: Cell::new(now),
            modified: Cell::new(now),
            changed: Cell::new(now),
            space,
        }
    }

    pub(super) fn kind(&self) -> FileKind {
        match &*self.content.borrow() {
            Content::Directory { .. } => FileKind::Directory,
            Content::File(_) => FileKind::RegularFile,
            Content::Link(_) => FileKind::SymbolicLink,
        }
    }

    pub(super) fn is_directory(&self) -> bool {
        self.kind() == FileKind::Directory
    }

    pub(super) fn stat(&self) -> Stat {
        Stat {
            device: 0,
            inode: self.inode,
            kind: self.kind(),
            links: if self.space.is_none() {
                1
            } else {
                self.links.get()
            },
            size: self.content.borrow().size(),
            accessed: self.accessed.get(),
            modified: self.modified.get(),
            changed: self.changed.get(),
        }
    }

    pub(super) fn set_times(&self, times: NewTimes, now: Timestamp) {
        self.accessed
            .set(times.accessed.unwrap_or(self.accessed.get()));
        self.modified
            .set(times.modified.unwrap_or(self.modified.get()));
        self.changed.set(now);
    }

    fn touch(&self, now: Timestamp) {
        self.modified.set(now);
        self.changed.set(now);
    }
}

/// Directories.
impl Node {
    /// The parent of a directory; none for the root, and for one that was removed while it was walked.
    pub(super) fn parent(&self) -> Result<Option<Rc<Node>>, Errno> {
        match &*self.content.borrow() {
            Content::Directory { parent, .. } => Ok(parent.upgrade()),
            _ => Err(Errno::NotDir),
        }
    }

    pub(super) fn child(&self, name: &[u8]) -> Result<Option<Rc<Node>>, Errno> {
        match &*self.content.borrow() {
            Content::Directory { children, .. } => Ok(children.get(name).cloned()),
            _ => Err(Errno::NotDir),
        }
    }

    /// Gives `node` a name in this directory, in which nothing has that name.
    pub(super) fn insert(
        self: &Rc<Node>,
        name: &[u8],
        node: Rc<Node>,
        now: Timestamp,
    ) -> Result<(), Errno> {
        if name.len() > 255 {
            return Err(Errno::NameTooLong);
        }
        let Content::Directory { children, .. } = &mut *self.content.borrow_mut() else {
            return Err(Errno::NotDir);
        };
        if let Content::Directory { parent, .. } = &mut *node.content.borrow_mut() {
            *parent = Rc::downgrade(self);
        }
        node.links.set(node.links.get() + 1);
        node.changed.set(now);
        children.insert(name.into(), node);
        self.touch(now);
        Ok(())
    }

    /// Takes a name away; what had it goes with its last name and its last open file.
    pub(super) fn remove(&self, name: &[u8], now: Timestamp) -> Result<(), Errno> {
        let Content::Directory { children, .. } = &mut *self.content.borrow_mut() else {
            return Err(Errno::NotDir);
        };
        let node = children.remove(name).ok_or(Errno::NoEnt)?;
        node.links.set(node.links.get().saturating_sub(1));
        node.changed.set(now);
        self.touch(now);
        Ok(())
    }

    pub(super) fn check_empty(&self) -> Result<(), Errno> {
        match &*self.content.borrow() {
            Content::Directory { children, .. } if children.is_empty() => Ok(()),
            Content::Directory { .. } => Err(Errno::NotEmpty),
            _ => Err(Errno::NotDir),
        }
    }

    /// Whether this directory is `other` or lies in it, however deep.
    pub(super) fn is_inside(self: &Rc<Node>, other: &Rc<Node>) -> Result<bool, Errno> {
        let mut node = Some(Rc::clone(self));
        while let Some(directory) = node {
            if Rc::ptr_eq(&directory, other) {
                return Ok(true);
            }
            node = directory.parent()?;
        }
        Ok(false)
    }

    pub(super) fn list(&self) -> Result<Vec<DirEntry>, Errno> {
        match &*self.content.borrow() {
            Content::Directory { children, .. } => Ok(children
                .iter()
                .map(|(name, node)| DirEntry {
                    name: name.to_vec(),
                    inode: node.inode,
                    kind: node.kind(),
                })
                .collect()),
            _ => Err(Errno::NotDir),
        }
    }

    pub(super) fn take_children(&self) -> Vec<Rc<Node>> {
        match &mut *self.content.borrow_mut() {
            Content::Directory { children, .. } => std::mem::take(children).into_values().collect(),
            _ => Vec::new(),
        }
    }
}

/// Files and links.
impl Node {
    pub(super) fn link_target(&self) -> Option<Vec<u8>> {
        match &*self.content.borrow() {
            Content::Link(target) => Some(target.clone()),
            _ => None,
        }
    }

    pub(super) fn read_at(&self, offset: u64, into: &mut [u8]) -> usize {
        let content = self.content.borrow();
        let Content::File(bytes) = &*content else {
            return 0;
        };
        let rest = usize::try_from(offset)
            .ok()
            .and_then(|start| bytes.get(start..))
            .unwrap_or_default();
        let count = rest.len().min(into.len());
        into[..count].copy_from_slice(&rest[..count]);
        count
    }

    pub(super) fn write_at(
        &self,
        offset: u64,
        bytes: &[u8],
        now: Timestamp,
    ) -> Result<usize, Errno> {
        if bytes.is_empty() {
            return Ok(0);
        }
        let end = offset.checked_add(bytes.len() as u64).ok_or(Errno::Fbig)?;
        if end > self.content.borrow().size() {
            self.set_len(end, now)?;
        }
        if let Content::File(content) = &mut *self.content.borrow_mut() {
            // Both fit: `set_len` found room for `end` bytes.
            content[offset as usize..end as usize].copy_from_slice(bytes);
        }
        self.touch(now);
        Ok(bytes.len())
    }

    pub(super) fn set_len(&self, len: u64, now: Timestamp) -> Result<(), Errno> {
        let Content::File(content) = &mut *self.content.borrow_mut() else {
            return Err(Errno::Inval);
        };
        let new = usize::try_from(len).map_err(|_| Errno::Fbig)?;
        let old = content.len() as u64;
        if let Some(space) = &self.space {
            // Before anything is allocated: a guest may ask for a file of exabytes.
            space.take(len.saturating_sub(old))?;
            space.give_back(old.saturating_sub(len));
        }
        if new > content.capacity() && content.try_reserve(new - content.len()).is_err() {
            if let Some(space) = &self.space {
                space.give_back(len.saturating_sub(old));
            }
            return Err(Errno::NoSpc);
        }
        content.resize(new, 0);
        if new < content.capacity() / 4 {
            content.shrink_to(new * 2);
        }
        self.touch(now);
        Ok(())
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if let Some(space) = &self.space {
            space.give_back(NODE_COST + self.content.get_mut().size());
        }
    }
}
