//! Unpacks archives from untrusted sources: every path stays inside, links stay inside or are refused, and sizes are limited.

mod destination;
mod tar;
mod zip;

use std::fs::File;
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};

use destination::Destination;

/// The size that one archive may unpack to; its headers cannot be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes, unpacked.
    pub bytes: u64,
    /// Files, directories and links.
    pub entries: usize,
}

impl Default for Limits {
    /// Ten times what any compiler's archive holds.
    fn default() -> Self {
        Self {
            bytes: 4 << 30,
            entries: 200_000,
        }
    }
}

/// An archive that was not unpacked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArchiveError {
    /// Not a format that is known here.
    #[error("unknown archive format of `{}`: expected .tar.gz, .tar.xz, .tar, .zip or .whl", path.display())]
    UnknownFormat {
        /// The archive.
        path: PathBuf,
    },
    /// It cannot be read: cut short or damaged, or the disk failed.
    #[error("cannot unpack `{}`: {source}{}", path.display(), hint(source))]
    Damaged {
        /// The archive.
        path: PathBuf,
        /// The error.
        source: io::Error,
    },
    /// A path or link that leads out of the directory it is unpacked into.
    #[error("unsafe archive `{}`: its entry `{entry}` {reason}", path.display())]
    Hostile {
        /// The archive.
        path: PathBuf,
        /// The entry's name as it stands there.
        entry: String,
        /// The reason.
        reason: &'static str,
    },
    /// It unpacks to more than it may.
    #[error("unsafe archive `{}`: it unpacks to more than {} bytes or {} entries", path.display(), limits.bytes, limits.entries)]
    TooLarge {
        /// The archive.
        path: PathBuf,
        /// The limits.
        limits: Limits,
    },
}

/// Unpacks a `.tar.gz`, `.tar.xz`, `.tar`, `.zip` or `.whl` into an existing directory.
///
/// # Errors
/// When it is damaged or of another format, is larger than [`Limits::default`], or has an entry that is absolute, contains
/// `..`, is a device, or is a link that leads outside. What was unpacked before the error was found stays: unpack into a
/// directory to throw away.
pub fn unpack(archive: &Path, into: &Path) -> Result<(), ArchiveError> {
    unpack_within(archive, into, Limits::default())
}

/// The same with other limits.
///
/// # Errors
/// As [`unpack`].
pub fn unpack_within(archive: &Path, into: &Path, limits: Limits) -> Result<(), ArchiveError> {
    let destination = Destination::new(into, limits);
    unpack_into(archive, destination).map_err(|error| error.of(archive, limits))
}

fn unpack_into(archive: &Path, destination: Destination<'_>) -> Result<(), UnpackError> {
    let name = archive
        .file_name()
        .map(|name| name.to_string_lossy().to_ascii_lowercase())
        .unwrap_or_default();
    let is = |suffixes: &[&str]| suffixes.iter().any(|suffix| name.ends_with(suffix));
    let file = BufReader::new(File::open(archive)?);
    if is(&[".tar.gz", ".tgz", ".crate"]) {
        tar::unpack(flate2::bufread::MultiGzDecoder::new(file), destination)
    } else if is(&[".tar.xz"]) {
        tar::unpack(
            liblzma::bufread::XzDecoder::new_multi_decoder(file),
            destination,
        )
    } else if is(&[".tar"]) {
        tar::unpack(file, destination)
    } else if is(&[".zip", ".whl"]) {
        zip::unpack(file, destination)
    } else {
        Err(UnpackError::UnknownFormat)
    }
}

/// An error without the archive's path.
#[derive(Debug)]
enum UnpackError {
    UnknownFormat,
    Io(io::Error),
    Hostile { entry: String, reason: &'static str },
    TooLarge,
}

impl From<io::Error> for UnpackError {
    fn from(e: io::Error) -> Self {
        if destination::is_too_large(&e) {
            Self::TooLarge
        } else {
            Self::Io(e)
        }
    }
}

impl UnpackError {
    fn hostile(entry: &Path, reason: &'static str) -> Self {
        Self::Hostile {
            entry: entry.display().to_string(),
            reason,
        }
    }

    fn of(self, archive: &Path, limits: Limits) -> ArchiveError {
        let path = archive.to_path_buf();
        match self {
            Self::UnknownFormat => ArchiveError::UnknownFormat { path },
            Self::Io(source) => ArchiveError::Damaged { path, source },
            Self::Hostile { entry, reason } => ArchiveError::Hostile {
                path,
                entry,
                reason,
            },
            Self::TooLarge => ArchiveError::TooLarge { path, limits },
        }
    }
}

/// Returns a hint for an archive that cannot be read.
fn hint(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => {
            "\n  hint: the archive is truncated or damaged; download it again"
        }
        _ => crate::cache::io_hint(error),
    }
}
