//! Zip archives, and wheels.

use std::io::{self, Read, Seek};
use std::path::Path;

use zip::ZipArchive;
use zip::result::ZipError;

use super::UnpackError;
use super::destination::Destination;

/// The kind of a file in a Unix mode, and what it is for a symbolic link.
const KIND: u32 = 0o170000;
const LINK: u32 = 0o120000;

pub(super) fn unpack(
    reader: impl Read + Seek,
    mut destination: Destination<'_>,
) -> Result<(), UnpackError> {
    let mut archive = ZipArchive::new(reader).map_err(damaged)?;
    for n in 0..archive.len() {
        let entry = archive.by_index(n).map_err(damaged)?;
        let name = entry.name().map_err(damaged)?.into_owned();
        let inside = destination.enter(Path::new(&name))?;
        let mode = entry.unix_mode().unwrap_or(0);
        if mode & KIND == LINK {
            return Err(UnpackError::hostile(Path::new(&name), "is a link"));
        }
        if entry.is_dir() {
            destination.directory(&inside)?;
        } else {
            destination.file(&inside, mode & 0o111 != 0, entry)?;
        }
    }
    Ok(())
}

fn damaged(e: ZipError) -> UnpackError {
    match e {
        ZipError::Io(e) => e.into(),
        e => UnpackError::Io(io::Error::new(io::ErrorKind::InvalidData, e)),
    }
}
