//! Packs files for a Worker: an image in a module, and the side modules beside it, to be compiled.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use pymode_bundle::names::MAIN;
use pymode_dylink::{ContentHash, ModuleError, ModuleInfo};
use pymode_host::image::{Entry, Image, ImageError, ImageWriteError, ImageWriter, NodeId};
use pymode_toolchain::CacheError;
use serde::{Deserialize, Serialize};

use crate::make::memory_view::image_module;
use crate::make::prune;
use crate::make::stdlib::Omitted;
use crate::make::stub::{hash_of, key, stamped, stub, stub_of_link};
use crate::symbols::called;

/// Errors of packing files.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PackError {
    /// A file or directory.
    #[error(transparent)]
    File(#[from] CacheError),
    /// An invalid image.
    #[error("cannot read the image `{}`: {source}", path.display())]
    Image {
        /// Which one.
        path: PathBuf,
        /// Reason.
        source: ImageError,
    },
    /// Files that do not fit into an image.
    #[error(transparent)]
    Write(#[from] ImageWriteError),
    /// A name that is not UTF-8.
    #[error("the name of `{}` is not UTF-8", path.display())]
    Name {
        /// The file.
        path: PathBuf,
    },
    /// A main module is damaged.
    #[error("`{}` is not a main module: {reason}", path.display())]
    Main {
        /// The file.
        path: PathBuf,
        /// Reason.
        reason: String,
    },
    /// A side module is damaged.
    #[error("`{}` is not a side module: {reason}", path.display())]
    Side {
        /// The file.
        path: PathBuf,
        /// Reason.
        reason: String,
    },
    /// A directory is too large.
    #[error(
        "`{}` is too large for a Worker: the limit is {} MB and {MOST} files\n  hint: name a smaller directory",
        root.display(), LARGEST >> 20
    )]
    TooLarge {
        /// The directory.
        root: PathBuf,
    },
    /// An omitted module does not exist.
    #[error(
        "the standard library has no module `{name}` to omit\n  hint: use names such as `sqlite3` in `tool.pymode.without`"
    )]
    NotThere {
        /// Its name.
        name: String,
    },
}

/// Maximum size of a packed directory in bytes.
const LARGEST: u64 = 512 << 20;
/// Maximum number of files.
const MOST: usize = 100_000;

/// Packed files.
#[derive(Debug)]
pub struct Packed {
    /// The module that carries the image.
    pub carrier: Vec<u8>,
    /// The side modules that were found.
    pub sides: Vec<Side>,
    /// Invalid side modules.
    pub refused: Vec<InvalidModule>,
}

/// A WebAssembly file with a library's name that is not a side module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvalidModule {
    /// Path.
    pub path: String,
    /// Error of the linker.
    pub reason: String,
    /// `true` if it is damaged; `false` if it may be meant for another use.
    pub is_damaged: bool,
}

impl InvalidModule {
    /// Returns the invalid side module at `path`, if it is one.
    #[must_use]
    pub fn at(path: &str, bytes: &[u8]) -> Option<InvalidModule> {
        if !path.ends_with(".wasm") && !path.ends_with(".so") {
            return None;
        }
        // Other files are reported when they are opened.
        ModuleInfo::check_magic(bytes).ok()?;
        let error = ModuleInfo::from_bytes(bytes).err()?;
        Some(InvalidModule {
            path: path.to_owned(),
            is_damaged: !matches!(
                error,
                ModuleError::NotSide | ModuleError::Component | ModuleError::OldFormat
            ),
            reason: error.to_string(),
        })
    }
}

/// A side module, to be compiled by the engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Side {
    /// Hash of the module without its stamp.
    pub hash: ContentHash,
    /// The module, stamped.
    pub wasm: Vec<u8>,
    /// Paths, if they are known.
    pub paths: Vec<String>,
}

impl Side {
    /// Stamps a module.
    #[must_use]
    pub fn new(module: Vec<u8>) -> Side {
        let hash = hash_of(&module);
        Side {
            hash,
            wasm: stamped(module, hash),
            paths: Vec::new(),
        }
    }

    /// Returns its name in a bundle.
    #[must_use]
    pub fn key(&self) -> String {
        key(self.hash)
    }
}

/// Packs the files of an image, except omitted ones.
///
/// # Errors
/// When it cannot be read or is damaged, or an omitted module does not exist.
pub fn image(path: &Path, left_out: &Omitted) -> Result<Packed, PackError> {
    let bytes = fs::read(path).map_err(CacheError::io("read", path))?;
    let fault = |source| PackError::Image {
        path: path.to_path_buf(),
        source,
    };
    let image = Image::open(&bytes).map_err(fault)?;
    let mut files = Vec::new();
    list(&image, NodeId::ROOT, "", &mut files)?;
    if let Some(name) = left_out.unknown(files.iter().map(|(path, _)| path.as_str())) {
        return Err(PackError::NotThere { name: name.into() });
    }
    let mut packer = Packer::default();
    for (path, node) in files {
        // An empty directory would be importable as a namespace package.
        if left_out.has(&path) {
            continue;
        }
        match image.bytes(node) {
            Some(bytes) => packer.add(&path, bytes.to_vec())?,
            None => packer.writer.directory(&path)?,
        }
    }
    packer.finish()
}

/// Packs a directory. Links are followed, as an import would.
///
/// # Errors
/// When a file cannot be read or has a name that is not UTF-8, or the directory is too large.
pub fn directory(path: &Path) -> Result<Packed, PackError> {
    let mut packer = Packer {
        root: fs::canonicalize(path).ok(),
        ..Packer::default()
    };
    if !packer.directory(path, "")? {
        return Err(PackError::TooLarge { root: path.into() });
    }
    packer.finish()
}

