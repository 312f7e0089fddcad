//! Reading, writing and copying, with errors that name the file.

use std::fs;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use crate::error::Error;

pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Error> {
    fs::read(path).map_err(Error::io("read", path))
}

/// Writes a file; its directory is made if it is missing.
pub(crate) fn write(path: &Path, bytes: impl AsRef<[u8]>) -> Result<(), Error> {
    make_parent(path)?;
    fs::write(path, bytes).map_err(Error::io("write", path))
}

/// Copies a file; the directory it goes to is made if it is missing.
pub(crate) fn copy(from: &Path, to: &Path) -> Result<(), Error> {
    make_parent(to)?;
    fs::copy(from, to)
        .map(drop)
        .map_err(Error::io("copy", from))
}

pub(crate) fn make_directory(path: &Path) -> Result<(), Error> {
    fs::create_dir_all(path).map_err(Error::io("create", path))
}

/// Content of a directory, as sorted paths relative to it.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    /// Also those that are empty.
    pub(crate) directories: Vec<PathBuf>,
    /// Regular files; links are not followed and not listed.
    pub(crate) files: Vec<PathBuf>,
}

pub(crate) fn walk(root: &Path) -> Result<Tree, Error> {
    let mut tree = Tree::default();
    for entry in WalkDir::new(root).min_depth(1) {
        let entry = entry.map_err(|error| {
            let path = error.path().unwrap_or(root).to_path_buf();
            Error::io("list", &path)(error.into())
        })?;
        let path = entry.path().strip_prefix(root).unwrap_or(entry.path());
        let kind = entry.file_type();
        if kind.is_dir() {
            tree.directories.push(path.to_path_buf());
        } else if kind.is_file() {
            tree.files.push(path.to_path_buf());
        }
    }
    tree.directories.sort();
    tree.files.sort();
    Ok(tree)
}

/// Copies what [`walk`] finds.
pub(crate) fn copy_tree(from: &Path, to: &Path) -> Result<(), Error> {
    let tree = walk(from)?;
    tree.directories
        .iter()
        .try_for_each(|dir| make_directory(&to.join(dir)))?;
    tree.files
        .iter()
        .try_for_each(|file| copy(&from.join(file), &to.join(file)))
}

fn make_parent(path: &Path) -> Result<(), Error> {
    path.parent().map_or(Ok(()), make_directory)
}
