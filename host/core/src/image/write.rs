//! Writing: the same files give the same bytes, in whatever order they were added.

use std::collections::{BTreeMap, HashMap};
use std::io;

use super::{ENTRY_LEN, HEADER_LEN, KIND_DIRECTORY, KIND_FILE, MAGIC, VERSION, name_defect};

/// Why an image could not be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImageWriteError {
    /// A path that no image can hold.
    #[error("`{path}` cannot be a path in an image: a component of it {reason}")]
    Path {
        /// The path as it was given.
        path: String,
        /// Reason.
        reason: &'static str,
    },
    /// Two files for one path.
    #[error("`{path}` was added to the image twice")]
    Duplicate {
        /// The path.
        path: String,
    },
    /// One path is both a file and a directory.
    #[error("`{path}` was added to the image both as a file and as a directory")]
    FileAndDirectory {
        /// The path that is both.
        path: String,
    },
    /// More than the format's 32-bit fields can say.
    #[error("the image would have more than 4 GiB of {what}")]
    TooLarge {
        /// The part that is too large.
        what: &'static str,
    },
    /// The destination refused the bytes.
    #[error("writing the image failed: {source}")]
    Io {
        /// Error of the destination.
        #[from]
        source: io::Error,
    },
}

/// Collects files and directories, then writes them as one image.
///
/// ```
/// use pymode_host::image::{Image, ImageWriter};
///
/// let mut writer = ImageWriter::new();
/// writer.file("lib/python3.13/os.pyc", b"bytes".to_vec())?;
/// let image = Image::open(writer.finish()?)?;
/// let node = image.find("lib/python3.13/os.pyc").ok_or("not found")?;
/// assert_eq!(image.bytes(node), Some(&b"bytes"[..]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Default)]
pub struct ImageWriter {
    root: Directory,
}

type Directory = BTreeMap<Vec<u8>, Node>;

#[derive(Debug)]
enum Node {
    Directory(Directory),
    File(Vec<u8>),
}

impl ImageWriter {
    /// An image with an empty root directory.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a file with its parent directories. `path` is relative to the root, with `/` between names.
    ///
    /// # Errors
    /// When the path has a name that cannot be (empty, `.`, `..`, longer than 255 bytes, with NUL), or was added before.
    pub fn file(&mut self, path: &str, bytes: impl Into<Vec<u8>>) -> Result<(), ImageWriteError> {
        check_path(path)?;
        let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
        let duplicate = match self.directory_at(path, parent)?.entry(name.into()) {
            std::collections::btree_map::Entry::Vacant(vacant) => {
                vacant.insert(Node::File(bytes.into()));
                return Ok(());
            }
            std::collections::btree_map::Entry::Occupied(there) => {
                matches!(there.get(), Node::File(_))
            }
        };
        Err(match duplicate {
            true => ImageWriteError::Duplicate { path: path.into() },
            false => ImageWriteError::FileAndDirectory { path: path.into() },
        })
    }

    /// Adds a directory with its parents; one that is there already stays as it is.
    ///
    /// # Errors
    /// As for [`ImageWriter::file`], except that the directory may have been added before.
    pub fn directory(&mut self, path: &str) -> Result<(), ImageWriteError> {
        check_path(path)?;
        self.directory_at(path, path).map(|_| ())
    }

    fn directory_at(&mut self, whole: &str, path: &str) -> Result<&mut Directory, ImageWriteError> {
        let mut directory = &mut self.root;
        if path.is_empty() {
            return Ok(directory);
        }
        for name in path.split('/') {
            directory = match directory
                .entry(name.into())
                .or_insert_with(|| Node::Directory(Directory::new()))
            {
                Node::Directory(children) => children,
                Node::File(_) => {
                    return Err(ImageWriteError::FileAndDirectory { path: whole.into() });
                }
            };
        }
        Ok(directory)
    }

    /// The image as bytes.
    ///
    /// # Errors
    /// When there is more than the format can say.
    pub fn finish(self) -> Result<Vec<u8>, ImageWriteError> {
        let mut bytes = Vec::new();
        self.write_to(&mut bytes)?;
        Ok(bytes)
    }