/// Exports of python.wasm that are kept.
#[derive(Debug, Clone)]
pub enum Exports {
    /// All: the side modules are not known yet.
    All,
    /// These names, and exports outside the contract.
    Only(BTreeSet<String>),
}

/// Returns a stamped main module with a memory limit in bytes.
///
/// # Errors
/// When it is not a main module.
pub fn main(path: &Path, memory_limit: u64, exports: &Exports) -> Result<Vec<u8>, PackError> {
    let fault = |reason: String| PackError::Main {
        path: path.to_path_buf(),
        reason,
    };
    let mut bytes = fs::read(path).map_err(CacheError::io("read", path))?;
    if let Exports::Only(kept) = exports {
        bytes = prune::exports(&bytes, kept).map_err(fault)?;
    }
    let limited = crate::make::limit::with_memory_limit(&bytes, memory_limit);
    let limited = limited.map_err(|error| fault(error.to_string()))?;
    ModuleInfo::main_from_bytes(&limited).map_err(|error| fault(error.to_string()))?;
    let module = called(&limited, MAIN).into_owned();
    let hash = hash_of(&module);
    Ok(stamped(module, hash))
}

/// Returns the guest's form of a file, and the side module that it stands for, if it is one. Its name does not matter: a package's
/// library may be called `libanswer.so`.
pub fn file(bytes: Vec<u8>) -> (Vec<u8>, Option<Side>) {
    if ModuleInfo::from_bytes(&bytes).is_err() {
        // Other files stay unchanged: an import of one is refused.
        return (bytes, None);
    }
    let side = Side::new(bytes);
    (stub(side.hash), Some(side))
}

#[derive(Default)]
struct Packer {
    writer: ImageWriter,
    sides: Vec<Side>,
    refused: Vec<InvalidModule>,
    /// The directory that is packed, without links.
    root: Option<PathBuf>,
    /// Number of files in a directory, and their total size.
    files: usize,
    bytes: u64,
}

impl Packer {
    /// Packs the contents of a directory. Returns `false` if it is too large.
    fn directory(&mut self, dir: &Path, prefix: &str) -> Result<bool, PackError> {
        let entries = fs::read_dir(dir).and_then(Iterator::collect::<io::Result<Vec<_>>>);
        for entry in entries.map_err(CacheError::io("list", dir))? {
            let path = entry.path();
            let name = entry.file_name();
            let name = name
                .to_str()
                .ok_or_else(|| PackError::Name { path: path.clone() })?;
            let inside = join(prefix, name);
            let meta = fs::metadata(&path).map_err(CacheError::io("read", &path))?;
            if meta.is_dir() {
                self.writer.directory(&inside)?;
                if !self.directory(&path, &inside)? {
                    return Ok(false);
                }
            } else if meta.is_file() {
                self.files += 1;
                self.bytes += meta.len();
                if self.files > MOST || self.bytes > LARGEST {
                    return Ok(false);
                }
                self.add(
                    &inside,
                    fs::read(&path).map_err(CacheError::io("read", &path))?,
                )?;
            }
        }
        Ok(true)
    }

    fn add(&mut self, path: &str, bytes: Vec<u8>) -> Result<(), PackError> {
        let (mut bytes, side) = file(bytes);
        match side {
            Some(mut side) => {
                if let Some(to) = self.link(path) {
                    bytes = stub_of_link(side.hash, &to);
                }
                side.paths.push(path.to_owned());
                self.sides.push(side);
            }
            None => self.refused.extend(InvalidModule::at(path, &bytes)),
        }
        Ok(self.writer.file(path, bytes)?)
    }

    /// Returns the file that a link leads to, relative to the link's directory: both names are one library.
    fn link(&self, path: &str) -> Option<String> {
        let root = self.root.as_ref()?;
        let file = fs::canonicalize(root.join(path)).ok()?;
        let to = file.strip_prefix(root).ok()?.to_str()?;
        let up = "../".repeat(path.matches('/').count());
        (to != path).then(|| format!("{up}{to}"))
    }

    fn finish(mut self) -> Result<Packed, PackError> {
        self.sides
            .sort_by(|a, b| (a.hash.0, &a.paths).cmp(&(b.hash.0, &b.paths)));
        self.sides.dedup_by(|again, first| {
            let same = again.hash == first.hash;
            if same {
                first.paths.append(&mut again.paths);
            }
            same
        });
        Ok(Packed {
            carrier: image_module(&self.writer.finish()?),
            sides: self.sides,
            refused: self.refused,
        })
    }
}

/// Lists an image, directories before their contents.
fn list<B: AsRef<[u8]>>(
    image: &Image<B>,
    at: NodeId,
    prefix: &str,
    into: &mut Vec<(String, NodeId)>,
) -> Result<(), PackError> {
    for child in image.index().children(at) {
        let name = str::from_utf8(child.name).map_err(|_| PackError::Name {
            path: prefix.into(),
        })?;
        let path = join(prefix, name);
        into.push((path.clone(), child.node));
        if matches!(image.index().entry(child.node), Entry::Directory) {
            list(image, child.node, &path, into)?;
        }
    }
    Ok(())
}

fn join(prefix: &str, name: &str) -> String {
    if prefix.is_empty() {
        name.to_owned()
    } else {
        format!("{prefix}/{name}")
    }
}
