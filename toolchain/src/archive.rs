//! Unpacking archives that nobody has checked: every path stays inside, links stay inside or are refused, sizes end.

use std::fs::{self, File};
use std::io::{self, BufReader, Read};
use std::path::{Component, Path, PathBuf};

/// The most that one archive may unpack to, in bytes.
const LARGEST: u64 = 4 << 30;
/// The most entries of one archive.
const MOST: usize = 200_000;

/// An archive that was not unpacked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArchiveError {
    /// Not a format that is known here.
    #[error("`{}` is no archive that is known: .tar.gz, .tar.xz, .tar, .zip and .whl are", path.display())]
    UnknownFormat {
        /// The archive.
        path: PathBuf,
    },
    /// It cannot be read: cut short or damaged, or the disk failed.
    #[error("cannot unpack `{}`: {source}{}", path.display(), crate::cache::io_hint(source))]
    Damaged {
        /// The archive.
        path: PathBuf,
        /// What was found.
        source: io::Error,
    },
    /// A path or link that leads out of the directory it is unpacked into.
    #[error("`{}` is refused: its entry `{entry}` {reason}", path.display())]
    Hostile {
        /// The archive.
        path: PathBuf,
        /// The entry's name as it stands there.
        entry: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// It unpacks to more than it may.
    #[error("`{}` is refused: it unpacks to more than {LARGEST} bytes or {MOST} entries", path.display())]
    TooLarge {
        /// The archive.
        path: PathBuf,
    },
}

/// Unpacks a `.tar.gz`, `.tar.xz`, `.tar`, `.zip` or `.whl` into an existing directory.
///
/// # Errors
/// When it is damaged or of another format, or has an entry that is absolute, contains `..`, is a device, or is a link
/// that leads outside. What was unpacked before the fault was found stays: unpack into a directory to throw away.
pub fn unpack(archive: &Path, into: &Path) -> Result<(), ArchiveError> {
    let name = archive
        .file_name()
        .map(|name| name.to_string_lossy().to_ascii_lowercase())
        .unwrap_or_default();
    let file = File::open(archive).map_err(damaged(archive))?;
    let file = BufReader::new(file);
    if name.ends_with(".tar.gz") || name.ends_with(".tgz") || name.ends_with(".crate") {
        unpack_tar(archive, flate2::bufread::MultiGzDecoder::new(file), into)
    } else if name.ends_with(".tar.xz") {
        unpack_tar(
            archive,
            liblzma::bufread::XzDecoder::new_multi_decoder(file),
            into,
        )
    } else if name.ends_with(".tar") {
        unpack_tar(archive, file, into)
    } else if name.ends_with(".zip") || name.ends_with(".whl") {
        unpack_zip(archive, file, into)
    } else {
        Err(ArchiveError::UnknownFormat {
            path: archive.to_path_buf(),
        })
    }
}

fn unpack_tar(archive: &Path, reader: impl Read, into: &Path) -> Result<(), ArchiveError> {
    let hostile = |entry: &Path, reason| ArchiveError::Hostile {
        path: archive.to_path_buf(),
        entry: entry.display().to_string(),
        reason,
    };
    let too_large = || ArchiveError::TooLarge {
        path: archive.to_path_buf(),
    };
    // The decompressor is bounded too: a header's size says nothing of how much a bomb unpacks to.
    let mut tar = tar::Archive::new(Bounded {
        inner: reader,
        left: LARGEST,
    });
    let mut links = Vec::new();
    for (n, entry) in tar.entries().map_err(damaged(archive))?.enumerate() {
        let mut entry = entry.map_err(damaged(archive))?;
        if n >= MOST {
            return Err(too_large());
        }
        let path = entry.path().map_err(damaged(archive))?.into_owned();
        let kind = entry.header().entry_type();
        if matches!(kind, tar::EntryType::XGlobalHeader) {
            continue;
        }
        let inside = safe(&path).map_err(|reason| hostile(&path, reason))?;
        let target = into.join(&inside);
        match kind {
            tar::EntryType::Directory => make_dir(into, &target).map_err(damaged(archive))?,
            tar::EntryType::Regular | tar::EntryType::Continuous | tar::EntryType::GNUSparse => {
                let executable = entry.header().mode().unwrap_or(0) & 0o111 != 0;
                write_file(into, &target, executable, &mut entry).map_err(damaged(archive))?;
                let time = entry.header().mtime().unwrap_or(0);
                set_time(&target, time).map_err(damaged(archive))?;
            }
            tar::EntryType::Symlink | tar::EntryType::Link => {
                let to = entry
                    .link_name()
                    .map_err(damaged(archive))?
                    .map(|to| to.into_owned())
                    .unwrap_or_default();
                let base = if kind == tar::EntryType::Symlink {
                    inside.parent()
                } else {
                    None
                };
                let to = resolve_link(base.unwrap_or(Path::new("")), &to)
                    .ok_or_else(|| hostile(&path, "is a link that leads outside"))?;
                links.push((path, inside, to));
            }
            _ => return Err(hostile(&path, "is neither a file, a directory nor a link")),
        }
    }
    // Links last, as copies: while files are written no link exists through which one could leave the directory.
    for (path, inside, to) in links {
        let from = into.join(&to);
        if from.is_file() {
            let mut file = File::open(&from).map_err(damaged(archive))?;
            let executable = is_executable(&from);
            write_file(into, &into.join(&inside), executable, &mut file)
                .map_err(damaged(archive))?;
        } else if !from.is_dir() {
            return Err(hostile(&path, "is a link to nothing in the archive"));
        }
    }
    Ok(())
}

