//! Reading: the index is parsed and proved to be a tree once; after that no look-up can fail in a surprising way.

use std::ops::Range;

use super::{ENTRY_LEN, HEADER_LEN, KIND_DIRECTORY, KIND_FILE, MAGIC, VERSION, name_defect};

/// Why bytes are not an image.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ImageError {
    /// The first bytes are not those of an image.
    #[error("this is not an image: it does not start with `pymodeFS`")]
    NotAnImage,
    /// Made by another version of the format.
    #[error(
        "the image has format version {found}, this program reads version {supported}\nhint: build the image again with this version of pymode"
    )]
    Version {
        /// Version in the image.
        found: u32,
        /// Version that this crate reads.
        supported: u32,
    },
    /// Fewer (or more) bytes than the header announces.
    #[error(
        "the image is {found} bytes long but says it has {expected}: it was cut short or damaged\nhint: delete it; it will be built again"
    )]
    Length {
        /// Size in the header, or the minimum for a header.
        expected: u64,
        /// Actual size.
        found: u64,
    },
    /// An entry of the index contradicts the format.
    #[error("entry {entry} of the image's index {defect}")]
    Entry {
        /// Number of the entry, counted from 0.
        entry: u32,
        /// Defect.
        defect: EntryDefect,
    },
}

/// A defect of an entry in an image's index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EntryDefect {
    /// Neither file nor directory.
    #[error("has the unknown kind {kind}")]
    Kind {
        /// The kind it claims.
        kind: u16,
    },
    /// The name cannot be one component of a path.
    #[error("has a name that {reason}")]
    Name {
        /// Why not.
        reason: &'static str,
    },
    /// The name lies outside the names.
    #[error("has its name outside the image's names")]
    NameRange,
    /// A sibling before it has the same or a greater name.
    #[error("is out of order among its siblings")]
    Order,
    /// A directory whose children are not the run of entries that is next in breadth-first order.
    #[error("has children that do not follow those of the directory before")]
    Children,
    /// The parent it names is not the directory that lists it.
    #[error("names a parent that does not list it")]
    Parent,
    /// No directory lists it.
    #[error("is in no directory")]
    Orphan,
    /// A file whose bytes lie outside the image's data.
    #[error("has its bytes outside the image's data")]
    Data,
    /// The first entry is not a nameless directory.
    #[error("should be the root directory and is not")]
    Root,
}

/// A file or directory of one image: its place in the index.
///
/// Only the [`Index`] that gave a `NodeId` may be asked about it; another index may answer for another entry, or panic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(u32);

impl NodeId {
    /// The root directory of every image.
    pub const ROOT: NodeId = NodeId(0);

    /// A number that is unique in the image and stays the same while the image does: fit for `st_ino`.
    pub fn number(self) -> u64 {
        u64::from(self.0)
    }
}

/// The content of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A directory; ask [`Index::children`].
    Directory,
    /// A file: where its bytes lie, counted from the start of the image.
    File(Range<u64>),
}

/// One line of a directory listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Child<'a> {
    /// The name, one path component.
    pub name: &'a [u8],
    /// Node of the entry.
    pub node: NodeId,
    /// `true` if that is a directory.
    pub is_directory: bool,
}

#[derive(Debug, Clone, Copy)]
struct Record {
    name: (u32, u16),
    is_directory: bool,
    parent: u32,
    len: u32,
    start: u64,
}

/// The checked index of an image, without the files' bytes.
///
/// A host whose image lies outside its own memory copies the front of it here and keeps the rest where it is.
#[derive(Debug, Clone)]
pub struct Index {
    records: Box<[Record]>,
    names: Box<[u8]>,
}

impl Index {
    /// Returns the size of an image's front (header, entries, names), from its first 32 bytes.
    ///
    /// # Errors
    /// When `header` is not the beginning of an image, or `total` is not the length its header announces.
    pub fn front_len(header: &[u8], total: u64) -> Result<usize, ImageError> {
        Header::parse(header, total).map(|header| header.names.end)
    }

