//! The cache: directories that are complete or absent.
//!
//! An entry is filled in a hidden sibling and renamed into place, so an entry that exists is complete. Each entry has a lock
//! file: of two processes that need the same entry, the second waits and then uses what the first has made. A process that is
//! killed leaves a hidden directory behind; the next one removes it.

use std::ffi::OsString;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;

use crate::files::remove;
use crate::key::Key;
use crate::reporter::Reporter;

/// An error of the cache itself, as opposed to one while an entry is filled.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CacheError {
    /// The user has no cache directory.
    #[error(
        "could not find a directory for the cache: neither `PYMODE_CACHE` nor `HOME` is set\n  hint: set `PYMODE_CACHE` to a directory"
    )]
    NoPlace,
    /// A sealed cache does not have the entry.
    #[error("`{entry}` is not in the cache")]
    Sealed {
        /// The kind and the key of the entry.
        entry: String,
    },
    /// A file operation failed.
    #[error("cannot {doing} `{}`: {source}{}", path.display(), io_hint(source))]
    Io {
        /// The operation, as a verb: `create`, `lock`, …
        doing: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// The error of the file system.
        source: io::Error,
    },
}

impl CacheError {
    /// Adds the verb and the path to a failed file operation; for `map_err`.
    pub fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Io {
            doing,
            path,
            source,
        }
    }
}

/// Returns a hint for a failed file operation as a line to append; empty if there is none.
pub fn io_hint(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::StorageFull => {
            "\n  hint: the disk is full; free some space, or set `PYMODE_CACHE` to a directory on another disk"
        }
        io::ErrorKind::QuotaExceeded => {
            "\n  hint: the disk quota is used up; set `PYMODE_CACHE` to a directory elsewhere"
        }
        io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => {
            "\n  hint: set `PYMODE_CACHE` to a directory that can be written"
        }
        _ => "",
    }
}

/// A directory of content-keyed entries, shared by all processes of one user. It may be deleted at any time.
#[derive(Clone, Debug)]
pub struct Cache {
    root: PathBuf,
    reporter: Reporter,
    sealed: bool,
}

impl Cache {
    /// Opens the user's cache: `PYMODE_CACHE`, else `pymode` in the user's cache directory.
    ///
    /// # Errors
    /// If the directory is unknown or cannot be created.
    pub fn open() -> Result<Self, CacheError> {
        let named = std::env::var_os("PYMODE_CACHE").filter(|path| !path.is_empty());
        let root = match named {
            Some(path) => PathBuf::from(path),
            None => etcetera::base_strategy::choose_native_strategy()
                .map_err(|_| CacheError::NoPlace)?
                .cache_dir()
                .join("pymode"),
        };
        Self::at(&root)
    }

    /// A cache at a directory, which is made if it is missing.
    ///
    /// # Errors
    /// When the directory cannot be made.
    pub fn at(root: &Path) -> Result<Self, CacheError> {
        fs::create_dir_all(root).map_err(CacheError::io("create", root))?;
        // Absolute: build tools run elsewhere and are given these paths.
        let root = fs::canonicalize(root).map_err(CacheError::io("open", root))?;
        Ok(Self {
            root,
            reporter: Reporter::quiet(),
            sealed: false,
        })
    }

    /// Reports through `reporter` while the cache waits for another process.
    #[must_use]
    pub fn with_reporter(mut self, reporter: &Reporter) -> Self {
        self.reporter = reporter.clone();
        self
    }

    /// Returns the same cache for reading only: filling an entry is an error.
    #[must_use]
    pub fn sealed(mut self) -> Self {
        self.sealed = true;
        self
    }

    /// Returns the directory of the cache.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Returns the entry if it exists.
    pub fn get(&self, kind: &str, key: &Key) -> Option<PathBuf> {
        let path = self.path(kind, key);
        path.is_dir().then_some(path)
    }

