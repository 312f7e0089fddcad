//! An image in a WebAssembly module, which copies its bytes directly into the host's or the guest's memory.

use js_sys::{Object, WebAssembly};
use pymode_host::vfs::Blob;
use pymode_host::{Errno, GuestMemory};
use wasm_bindgen::prelude::*;

use crate::memory_view::{CopyFn, QueryFn, Slots, function, instantiate_between};

/// One image, as one guest sees it.
pub(crate) struct ImageBlob {
    read: CopyFn,
    read_to_guest: CopyFn,
    size: u32,
    _slots: Slots,
}

impl ImageBlob {
    /// Opens the image that `module` carries for `guest`, an instance's exports.
    pub(crate) fn open(module: &WebAssembly::Module, guest: &Object) -> Result<ImageBlob, JsValue> {
        let instance = instantiate_between(module, guest)?;
        let slots = Slots::of(&instance, &["read", "read_to_guest", "size"])?;
        // SAFETY: the slots hold the module's functions, which have these types, until `_slots` is dropped with them.
        let (read, read_to_guest, size): (CopyFn, CopyFn, QueryFn) = unsafe {
            (
                function(slots.get(0)),
                function(slots.get(1)),
                function(slots.get(2)),
            )
        };
        Ok(ImageBlob {
            read,
            read_to_guest,
            size: size(),
            _slots: slots,
        })
    }

    /// Returns the part of `len` bytes from `offset` that exists.
    fn available(&self, offset: u64, len: usize) -> Option<(u32, u32)> {
        let offset = u32::try_from(offset)
            .ok()
            .filter(|offset| *offset < self.size)?;
        Some((offset, (self.size - offset).min(len as u32)))
    }
}

impl Blob for ImageBlob {
    fn size(&self) -> u64 {
        self.size.into()
    }

    fn read(&self, offset: u64, into: &mut [u8]) -> usize {
        let Some((offset, count)) = self.available(offset, into.len()) else {
            return 0;
        };
        // SAFETY: it writes `count` bytes to `into`, which is at least that long.
        unsafe { (self.read)(into.as_mut_ptr() as u32, offset, count) };
        count as usize
    }

    fn read_to_guest(
        &self,
        offset: u64,
        memory: &mut dyn GuestMemory,
        at: u32,
        len: u32,
    ) -> Result<usize, Errno> {
        memory.check(at, len.into())?;
        let Some((offset, count)) = self.available(offset, len as usize) else {
            return Ok(0);
        };
        // SAFETY: it writes to the guest's memory, not to ours.
        unsafe { (self.read_to_guest)(at, offset, count) };
        Ok(count as usize)
    }
}
