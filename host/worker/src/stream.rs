//! Standard output of a guest whose other side is somewhere else.

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::Promise;
use pymode_bundle::wire::{FrameKind, put};
use pymode_host::Errno;
use pymode_host::vfs::FileKind;
use pymode_host::wasi::Stream;

use crate::body::BodyWriter;

/// The other side of a guest's standard output.
pub(crate) trait Channel {
    /// Hands over all output, before the guest pauses.
    fn flush(&self) {}

    /// A promise to wait for before more output is taken, if there is too much already.
    fn congestion(&self) -> Option<Promise>;
}

/// So much output is handed over at once, even if the guest does not pause.
const CHUNK: usize = 1 << 16;

/// The frames of an answer, in the order in which they were made. Clones share them.
#[derive(Clone)]
pub(crate) struct Frames(Rc<Gathered>);

struct Gathered {
    bytes: RefCell<Vec<u8>>,
    body: BodyWriter,
}

impl Frames {
    /// Frames that become this body.
    pub(crate) fn new(body: BodyWriter) -> Frames {
        Frames(Rc::new(Gathered {
            bytes: RefCell::default(),
            body,
        }))
    }

    pub(crate) fn put(&self, kind: FrameKind, parts: &[&[u8]]) {
        let full = {
            let mut bytes = self.0.bytes.borrow_mut();
            put(&mut bytes, kind, parts);
            bytes.len() >= CHUNK
        };
        if full {
            self.flush();
        }
    }

    /// Hands over what has gathered.
    pub(crate) fn flush(&self) {
        let bytes = self.0.bytes.take();
        if !bytes.is_empty() {
            self.0.body.put(&bytes);
        }
    }

    /// The answer is complete.
    pub(crate) fn end(&self) {
        self.flush();
        self.0.body.end();
    }

    /// See [`BodyWriter::pause`].
    pub(crate) fn pause(&self) -> Option<Promise> {
        self.0.body.pause()
    }

    /// A stream whose writes become frames of this kind.
    pub(crate) fn stream(&self, kind: FrameKind) -> Box<dyn Stream> {
        Box::new(FrameOut {
            frames: self.clone(),
            kind,
        })
    }
}

struct FrameOut {
    frames: Frames,
    kind: FrameKind,
}

impl Stream for FrameOut {
    fn kind(&self) -> FileKind {
        FileKind::Unknown
    }

    fn write(&mut self, bytes: &[u8], _may_wait: bool) -> Result<usize, Errno> {
        self.frames.put(self.kind, &[bytes]);
        Ok(bytes.len())
    }
}