    /// Returns the directory of an entry. `fill` makes it if it does not exist.
    ///
    /// `fill` gets an empty directory, always the same for the same entry, so that paths which a build writes into its
    /// output do not depend on the run. Not re-entrant: filling an entry must not ask for the same entry.
    ///
    /// # Errors
    /// The error of `fill`, or that of a file operation; in both cases nothing is left behind.
    pub fn entry<E, F>(&self, kind: &str, key: &Key, fill: F) -> Result<PathBuf, E>
    where
        E: From<CacheError>,
        F: FnOnce(&Path) -> Result<(), E>,
    {
        let path = self.path(kind, key);
        if path.is_dir() {
            return Ok(path);
        }
        if self.sealed {
            let entry = format!("{kind}/{}", key.hex());
            return Err(CacheError::Sealed { entry }.into());
        }
        let _lock = self.lock(&hidden(&path, "lock"))?;
        if path.is_dir() {
            return Ok(path);
        }
        let scratch = Scratch::new(hidden(&path, "partial"))?;
        fill(&scratch.path)?;
        fs::rename(&scratch.path, &path).map_err(CacheError::io("move into place", &path))?;
        Ok(path)
    }

    /// Deletes a damaged entry.
    ///
    /// # Errors
    /// If it cannot be moved or deleted.
    pub fn discard(&self, kind: &str, key: &Key) -> Result<(), CacheError> {
        let path = self.path(kind, key);
        let _lock = self.lock(&hidden(&path, "lock"))?;
        let scratch = Scratch::new(hidden(&path, "partial"))?;
        match fs::rename(&path, scratch.path.join("damaged")) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => {
                Err(CacheError::io("delete", &path)(e))
            }
            _ => Ok(()),
        }
    }

    /// Takes a lock with any name below the cache, and holds it until the result is dropped. Waits for the process that has it.
    ///
    /// Programs that are started meanwhile hold it as well: if this process is killed, its children may still write into the
    /// unfinished entry, and no other process may start on it before they have ended.
    ///
    /// # Errors
    /// If the lock file cannot be created.
    pub fn lock(&self, path: &Path) -> Result<Lock, CacheError> {
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(CacheError::io("create", parent))?;
        }
        loop {
            let file = File::options()
                .create(true)
                .truncate(false)
                .write(true)
                .open(path)
                .map_err(CacheError::io("create", path))?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    let what = path
                        .file_name()
                        .map(|n| n.to_string_lossy().into_owned())
                        .unwrap_or_default();
                    self.reporter.println(&format!(
                        "waiting for another pymode that builds `{}`",
                        what.trim_start_matches('.').trim_end_matches(".lock")
                    ));
                    file.lock().map_err(CacheError::io("lock", path))?;
                }
                Err(TryLockError::Error(e)) => return Err(CacheError::io("lock", path)(e)),
            }
            if is_still_at(&file, path) {
                share_with_children(&file).map_err(CacheError::io("lock", path))?;
                return Ok(Lock { file });
            }
            // The cache was deleted meanwhile: no other process can see the lock that we hold.
        }
    }

    fn path(&self, kind: &str, key: &Key) -> PathBuf {
        self.root.join(kind).join(key.hex())
    }
}

/// A lock that is held as long as this lives.
#[derive(Debug)]
#[must_use]
pub struct Lock {
    file: File,
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Explicit, because a program that was started meanwhile holds the same lock through its copy of the file, and
        // one that stays in the background would keep it. If it fails, closing the file unlocks it for this process.
        let _ = self.file.unlock();
    }
}

/// A directory that is deleted when this is dropped, unless it was moved away.
struct Scratch {
    path: PathBuf,
}

impl Scratch {
    fn new(path: PathBuf) -> Result<Self, CacheError> {
        remove(&path)?;
        fs::create_dir_all(&path).map_err(CacheError::io("create", &path))?;
        Ok(Self { path })
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Best effort: what stays is hidden, and the next build of the entry removes it or says why it cannot.
        let _ = remove(&self.path);
    }
}

/// `dir/name` → `dir/.name.suffix`.
fn hidden(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".");
    name.push(suffix);
    path.with_file_name(name)
}

#[cfg(unix)]
fn is_still_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    match (file.metadata(), fs::metadata(path)) {
        (Ok(a), Ok(b)) => (a.dev(), a.ino()) == (b.dev(), b.ino()),
        _ => false,
    }
}

#[cfg(not(unix))]
fn is_still_at(_file: &File, _path: &Path) -> bool {
    true // An open file cannot be deleted there.
}

#[cfg(unix)]
fn share_with_children(file: &File) -> io::Result<()> {
    rustix::io::fcntl_setfd(file, rustix::io::FdFlags::empty()).map_err(io::Error::from)
}

#[cfg(not(unix))]
fn share_with_children(_file: &File) -> io::Result<()> {
    Ok(())
}