    /// Writes the image. The bytes depend on nothing but the paths and contents that were added.
    ///
    /// # Errors
    /// When there is more than the format can say, or `out` fails.
    pub fn write_to(&self, out: &mut impl io::Write) -> Result<(), ImageWriteError> {
        let layout = Layout::of(&self.root)?;
        out.write_all(MAGIC)?;
        out.write_all(&VERSION.to_le_bytes())?;
        out.write_all(&((layout.entries.len() / ENTRY_LEN) as u32).to_le_bytes())?;
        out.write_all(&(layout.names.len() as u32).to_le_bytes())?;
        out.write_all(&0_u32.to_le_bytes())?;
        out.write_all(&layout.total.to_le_bytes())?;
        out.write_all(&layout.entries)?;
        out.write_all(&layout.names)?;
        for content in layout.data {
            out.write_all(content)?;
        }
        Ok(())
    }
}

fn check_path(path: &str) -> Result<(), ImageWriteError> {
    match path
        .split('/')
        .find_map(|name| name_defect(name.as_bytes()))
    {
        Some(reason) => Err(ImageWriteError::Path {
            path: path.into(),
            reason,
        }),
        None => Ok(()),
    }
}

struct Layout<'a> {
    entries: Vec<u8>,
    names: Vec<u8>,
    data: Vec<&'a [u8]>,
    total: u64,
}

/// One line of the index before its numbers are known.
enum Line<'a> {
    Directory { first: u64, children: u32 },
    File(&'a [u8]),
}

impl<'a> Layout<'a> {
    fn of(root: &'a Directory) -> Result<Self, ImageWriteError> {
        let mut lines = vec![(
            &[][..],
            0_u32,
            Line::Directory {
                first: 0,
                children: 0,
            },
        )];
        // Breadth first: a directory's children are appended when its turn comes.
        let mut queue = std::collections::VecDeque::from([(0_u32, root)]);
        while let Some((parent, directory)) = queue.pop_front() {
            // Only now is it known where the run of its children starts.
            let first = lines.len() as u64;
            lines[parent as usize].2 = Line::Directory {
                first,
                children: fit(directory.len(), "entries")?,
            };
            for (name, node) in directory {
                let number = fit(lines.len(), "entries")?;
                let line = match node {
                    Node::File(content) => Line::File(content),
                    Node::Directory(children) => {
                        queue.push_back((number, children));
                        Line::Directory {
                            first: 0,
                            children: 0,
                        }
                    }
                };
                lines.push((name, parent, line));
            }
        }
        Self::number(&lines)
    }

    fn number(lines: &[(&'a [u8], u32, Line<'a>)]) -> Result<Self, ImageWriteError> {
        let names_len: usize = lines.iter().map(|(name, ..)| name.len()).sum();
        fit(names_len, "names")?;
        let mut layout = Layout {
            entries: Vec::with_capacity(lines.len() * ENTRY_LEN),
            names: Vec::with_capacity(names_len),
            data: Vec::new(),
            total: (HEADER_LEN + lines.len() * ENTRY_LEN + names_len) as u64,
        };
        let mut places: HashMap<&[u8], u64> = HashMap::new();
        for (name, parent, line) in lines {
            let (kind, len, start) = match *line {
                Line::Directory { first, children } => (KIND_DIRECTORY, children, first),
                Line::File(content) => {
                    let start = *places.entry(content).or_insert_with(|| {
                        layout.data.push(content);
                        layout.total += content.len() as u64;
                        layout.total - content.len() as u64
                    });
                    (KIND_FILE, fit(content.len(), "bytes in one file")?, start)
                }
            };
            layout
                .entries
                .extend((layout.names.len() as u32).to_le_bytes());
            layout.entries.extend((name.len() as u16).to_le_bytes());
            layout.entries.extend(kind.to_le_bytes());
            layout.entries.extend(parent.to_le_bytes());
            layout.entries.extend(len.to_le_bytes());
            layout.entries.extend(start.to_le_bytes());
            layout.names.extend_from_slice(name);
        }
        Ok(layout)
    }
}

fn fit(count: usize, what: &'static str) -> Result<u32, ImageWriteError> {
    u32::try_from(count).map_err(|_| ImageWriteError::TooLarge { what })
}