    /// Parses and checks the front of an image.
    ///
    /// `front` must hold at least [`Index::front_len`] bytes; `total` is the length of the whole image.
    ///
    /// # Errors
    /// Everything that [`ImageError`] lists. What this function accepts is a tree whose every file lies inside the image.
    pub fn parse(front: &[u8], total: u64) -> Result<Index, ImageError> {
        let header = Header::parse(front, total)?;
        let short = ImageError::Length {
            expected: header.names.end as u64,
            found: front.len() as u64,
        };
        let entries = front
            .get(HEADER_LEN..header.names.start)
            .ok_or_else(|| short.clone())?;
        let names = front.get(header.names.clone()).ok_or(short)?;
        let (entries, _) = entries.as_chunks::<ENTRY_LEN>();

        let data = header.names.end as u64..total;
        let mut records = Vec::with_capacity(entries.len());
        for (number, bytes) in entries.iter().enumerate() {
            let record = parse_record(bytes, number == 0, names, &data).map_err(|defect| {
                ImageError::Entry {
                    entry: number as u32,
                    defect,
                }
            })?;
            records.push(record);
        }
        let index = Index {
            records: records.into(),
            names: names.into(),
        };
        index.check_tree()?;
        Ok(index)
    }

    /// Proves that the records form one tree: the directories' runs of children tile the entries after the root.
    fn check_tree(&self) -> Result<(), ImageError> {
        let fail = |entry: usize, defect| {
            Err(ImageError::Entry {
                entry: entry as u32,
                defect,
            })
        };
        let mut next = 1;
        for (number, directory) in self
            .records
            .iter()
            .enumerate()
            .filter(|(_, record)| record.is_directory)
        {
            let end = next as u64 + u64::from(directory.len);
            // A run that starts at or before its own directory would be a cycle; the tiling leaves it no place.
            if directory.start != next as u64 || end > self.records.len() as u64 || next <= number {
                return fail(number, EntryDefect::Children);
            }
            let mut before: &[u8] = &[];
            for child in next..end as usize {
                if self.records[child].parent as usize != number {
                    return fail(child, EntryDefect::Parent);
                }
                let name = self.name(NodeId(child as u32));
                if name <= before {
                    return fail(child, EntryDefect::Order);
                }
                before = name;
            }
            next = end as usize;
        }
        if next != self.records.len() {
            fail(next, EntryDefect::Orphan)
        } else {
            Ok(())
        }
    }

    fn record(&self, node: NodeId) -> &Record {
        &self.records[node.0 as usize]
    }

    fn name(&self, node: NodeId) -> &[u8] {
        let (offset, len) = self.record(node).name;
        &self.names[offset as usize..offset as usize + usize::from(len)]
    }

    fn run(&self, directory: NodeId) -> Range<usize> {
        let record = self.record(directory);
        match record.is_directory {
            true => record.start as usize..record.start as usize + record.len as usize,
            false => 0..0,
        }
    }

    /// Returns the entry of a node.
    pub fn entry(&self, node: NodeId) -> Entry {
        let record = self.record(node);
        match record.is_directory {
            true => Entry::Directory,
            false => Entry::File(record.start..record.start + u64::from(record.len)),
        }
    }

    /// The directory that holds `node`; the root's is the root.
    pub fn parent(&self, node: NodeId) -> NodeId {
        NodeId(self.record(node).parent)
    }

    /// The child of `directory` with this name; none when there is none, or `directory` is a file.
    pub fn child(&self, directory: NodeId, name: &[u8]) -> Option<NodeId> {
        let run = self.run(directory);
        let (mut low, mut high) = (run.start, run.end);
        while low < high {
            let middle = low + (high - low) / 2;
            match self.name(NodeId(middle as u32)).cmp(name) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => return Some(NodeId(middle as u32)),
            }
        }
        None
    }

    /// The children of `directory`, sorted by name; none when it is a file.
    pub fn children(&self, directory: NodeId) -> impl ExactSizeIterator<Item = Child<'_>> {
        self.run(directory).map(|number| {
            let node = NodeId(number as u32);
            Child {
                name: self.name(node),
                node,
                is_directory: self.record(node).is_directory,
            }
        })
    }

    /// Number of entries, including the root.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Always false: an image has at least a root.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }
}

/// An image whose bytes lie in this program's memory: a mapped file, a vector, a slice.
#[derive(Debug, Clone)]
pub struct Image<B> {
    index: Index,
    bytes: B,
}

