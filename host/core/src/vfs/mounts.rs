//! Mount points, and the resolution of a guest's path to them.

use std::collections::BTreeMap;

use super::fs::{FileKind, Stat};
use super::path::{Ending, join, names};

/// The tree of mount points. Directories that only lead to a mount point are part of it: they are seen even where no file system has them.
pub(super) struct Mounts {
    points: Vec<Point>,
}

struct Point {
    parent: usize,
    children: BTreeMap<Vec<u8>, usize>,
    /// The file system that is seen here: the one mounted here, or the one around it.
    fs: usize,
    /// This point's path in that file system; empty where it is mounted.
    path_in_fs: Vec<u8>,
    is_mounted: bool,
}

const ROOT: usize = 0;

/// A path, resolved as far as mounts go.
pub(super) struct Located {
    /// Which file system to ask.
    pub(super) fs: usize,
    /// The path in it.
    pub(super) path: Vec<u8>,
    /// The mount point, or directory that leads to one, at which the path ends, if it does.
    pub(super) point: Option<PointId>,
    /// It ends one name below a directory that only leads to mount points: nothing can be made there.
    pub(super) in_leading_point: bool,
    /// Ending of the guest's path.
    pub(super) ending: Ending,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PointId(usize);

impl Mounts {
    /// File system 0 at `/`, and nothing else.
    pub(super) fn new() -> Mounts {
        let root = Point {
            parent: ROOT,
            children: BTreeMap::new(),
            fs: 0,
            path_in_fs: Vec::new(),
            is_mounted: true,
        };
        Mounts { points: vec![root] }
    }

    /// Mounts `fs` at an absolute path. Tells which path of which file system it hides.
    pub(super) fn mount(&mut self, path: &[u8], fs: usize) -> (usize, Vec<u8>) {
        let mut point = ROOT;
        for name in names(path) {
            point = match name {
                b".." => self.points[point].parent,
                _ => self.child_or_new(point, name),
            };
        }
        let hidden = (
            self.points[point].fs,
            std::mem::take(&mut self.points[point].path_in_fs),
        );
        self.points[point].is_mounted = true;
        self.see(point, fs, Vec::new());
        hidden
    }

    fn child_or_new(&mut self, parent: usize, name: &[u8]) -> usize {
        if let Some(&child) = self.points[parent].children.get(name) {
            return child;
        }
        let child = self.points.len();
        let above = &mut self.points[parent];
        above.children.insert(name.into(), child);
        let point = Point {
            parent,
            children: BTreeMap::new(),
            fs: above.fs,
            path_in_fs: join(&above.path_in_fs, name),
            is_mounted: false,
        };
        self.points.push(point);
        child
    }

    /// Sets what is seen at a point and at the points below it that have no mount of their own.
    fn see(&mut self, point: usize, fs: usize, path_in_fs: Vec<u8>) {
        let children: Vec<_> = self.points[point]
            .children
            .iter()
            .map(|(name, &child)| (name.clone(), child))
            .collect();
        for (name, child) in children {
            if !self.points[child].is_mounted {
                self.see(child, fs, join(&path_in_fs, &name));
            }
        }
        self.points[point].fs = fs;
        self.points[point].path_in_fs = path_in_fs;
    }

    /// Finds what has a path, whose names from the root on these are; no `..` is among them. `into.path` is used again, so that
    /// nothing is allocated for most calls.
    pub(super) fn locate<'a>(&self, names: impl Iterator<Item = &'a [u8]>, into: &mut Located) {
        let mut point = ROOT;
        let mut depth = 0_usize;
        into.path.clear();
        for name in names {
            match self.points[point].children.get(name) {
                Some(&child) if depth == 0 => point = child,
                _ => {
                    depth += 1;
                    if !into.path.is_empty() {
                        into.path.push(b'/');
                    }
                    into.path.extend_from_slice(name);
                }
            }
        }
        let seen = &self.points[point];
        if !seen.path_in_fs.is_empty() {
            let mut whole = seen.path_in_fs.clone();
            if depth > 0 {
                whole.push(b'/');
                whole.extend_from_slice(&into.path);
            }
            into.path = whole;
        }
        into.fs = seen.fs;
        into.point = (depth == 0).then_some(PointId(point));
        into.in_leading_point = depth == 1 && !seen.is_mounted;
    }

    /// Returns the absolute path of a mount point.
    pub(super) fn path_of(&self, fs: usize) -> Vec<u8> {
        let mounted = self
            .points
            .iter()
            .position(|point| point.fs == fs && point.is_mounted);
        let mut point = mounted.unwrap_or(ROOT);
        let mut names: Vec<&[u8]> = Vec::new();
        while point != ROOT {
            let parent = self.points[point].parent;
            names.extend(
                self.points[parent]
                    .children
                    .iter()
                    .find(|(_, child)| **child == point)
                    .map(|(name, _)| &name[..]),
            );
            point = parent;
        }
        names.reverse();
        let mut path = b"/".to_vec();
        path.extend_from_slice(&names.join(&b'/'));
        path
    }

    /// Returns `true` if a file system is mounted exactly here: then its root is what is seen.
    pub(super) fn is_mounted(&self, point: PointId) -> bool {
        self.points[point.0].is_mounted
    }

    /// Returns the `stat` of a point without a file system.
    pub(super) fn stat(&self, point: PointId) -> Stat {
        Stat::unchanging(point_inode(point.0), FileKind::Directory, 0)
    }

    /// The mount points, and directories that lead to some, directly below a point.
    pub(super) fn below(&self, point: PointId) -> impl Iterator<Item = (&[u8], PointId, usize)> {
        let children = self.points[point.0].children.iter();
        children.map(|(name, &child)| (&name[..], PointId(child), self.points[child].fs))
    }
}

/// An inode that no file system gives: they count from 1 up, or hash.
fn point_inode(point: usize) -> u64 {
    u64::MAX - point as u64
}

impl Located {
    pub(super) fn new() -> Located {
        Located {
            fs: 0,
            path: Vec::new(),
            point: None,
            in_leading_point: false,
            ending: Ending::Name,
        }
    }
}