fn unpack_zip(archive: &Path, file: BufReader<File>, into: &Path) -> Result<(), ArchiveError> {
    let bad =
        |e: zip::result::ZipError| damaged(archive)(io::Error::new(io::ErrorKind::InvalidData, e));
    let mut zip = zip::ZipArchive::new(file).map_err(bad)?;
    if zip.len() > MOST {
        return Err(ArchiveError::TooLarge {
            path: archive.to_path_buf(),
        });
    }
    let mut left = LARGEST;
    for n in 0..zip.len() {
        let entry = zip.by_index(n).map_err(bad)?;
        let name = entry.name().map_err(bad)?.into_owned();
        let hostile = |reason| ArchiveError::Hostile {
            path: archive.to_path_buf(),
            entry: name.clone(),
            reason,
        };
        let target = into.join(safe(Path::new(&name)).map_err(hostile)?);
        let mode = entry.unix_mode().unwrap_or(0);
        if mode & 0o170000 == 0o120000 {
            return Err(hostile("is a link"));
        }
        if entry.is_dir() {
            make_dir(into, &target).map_err(damaged(archive))?;
        } else {
            let mut bounded = Bounded { inner: entry, left };
            write_file(into, &target, mode & 0o111 != 0, &mut bounded).map_err(damaged(archive))?;
            left = bounded.left;
        }
    }
    Ok(())
}

/// The path as one inside a directory.
fn safe(path: &Path) -> Result<PathBuf, &'static str> {
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

/// Where a link in the directory `base` leads, if that is inside.
fn resolve_link(base: &Path, to: &Path) -> Option<PathBuf> {
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

fn make_dir(root: &Path, dir: &Path) -> io::Result<()> {
    debug_assert!(dir.starts_with(root));
    fs::create_dir_all(dir)
}

fn write_file(
    root: &Path,
    target: &Path,
    executable: bool,
    from: &mut impl Read,
) -> io::Result<()> {
    if let Some(parent) = target.parent() {
        make_dir(root, parent)?;
    }
    // A second entry of the same name replaces the first, as tar does it.
    match fs::remove_file(target) {
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
    let mut file = options.open(target)?;
    io::copy(from, &mut file)?;
    Ok(())
}

/// A source tree keeps its times: `make` decides by them which generated files are out of date.
fn set_time(path: &Path, seconds: u64) -> io::Result<()> {
    let time = std::time::UNIX_EPOCH
        .checked_add(std::time::Duration::from_secs(seconds))
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "a time that does not exist"))?;
    File::options().write(true).open(path)?.set_modified(time)
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

fn damaged(path: &Path) -> impl Fn(io::Error) -> ArchiveError {
    let path = path.to_path_buf();
    move |source| match source.get_ref() {
        Some(inner) if inner.is::<Full>() => ArchiveError::TooLarge { path: path.clone() },
        _ => ArchiveError::Damaged {
            path: path.clone(),
            source,
        },
    }
}

/// A reader that fails once it has given all it may.
struct Bounded<R> {
    inner: R,
    left: u64,
}

/// The mark of that failure.
#[derive(Debug, thiserror::Error)]
#[error("too large")]
struct Full;

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buffer)?;
        self.left = self
            .left
            .checked_sub(n as u64)
            .ok_or_else(|| io::Error::other(Full))?;
        Ok(n)
    }
}