impl<B: AsRef<[u8]>> Image<B> {
    /// Opens an image, checking its whole index. The files' bytes are not touched.
    ///
    /// # Errors
    /// See [`Index::parse`].
    pub fn open(bytes: B) -> Result<Self, ImageError> {
        let slice = bytes.as_ref();
        let index = Index::parse(slice, slice.len() as u64)?;
        Ok(Image { index, bytes })
    }

    /// The index: names, kinds and places.
    pub fn index(&self) -> &Index {
        &self.index
    }

    /// The bytes of a file; none when `node` is a directory.
    pub fn bytes(&self, node: NodeId) -> Option<&[u8]> {
        match self.index.entry(node) {
            Entry::Directory => None,
            // The slice may have shrunk behind our back (`B` is foreign): no bytes, then, instead of a panic.
            Entry::File(range) => self
                .bytes
                .as_ref()
                .get(range.start as usize..range.end as usize),
        }
    }

    /// The node at a path of names between slashes; empty components are skipped, `.` and `..` are not understood.
    pub fn find(&self, path: &str) -> Option<NodeId> {
        path.split('/')
            .filter(|name| !name.is_empty())
            .try_fold(NodeId::ROOT, |node, name| {
                self.index.child(node, name.as_bytes())
            })
    }
}

struct Header {
    names: Range<usize>,
}

impl Header {
    fn parse(front: &[u8], total: u64) -> Result<Header, ImageError> {
        let magic = &front[..front.len().min(MAGIC.len())];
        if magic.is_empty() || !MAGIC.starts_with(magic) {
            return Err(ImageError::NotAnImage);
        }
        let Some(header) = front.first_chunk::<HEADER_LEN>() else {
            return Err(ImageError::Length {
                expected: HEADER_LEN as u64,
                found: total,
            });
        };
        let version = u32_at(header, 8);
        if version != VERSION {
            return Err(ImageError::Version {
                found: version,
                supported: VERSION,
            });
        }
        let expected = u64_at(header, 24);
        if expected != total {
            return Err(ImageError::Length {
                expected,
                found: total,
            });
        }
        let entries = u64::from(u32_at(header, 12));
        let names_start = HEADER_LEN as u64 + entries * ENTRY_LEN as u64;
        let names_end = names_start + u64::from(u32_at(header, 16));
        if names_end > total || usize::try_from(names_end).is_err() {
            return Err(ImageError::Length {
                expected: names_end,
                found: total,
            });
        }
        if entries == 0 {
            return Err(ImageError::Entry {
                entry: 0,
                defect: EntryDefect::Root,
            });
        }
        Ok(Header {
            names: names_start as usize..names_end as usize,
        })
    }
}

fn parse_record(
    bytes: &[u8; ENTRY_LEN],
    is_root: bool,
    names: &[u8],
    data: &Range<u64>,
) -> Result<Record, EntryDefect> {
    let name = (u32_at(bytes, 0), u16_at(bytes, 4));
    let kind = u16_at(bytes, 6);
    let record = Record {
        name,
        is_directory: kind == KIND_DIRECTORY,
        parent: u32_at(bytes, 8),
        len: u32_at(bytes, 12),
        start: u64_at(bytes, 16),
    };
    if kind != KIND_DIRECTORY && kind != KIND_FILE {
        return Err(EntryDefect::Kind { kind });
    }
    let name_start = name.0 as usize;
    let name = names
        .get(name_start..name_start.saturating_add(name.1.into()))
        .ok_or(EntryDefect::NameRange)?;
    if is_root {
        if !name.is_empty() || !record.is_directory || record.parent != 0 {
            return Err(EntryDefect::Root);
        }
    } else if let Some(reason) = name_defect(name) {
        return Err(EntryDefect::Name { reason });
    }
    if !record.is_directory {
        let end = record
            .start
            .checked_add(u64::from(record.len))
            .ok_or(EntryDefect::Data)?;
        if record.start < data.start || end > data.end {
            return Err(EntryDefect::Data);
        }
    }
    Ok(record)
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from(u16_at(bytes, at)) | u32::from(u16_at(bytes, at + 2)) << 16
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from(u32_at(bytes, at)) | u64::from(u32_at(bytes, at + 4)) << 32
}
