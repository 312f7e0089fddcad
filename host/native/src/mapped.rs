//! A file as bytes, without reading it: pages come when they are touched.

use std::fs::File;
use std::io;
use std::path::Path;

use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};

/// A whole file, mapped read-only.
///
/// For files that are replaced as a whole and never changed in place, as those in the cache are.
pub(crate) struct Mapped {
    start: *mut core::ffi::c_void,
    len: usize,
}

// SAFETY: the mapping is read-only and owned by this value alone; nothing in it belongs to a thread.
unsafe impl Send for Mapped {}
// SAFETY: as above; shared reading is all that is possible.
unsafe impl Sync for Mapped {}

impl Mapped {
    pub(crate) fn open(path: &Path) -> io::Result<Mapped> {
        let file = File::open(path)?;
        let len =
            usize::try_from(file.metadata()?.len()).map_err(|_| io::ErrorKind::FileTooLarge)?;
        if len == 0 {
            return Ok(Mapped {
                start: core::ptr::null_mut(),
                len,
            });
        }
        // SAFETY: a fresh private mapping, at an address that the system chooses, overlaps nothing.
        let start = unsafe {
            mmap(
                core::ptr::null_mut(),
                len,
                ProtFlags::READ,
                MapFlags::PRIVATE,
                &file,
                0,
            )?
        };
        Ok(Mapped { start, len })
    }
}

impl AsRef<[u8]> for Mapped {
    fn as_ref(&self) -> &[u8] {
        if self.len == 0 {
            return &[];
        }
        // SAFETY: `start` begins `len` readable bytes until `drop`, and the type's contract is that the file does not change.
        unsafe { core::slice::from_raw_parts(self.start.cast(), self.len) }
    }
}

impl Drop for Mapped {
    fn drop(&mut self) {
        if self.len > 0 {
            // SAFETY: this is the mapping that `open` made, and no slice of it outlives `self`.
            let unmapped = unsafe { munmap(self.start, self.len) };
            debug_assert!(unmapped.is_ok(), "a mapping of ours can be unmapped");
        }
    }
}
