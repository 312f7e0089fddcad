//! The current directory: a Worker gets a copy, and its changes are applied here afterwards.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Component, Path, PathBuf};

use pymode_bundle::program::Contents;

use crate::make::pack::{self, InvalidModule, Side};

/// Maximum size of a copied directory: all of it is in the Worker's memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// In bytes.
    pub bytes: u64,
    /// Number of files and directories.
    pub entries: usize,
}

impl Default for Room {
    /// The default, for any current directory.
    fn default() -> Self {
        Self {
            bytes: 32 << 20,
            entries: 10_000,
        }
    }
}

/// Errors of copying a directory to a Worker and back.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CwdError {
    /// A file of it.
    #[error("cannot {doing} `{}`: {source}", path.display())]
    Io {
        /// A verb.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The directory is too large.
    #[error(
        "`{}` is too large to copy to a Worker: the limit is {} MB and {} files\n  hint: run it in a smaller directory, or use `--engine wasmtime`, which does not copy",
        root.display(), room.bytes >> 20, room.entries
    )]
    TooLarge {
        /// The directory.
        root: PathBuf,
        /// Maximum size.
        room: Room,
    },
    /// The Worker names a file outside of it.
    #[error("the Worker names `{}`, which is outside of its directory", path.display())]
    Outside {
        /// Path.
        path: PathBuf,
    },
}

