//! A file as bytes, without reading it: pages are read when they are touched.

use std::fs::File;
use std::io;
use std::path::Path;

use memmap2::Mmap;

/// A whole file, mapped read-only.
///
/// For files that are replaced as a whole and never changed in place, as those in the cache are.
pub(crate) struct Mapped(Mmap);

impl Mapped {
    pub(crate) fn open(path: &Path) -> io::Result<Mapped> {
        let file = File::open(path)?;
        // SAFETY: the type's contract is that the file does not change while it is mapped.
        let map = unsafe { Mmap::map(&file)? };
        Ok(Mapped(map))
    }
}

impl AsRef<[u8]> for Mapped {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}
