//! Standard streams of a guest whose other side is somewhere else: they may have to wait.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use js_sys::{Function, Promise};
use pymode_host::Errno;
use pymode_host::vfs::FileKind;
use pymode_host::wasi::Stream;
use wasm_bindgen::prelude::*;

use crate::body::Body;
use crate::wire::{Kind, put};

/// The other side of a guest's streams.
pub(crate) trait Channel {
    /// What the guest reads as file 0.
    fn input(&self) -> &Pipe;

    /// Asks for more input; it comes through [`Pipe::give`], now or later.
    fn ask(&self);

    /// Hands over all output, before the guest pauses.
    fn flush(&self) {}

    /// A promise to wait for before more output is taken, if there is too much already.
    fn congestion(&self) -> Option<Promise>;
}

/// A promise of input, if the guest has just asked for it in vain.
pub(crate) fn input_wanted(channel: &dyn Channel) -> Option<Promise> {
    channel.input().is_wanted().then(|| input(channel))
}

/// Asks for input: a promise that is kept when there is some, or its end.
pub(crate) fn input(channel: &dyn Channel) -> Promise {
    let promise = channel.input().wait();
    channel.ask();
    promise
}

/// Input that comes while the guest runs. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct Pipe(Rc<RefCell<PipeState>>);

#[derive(Default)]
struct PipeState {
    bytes: VecDeque<u8>,
    ended: bool,
    /// The guest wanted to read and there was nothing.
    wanted: bool,
    /// Ends the wait of the guest.
    wake: Option<Function>,
}

impl Pipe {
    /// More input.
    pub(crate) fn give(&self, bytes: &[u8]) {
        self.0.borrow_mut().bytes.extend(bytes);
        self.wake();
    }

    /// There will be no more.
    pub(crate) fn end(&self) {
        self.0.borrow_mut().ended = true;
        self.wake();
    }

    fn wake(&self) {
        let wake = self.0.borrow_mut().wake.take();
        if let Some(wake) = wake {
            // It only settles a promise.
            let _ = wake.call0(&JsValue::UNDEFINED);
        }
    }

    fn is_wanted(&self) -> bool {
        std::mem::take(&mut self.0.borrow_mut().wanted)
    }

    fn wait(&self) -> Promise {
        Promise::new(&mut |resolve, _reject| self.0.borrow_mut().wake = Some(resolve))
    }

    /// The stream that the guest reads.
    pub(crate) fn stream(&self) -> Box<dyn Stream> {
        Box::new(PipeIn(self.clone()))
    }
}

struct PipeIn(Pipe);

impl Stream for PipeIn {
    fn kind(&self) -> FileKind {
        FileKind::Unknown
    }

    fn read(&mut self, into: &mut [u8], _may_wait: bool) -> Result<usize, Errno> {
        let mut pipe = self.0.0.borrow_mut();
        if pipe.bytes.is_empty() && !pipe.ended {
            pipe.wanted = true;
            return Err(Errno::Again);
        }
        let count = into.len().min(pipe.bytes.len());
        for (to, from) in into.iter_mut().zip(pipe.bytes.drain(..count)) {
            *to = from;
        }
        Ok(count)
    }

    fn readable(&mut self) -> Option<u64> {
        let pipe = self.0.0.borrow();
        (!pipe.bytes.is_empty() || pipe.ended).then_some(pipe.bytes.len() as u64)
    }
}

/// So much output is handed over at once, even if the guest does not pause.
const CHUNK: usize = 1 << 16;

/// The frames of an answer, in the order in which they were made. Clones share them.
#[derive(Clone)]
pub(crate) struct Frames(Rc<Gathered>);

struct Gathered {
    bytes: RefCell<Vec<u8>>,
    body: Body,
}

impl Frames {
    /// Frames that become this body.
    pub(crate) fn new(body: Body) -> Frames {
        Frames(Rc::new(Gathered {
            bytes: RefCell::default(),
            body,
        }))
    }

    pub(crate) fn put(&self, kind: Kind, parts: &[&[u8]]) {
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

    /// See [`Body::pause`].
    pub(crate) fn pause(&self) -> Option<Promise> {
        self.0.body.pause()
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

    fn write(&mut self, bytes: &[u8], _may_wait: bool) -> Result<usize, Errno> {
        self.frames.put(self.kind, &[bytes]);
        Ok(bytes.len())
    }
}

/// A stream whose lines go to the Worker's log.
#[derive(Default)]
pub(crate) struct Log {
    line: Vec<u8>,
}

/// A line that does not end is cut.
const LONGEST_LINE: usize = 1 << 16;

impl Stream for Log {
    fn kind(&self) -> FileKind {
        FileKind::Unknown
    }

    fn write(&mut self, bytes: &[u8], _may_wait: bool) -> Result<usize, Errno> {
        self.line.extend_from_slice(bytes);
        while let Some(end) = self.line.iter().position(|byte| *byte == b'\n') {
            worker::console_log!("{}", String::from_utf8_lossy(&self.line[..end]));
            self.line.drain(..=end);
        }
        if self.line.len() > LONGEST_LINE {
            worker::console_log!("{}", String::from_utf8_lossy(&self.line));
            self.line.clear();
        }
        Ok(bytes.len())
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        if !self.line.is_empty() {
            worker::console_log!("{}", String::from_utf8_lossy(&self.line));
        }
    }
}