fn io_error(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> CwdError {
    let path = path.to_path_buf();
    move |source| CwdError::Io {
        doing,
        path,
        source,
    }
}

/// The contents of a directory, for a Worker. Paths are relative.
#[derive(Debug)]
pub(crate) struct Snapshot {
    /// Path without links.
    pub(crate) root: PathBuf,
    /// Outer ones first.
    pub(crate) folders: Vec<PathBuf>,
    pub(crate) files: BTreeMap<PathBuf, Vec<u8>>,
    /// Symbolic links and their targets.
    pub(crate) links: BTreeMap<PathBuf, PathBuf>,
    /// Permissions of files and directories, if they differ from the default.
    pub(crate) modes: BTreeMap<PathBuf, u32>,
    /// Side modules among the files. The files themselves are stub modules.
    pub(crate) sides: Vec<Side>,
    /// Invalid side modules, with absolute paths.
    pub(crate) refused: Vec<InvalidModule>,
}

/// Reads a directory, without pipes and devices.
pub(crate) fn read(dir: &Path, room: Room) -> Result<Snapshot, CwdError> {
    let root = fs::canonicalize(dir).map_err(io_error("open", dir))?;
    let mut snapshot = Snapshot {
        root,
        folders: Vec::new(),
        files: BTreeMap::new(),
        links: BTreeMap::new(),
        modes: BTreeMap::new(),
        sides: Vec::new(),
        refused: Vec::new(),
    };
    let mut left = room.bytes;
    let mut todo = vec![PathBuf::new()];
    while let Some(folder) = todo.pop() {
        let path = snapshot.root.join(&folder);
        let entries = fs::read_dir(&path).and_then(Iterator::collect::<io::Result<Vec<_>>>);
        for entry in entries.map_err(io_error("list", &path))? {
            let (path, inside) = (entry.path(), folder.join(entry.file_name()));
            let meta = fs::symlink_metadata(&path).map_err(io_error("read", &path))?;
            let entries = snapshot.folders.len() + snapshot.files.len() + snapshot.links.len();
            if entries >= room.entries {
                return Err(CwdError::TooLarge {
                    root: snapshot.root,
                    room,
                });
            }
            let (mode, usual) = (meta.mode() & 0o7777, usual_mode(meta.is_dir()));
            if mode != usual && !meta.is_symlink() {
                snapshot.modes.insert(inside.clone(), mode);
            }
            if meta.is_symlink() {
                let target = fs::read_link(&path).map_err(io_error("read", &path))?;
                snapshot.links.insert(inside, target);
            } else if meta.is_dir() {
                snapshot.folders.push(inside.clone());
                todo.push(inside);
            } else if meta.is_file() {
                left = match left.checked_sub(meta.len()) {
                    Some(left) => left,
                    None => {
                        return Err(CwdError::TooLarge {
                            root: snapshot.root,
                            room,
                        });
                    }
                };
                let bytes = fs::read(&path).map_err(io_error("read", &path))?;
                let (bytes, side) = pack::file(bytes);
                match (side, path.to_str()) {
                    (Some(mut side), Some(path)) => {
                        side.paths.push(path.to_owned());
                        snapshot.sides.push(side);
                    }
                    (None, Some(path)) => snapshot.refused.extend(InvalidModule::at(path, &bytes)),
                    (_, None) => {}
                }
                snapshot.files.insert(inside, bytes);
            }
        }
    }
    snapshot.folders.sort();
    Ok(snapshot)
}

/// Default permissions of a file or directory.
fn usual_mode(is_directory: bool) -> u32 {
    if is_directory { 0o755 } else { 0o644 }
}

impl Snapshot {
    pub(crate) fn contents(&self) -> Contents<'_> {
        fn bytes(path: &Path) -> &[u8] {
            path.as_os_str().as_bytes()
        }
        let files = self.files.iter();
        let links = self.links.iter();
        let modes = self.modes.iter();
        Contents {
            folders: self.folders.iter().map(|path| bytes(path)).collect(),
            files: files.map(|(path, file)| (bytes(path), &file[..])).collect(),
            links: links
                .map(|(path, target)| (bytes(path), bytes(target)))
                .collect(),
            modes: modes.map(|(path, mode)| (bytes(path), *mode)).collect(),
        }
    }

    pub(crate) fn make_folder(&self, path: &Path) -> Result<(), CwdError> {
        let path = self.inside(path)?;
        fs::create_dir_all(&path).map_err(io_error("create", &path))
    }

    pub(crate) fn write(&self, path: &Path, bytes: &[u8]) -> Result<(), CwdError> {
        let path = self.inside(path)?;
        // Never write through a link that the Worker did not see.
        if path.is_symlink() {
            fs::remove_file(&path).map_err(io_error("replace", &path))?;
        }
        fs::write(&path, bytes).map_err(io_error("write", &path))
    }

    /// Makes a symbolic link. Nothing is ever written through it: see [`Snapshot::inside`].
    pub(crate) fn link(&self, path: &Path, target: &Path) -> Result<(), CwdError> {
        let path = self.inside(path)?;
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(io_error("replace", &path)(error));
            }
            _ => {}
        }
        std::os::unix::fs::symlink(target, &path).map_err(io_error("create", &path))
    }

    pub(crate) fn set_mode(&self, path: &Path, mode: u32) -> Result<(), CwdError> {
        let path = self.inside(path)?;
        if path.is_symlink() {
            return Err(CwdError::Outside { path });
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(mode & 0o7777))
            .map_err(io_error("change the permissions of", &path))
    }

    pub(crate) fn remove(&self, path: &Path) -> Result<(), CwdError> {
        let path = self.inside(path)?;
        let removed = if path.is_dir() && !path.is_symlink() {
            fs::remove_dir(&path)
        } else {
            fs::remove_file(&path)
        };
        match removed {
            // Another process has removed it.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            removed => removed.map_err(io_error("remove", &path)),
        }
    }

    /// Returns the path on this machine. All its directories are real, not links.
    fn inside(&self, path: &Path) -> Result<PathBuf, CwdError> {
        let outside = || CwdError::Outside {
            path: path.to_path_buf(),
        };
        if path.as_os_str().is_empty()
            || !path
                .components()
                .all(|part| matches!(part, Component::Normal(_)))
        {
            return Err(outside());
        }
        let mut parent = self.root.clone();
        for part in path.parent().into_iter().flat_map(Path::components) {
            parent.push(part);
            if parent.is_symlink() {
                return Err(outside());
            }
        }
        Ok(self.root.join(path))
    }
}

#[cfg(test)]
mod tests {
    use super::{CwdError, Room, read};

    #[test]
    fn a_directory_has_room_or_not() {
        let dir = tempfile::tempdir().expect("a directory");
        std::fs::create_dir(dir.path().join("sub")).expect("a directory in it");
        std::fs::write(dir.path().join("sub/file"), [0; 100]).expect("a file in that");
        let with = |bytes, entries| read(dir.path(), Room { bytes, entries });
        let whole = with(100, 2).expect("it fits");
        assert_eq!((whole.folders.len(), whole.files.len()), (1, 1));
        for room in [(99, 2), (100, 1)] {
            let error = with(room.0, room.1).expect_err("it does not fit");
            assert!(matches!(error, CwdError::TooLarge { .. }), "{error}");
        }
    }
}
