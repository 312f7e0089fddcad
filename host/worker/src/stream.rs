//! Standard output and standard error, as frames of one answer: their order is kept.

use std::cell::RefCell;
use std::rc::Rc;

use pymode_host::Errno;
use pymode_host::vfs::FileKind;
use pymode_host::wasi::Stream;

use crate::wire::{Kind, put};

/// What the guest has written and nobody has taken yet. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct Frames(Rc<RefCell<Vec<u8>>>);

impl Frames {
    pub(crate) fn put(&self, kind: Kind, parts: &[&[u8]]) {
        put(&mut self.0.borrow_mut(), kind, parts);
    }

    pub(crate) fn take(&self) -> Vec<u8> {
        self.0.take()
    }

    /// A stream whose writes become frames of this kind.
    pub(crate) fn stream(&self, kind: Kind) -> Box<dyn Stream> {
        Box::new(FrameOut {
            frames: self.clone(),
            kind,
        })
    }
}

struct FrameOut {
    frames: Frames,
    kind: Kind,
}

impl Stream for FrameOut {
    fn kind(&self) -> FileKind {
        FileKind::Unknown
    }

    fn write(&mut self, bytes: &[u8]) -> Result<usize, Errno> {
        self.frames.put(self.kind, &[bytes]);
        Ok(bytes.len())
    }
}
