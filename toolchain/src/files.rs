//! Files and directories, with errors that name them.

use std::fs;
use std::io;
use std::path::Path;

use walkdir::WalkDir;

use crate::cache::CacheError;

/// Returns the entries of a directory.
pub(crate) fn list_dir(dir: &Path) -> Result<Vec<fs::DirEntry>, CacheError> {
    fs::read_dir(dir)
        .and_then(Iterator::collect)
        .map_err(CacheError::io("list", dir))
}

/// Makes a directory tree with hard links to all files of another tree; copies the files that cannot be linked.
///
/// # Errors
/// If a file cannot be read, linked or copied.
pub fn link_tree(from: &Path, to: &Path) -> Result<(), CacheError> {
    for entry in WalkDir::new(from).follow_links(true) {
        let entry = entry.map_err(|error| {
            let path = error.path().unwrap_or(from).to_path_buf();
            CacheError::io("list", &path)(error.into())
        })?;
        if entry.file_type().is_file() {
            let below = entry.path().strip_prefix(from).unwrap_or(entry.path());
            link(entry.path(), &to.join(below))?;
        }
    }
    Ok(())
}

/// Makes a hard link to a file, or a copy if that is not possible (another file system, another owner).
pub(crate) fn link(from: &Path, to: &Path) -> Result<(), CacheError> {
    if let Some(parent) = to.parent() {
        fs::create_dir_all(parent).map_err(CacheError::io("create", parent))?;
    }
    let real = fs::canonicalize(from).map_err(CacheError::io("read", from))?;
    if fs::hard_link(&real, to).is_err() {
        fs::copy(&real, to).map_err(CacheError::io("copy", from))?;
    }
    Ok(())
}

/// Deletes a directory with its contents, if it exists.
pub(crate) fn remove(path: &Path) -> Result<(), CacheError> {
    match fs::remove_dir_all(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(CacheError::io("delete", path)(e)),
        _ => Ok(()),
    }
}

/// Writes a file and creates its parent directories.
pub(crate) fn write(path: &Path, text: &str) -> Result<(), CacheError> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(CacheError::io("create", parent))?;
    }
    fs::write(path, text).map_err(CacheError::io("write", path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_linked_tree_has_the_same_files_at_every_depth() -> Result<(), Box<dyn std::error::Error>> {
        let dir = tempfile::tempdir()?;
        let (from, to) = (dir.path().join("from"), dir.path().join("to"));
        write(&from.join("a"), "1")?;
        write(&from.join("b/c/d"), "2")?;
        link_tree(&from, &to)?;
        for (file, text) in [("a", "1"), ("b/c/d", "2")] {
            assert_eq!(fs::read_to_string(to.join(file))?, text);
            let changed = |root: &Path| fs::metadata(root.join(file))?.modified();
            assert_eq!(changed(&from)?, changed(&to)?);
        }
        Ok(())
    }
}
