//! The image as a file system: read-only, and every look-up is a few binary searches.

use std::sync::Arc;

use super::fs::{Answer, DirEntry, File, FileKind, FileSystem, Follow, OpenHow, OpenedFile, Stat};
use super::path::parent;
use crate::image::{Entry, ImageError, Index, NodeId};
use crate::memory::{GuestMemory, fill};
use crate::{Errno, MaybeSend, MaybeSync};

/// Storage of an image's bytes.
pub trait Blob: MaybeSend + MaybeSync {
    /// Number of bytes.
    fn size(&self) -> u64;

    /// Copies bytes from `offset` on; how many, which is fewer than asked for only at the end.
    fn read(&self, offset: u64, into: &mut [u8]) -> usize;

    /// Copies bytes straight into the guest.
    ///
    /// # Errors
    /// [`Errno::Fault`].
    fn read_to_guest(
        &self,
        offset: u64,
        memory: &mut dyn GuestMemory,
        at: u32,
        len: u32,
    ) -> Result<usize, Errno> {
        fill(memory, at, len, |done, room| {
            Ok(self.read(offset.saturating_add(done), room))
        })
    }
}

/// Bytes in this program's memory, such as a mapped file.
impl<B: AsRef<[u8]> + MaybeSend + MaybeSync> Blob for B {
    fn size(&self) -> u64 {
        self.as_ref().len() as u64
    }

    fn read(&self, offset: u64, into: &mut [u8]) -> usize {
        let bytes = self.as_ref();
        let rest = usize::try_from(offset)
            .ok()
            .and_then(|start| bytes.get(start..))
            .unwrap_or_default();
        let count = rest.len().min(into.len());
        into[..count].copy_from_slice(&rest[..count]);
        count
    }
}

/// A file system whose files are those of an image. Cloning it is cheap and shares the image.
pub struct ImageFs<B> {
    shared: Arc<Shared<B>>,
}

struct Shared<B> {
    index: Index,
    blob: B,
}

impl<B> Clone for ImageFs<B> {
    fn clone(&self) -> Self {
        ImageFs {
            shared: Arc::clone(&self.shared),
        }
    }
}

impl<B: Blob> ImageFs<B> {
    /// Opens an image, checking its index.
    ///
    /// # Errors
    /// See [`Index::parse`].
    pub fn open(blob: B) -> Result<Self, ImageError> {
        let total = blob.size();
        let mut header = [0; 32];
        let got = blob.read(0, &mut header);
        let front_len = Index::front_len(&header[..got], total)?;
        let mut front = vec![0; front_len];
        let got = blob.read(0, &mut front);
        let index = Index::parse(&front[..got], total)?;
        Ok(ImageFs {
            shared: Arc::new(Shared { index, blob }),
        })
    }
}

impl<B> ImageFs<B> {
    /// The image's index.
    pub fn index(&self) -> &Index {
        &self.shared.index
    }

    fn find(&self, path: &[u8]) -> Result<NodeId, Errno> {
        let index = &self.shared.index;
        let mut node = NodeId::ROOT;
        for name in path
            .split(|&byte| byte == b'/')
            .filter(|name| !name.is_empty())
        {
            if let Entry::File(_) = index.entry(node) {
                return Err(Errno::NotDir);
            }
            node = index.child(node, name).ok_or(Errno::NoEnt)?;
        }
        Ok(node)
    }

    fn stat_node(&self, node: NodeId) -> Stat {
        let (kind, size) = match self.shared.index.entry(node) {
            Entry::Directory => (FileKind::Directory, 0),
            Entry::File(range) => (FileKind::RegularFile, range.end - range.start),
        };
        Stat::unchanging(inode(node), kind, size)
    }
}

/// Inode 0 means "unknown" to libc.
fn inode(node: NodeId) -> u64 {
    node.number() + 1
}

impl<B: Blob + 'static> FileSystem for ImageFs<B> {
    fn stat(&mut self, path: &[u8], _follow: Follow) -> Answer<Stat> {
        Ok(self.stat_node(self.find(path)?))
    }

    fn open(&mut self, path: &[u8], how: &OpenHow) -> Answer<OpenedFile> {
        let node = match self.find(path) {
            Err(Errno::NoEnt) if how.create => {
                // Only a name in a directory that is there could have been made.
                self.find(parent(path))?;
                return Err(Errno::Rofs.into());
            }
            found => found?,
        };
        if how.create && how.exclusive {
            return Err(Errno::Exist.into());
        }
        match self.shared.index.entry(node) {
            Entry::Directory if how.suits_directory() => Ok(OpenedFile::Directory),
            Entry::Directory => Err(Errno::IsDir.into()),
            Entry::File(_) if how.directory => Err(Errno::NotDir.into()),
            Entry::File(_) if how.write || how.truncate => Err(Errno::Rofs.into()),
            Entry::File(range) => Ok(OpenedFile::File(Box::new(ImageFile {
                fs: self.clone(),
                node,
                start: range.start,
                size: range.end - range.start,
            }))),
        }
    }

    fn read_dir(&mut self, path: &[u8]) -> Answer<Vec<DirEntry>> {
        let node = self.find(path)?;
        let index = &self.shared.index;
        if let Entry::File(_) = index.entry(node) {
            return Err(Errno::NotDir.into());
        }
        let entry = |child: crate::image::Child<'_>| DirEntry {
            name: child.name.to_vec(),
            inode: inode(child.node),
            kind: if child.is_directory {
                FileKind::Directory
            } else {
                FileKind::RegularFile
            },
        };
        Ok(index.children(node).map(entry).collect())
    }
}

struct ImageFile<B> {
    fs: ImageFs<B>,
    node: NodeId,
    start: u64,
    size: u64,
}

impl<B> ImageFile<B> {
    /// Returns how many of `wanted` bytes from `offset` exist.
    fn available(&self, offset: u64, wanted: u64) -> u64 {
        self.size.saturating_sub(offset).min(wanted)
    }
}

impl<B: Blob> File for ImageFile<B> {
    fn stat(&mut self) -> Result<Stat, Errno> {
        Ok(self.fs.stat_node(self.node))
    }

    fn read_at(&mut self, offset: u64, into: &mut [u8]) -> Result<usize, Errno> {
        match self.available(offset, into.len() as u64) as usize {
            0 => Ok(0),
            count => Ok(self
                .fs
                .shared
                .blob
                .read(self.start + offset, &mut into[..count])),
        }
    }

    fn read_to_guest(
        &mut self,
        offset: u64,
        memory: &mut dyn GuestMemory,
        at: u32,
        len: u32,
    ) -> Result<usize, Errno> {
        match self.available(offset, len.into()) as u32 {
            0 => Ok(0),
            count => self
                .fs
                .shared
                .blob
                .read_to_guest(self.start + offset, memory, at, count),
        }
    }
}
