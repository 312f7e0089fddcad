//! The directory that an archive is unpacked into, and nothing outside it.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use super::{Limits, UnpackError};

/// A directory with what may still be written into it.
pub(super) struct Destination<'p> {
    root: &'p Path,
    bytes_left: u64,
    entries_left: usize,
}

impl<'p> Destination<'p> {
    pub(super) fn new(root: &'p Path, limits: Limits) -> Self {
        Self {
            root,
            bytes_left: limits.bytes,
            entries_left: limits.entries,
        }
    }

    /// Counts an entry; gives its path below the directory.
    pub(super) fn enter(&mut self, path: &Path) -> Result<PathBuf, UnpackError> {
        self.entries_left = self
            .entries_left
            .checked_sub(1)
            .ok_or(UnpackError::TooLarge)?;
        inside(path).map_err(|reason| UnpackError::hostile(path, reason))
    }

    pub(super) fn bytes_left(&self) -> u64 {
        self.bytes_left
    }

    pub(super) fn directory(&self, inside: &Path) -> io::Result<()> {
        fs::create_dir_all(self.root.join(inside))
    }

    /// Writes a file. A second entry of the same name replaces the first, as tar does it.
    pub(super) fn file(
        &mut self,
        inside: &Path,
        executable: bool,
        from: impl Read,
    ) -> io::Result<()> {
        let target = self.root.join(inside);
        if let Some(parent) = target.parent() {
            fs::create_dir_all(parent)?;
        }
        match fs::remove_file(&target) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
            _ => {}
        }
        let mut options = File::options();
        options.write(true).create_new(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt;
            options.mode(if executable { 0o755 } else { 0o644 });
        }
        let mut file = options.open(&target)?;
        let mut bounded = Bounded {
            inner: from,
            left: self.bytes_left,
        };
        let copied = io::copy(&mut bounded, &mut file);
        self.bytes_left = bounded.left;
        copied.map(drop)
    }

    /// Sets a file's time: `make` decides by it which generated files are out of date.
    pub(super) fn time(&self, inside: &Path, seconds: u64) -> io::Result<()> {
        let time = UNIX_EPOCH
            .checked_add(Duration::from_secs(seconds))
            .ok_or_else(|| {
                io::Error::new(io::ErrorKind::InvalidData, "a time that does not exist")
            })?;
        File::options()
            .write(true)
            .open(self.root.join(inside))?
            .set_modified(time)
    }

    /// Copies a file that was unpacked before; gives whether there was anything.
    ///
    /// A link is a copy: no link ever exists through which one could leave the directory. A link to a directory is left
    /// out: what is in the directory is there under its own name.
    pub(super) fn copy(&mut self, from: &Path, to: &Path) -> io::Result<bool> {
        let from = self.root.join(from);
        if from.is_file() {
            self.file(to, is_executable(&from), File::open(&from)?)?;
            return Ok(true);
        }
        Ok(from.is_dir())
    }
}

/// A path as one inside a directory.
fn inside(path: &Path) -> Result<PathBuf, &'static str> {
    let mut clean = PathBuf::new();
    for part in path.components() {
        match part {
            Component::Normal(part) if part.as_encoded_bytes().contains(&b'\\') => {
                return Err("contains a backslash");
            }
            Component::Normal(part) => clean.push(part),
            Component::CurDir => {}
            Component::ParentDir => return Err("contains `..`"),
            Component::RootDir | Component::Prefix(_) => return Err("is an absolute path"),
        }
    }
    Ok(clean)
}

/// Returns the target of a link in the directory `base`, if it is inside.
pub(super) fn link_target(base: &Path, to: &Path) -> Option<PathBuf> {
    let mut at = base.to_path_buf();
    for part in to.components() {
        match part {
            Component::Normal(part) => at.push(part),
            Component::CurDir => {}
            Component::ParentDir => {
                if !at.pop() {
                    return None;
                }
            }
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(at)
}

#[cfg(unix)]
fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(path).is_ok_and(|meta| meta.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_executable(_path: &Path) -> bool {
    false
}

/// A reader that fails once it has given more than it may.
pub(super) struct Bounded<R> {
    pub(super) inner: R,
    pub(super) left: u64,
}

/// The mark of that failure.
#[derive(Debug, thiserror::Error)]
#[error("too large")]
struct TooLarge;

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buffer)?;
        self.left = self
            .left
            .checked_sub(n as u64)
            .ok_or_else(|| io::Error::other(TooLarge))?;
        Ok(n)
    }
}

/// Returns true if an error comes from [`Bounded`], perhaps wrapped by an outer reader.
pub(super) fn is_too_large(e: &io::Error) -> bool {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = e.get_ref().map(|inner| inner as _);
    while let Some(inner) = cause {
        if inner.is::<TooLarge>() {
            return true;
        }
        cause = match inner.downcast_ref::<io::Error>() {
            Some(wrapped) => wrapped.get_ref().map(|inner| inner as _),
            None => inner.source(),
        };
    }
    false
}
