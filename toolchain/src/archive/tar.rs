//! Tar archives.

use std::io::{self, Read};
use std::path::Path;

use tar::EntryType;

use super::UnpackError;
use super::destination::{Bounded, Destination, link_target};

pub(super) fn unpack(
    reader: impl Read,
    mut destination: Destination<'_>,
) -> Result<(), UnpackError> {
    // The stream is bounded as well as the files: a bomb may consist of headers, or of what is skipped.
    let stream = Bounded {
        inner: reader,
        left: destination
            .bytes_left()
            .saturating_mul(2)
            .saturating_add(1 << 20),
    };
    let mut archive = tar::Archive::new(stream);
    let mut links = Vec::new();
    for entry in archive.entries()? {
        let mut entry = entry?;
        let path = entry.path()?.into_owned();
        let kind = entry.header().entry_type();
        if kind == EntryType::XGlobalHeader {
            continue;
        }
        let inside = destination.enter(&path)?;
        match kind {
            EntryType::Directory => destination.directory(&inside)?,
            EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => {
                let header = entry.header();
                let (executable, time) = (header.mode()? & 0o111 != 0, header.mtime()?);
                destination.file(&inside, executable, &mut entry)?;
                destination.time(&inside, time)?;
            }
            EntryType::Symlink | EntryType::Link => {
                let to = entry.link_name()?.unwrap_or_default();
                // A symbolic link is relative to its directory, a hard link to the archive.
                let base = if kind == EntryType::Symlink {
                    inside.parent()
                } else {
                    None
                };
                let to = link_target(base.unwrap_or(Path::new("")), &to)
                    .ok_or_else(|| UnpackError::hostile(&path, "is a link that leads outside"))?;
                links.push((path, inside, to));
            }
            _ => {
                return Err(UnpackError::hostile(
                    &path,
                    "is neither a file, a directory nor a link",
                ));
            }
        }
    }
    // To the end: the checksum of the compressed stream stands there.
    io::copy(&mut archive.into_inner(), &mut io::sink())?;
    for (path, inside, to) in links {
        if !destination.copy(&to, &inside)? {
            return Err(UnpackError::hostile(
                &path,
                "is a link to nothing in the archive",
            ));
        }
    }
    Ok(())
}
