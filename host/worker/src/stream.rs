//! Output of a guest as frames.

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::Promise;
use pymode_bundle::wire::{FrameKind, put};
use pymode_host::Errno;
use pymode_host::vfs::FileKind;
use pymode_host::wasi::Stream;

use crate::body::BodyWriter;

/// The receiver of a guest's standard output.
pub(crate) trait Channel {
    /// Sends all output, before the guest waits.
    fn flush(&self) {}

    /// Returns a promise to await before more output, if the backlog is full.
    fn congestion(&self) -> Option<Promise>;
}

/// Output of this size is sent at once.
const CHUNK: usize = 1 << 16;

/// The frames of an answer. Clones share them.
#[derive(Clone)]
pub(crate) struct Frames(Rc<Gathered>);

struct Gathered {
    bytes: RefCell<Vec<u8>>,
    body: BodyWriter,
}

impl Frames {
    /// Creates frames that are written to this body.
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

    /// Sends the gathered frames.
    pub(crate) fn flush(&self) {
        let bytes = self.0.bytes.take();
        if !bytes.is_empty() {
            self.0.body.put(&bytes);
        }
    }

    /// Completes the answer.
    pub(crate) fn end(&self) {
        self.flush();
        self.0.body.end();
    }

    /// See [`BodyWriter::pause`].
    pub(crate) fn pause(&self) -> Option<Promise> {
        self.0.body.pause()
    }

    /// Returns a stream whose writes become frames of this kind.
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
