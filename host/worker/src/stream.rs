//! Standard streams that go over HTTP: output as frames of an answer, input as it is asked for.

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::{Function, Object, Promise, Reflect, Uint8Array};
use pymode_host::Errno;
use pymode_host::vfs::FileKind;
use pymode_host::wasi::Stream;
use wasm_bindgen::prelude::*;

use crate::wire::{Kind, put};

/// So much output is handed over at once, even if the guest does not pause.
const CHUNK: usize = 1 << 16;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = ReadableStream)]
    type Readable;

    #[wasm_bindgen(constructor, js_class = ReadableStream, catch)]
    fn new(source: &Object) -> Result<Readable, JsValue>;

    type Controller;

    #[wasm_bindgen(method, catch)]
    fn enqueue(this: &Controller, chunk: &Uint8Array) -> Result<(), JsValue>;

    #[wasm_bindgen(method, catch)]
    fn close(this: &Controller) -> Result<(), JsValue>;
}

/// The frames of an answer, in the order in which they were made. Clones share them.
#[derive(Clone)]
pub(crate) struct Frames(Rc<Answer>);

struct Answer {
    gathered: RefCell<Vec<u8>>,
    controller: Controller,
}

impl Frames {
    /// An answer, and the body that it becomes.
    pub(crate) fn new() -> Result<(Frames, worker::web_sys::ReadableStream), JsValue> {
        let controller = Rc::new(RefCell::new(None));
        let given = Rc::clone(&controller);
        let start =
            Closure::once(move |controller: Controller| given.replace(Some(controller)).is_none());
        let source = Object::new();
        Reflect::set(&source, &"start".into(), start.as_ref())?;
        let stream = Readable::new(&source)?;
        let controller = controller
            .take()
            .ok_or_else(|| JsError::new("the stream did not start"))?;
        let frames = Frames(Rc::new(Answer {
            gathered: RefCell::default(),
            controller,
        }));
        Ok((frames, JsValue::from(stream).unchecked_into()))
    }

    pub(crate) fn put(&self, kind: Kind, parts: &[&[u8]]) {
        let full = {
            let mut gathered = self.0.gathered.borrow_mut();
            put(&mut gathered, kind, parts);
            gathered.len() >= CHUNK
        };
        if full {
            self.flush();
        }
    }

    /// Hands over what has gathered. When nobody reads any more, it is thrown away.
    pub(crate) fn flush(&self) {
        let gathered = self.0.gathered.take();
        if !gathered.is_empty() {
            let _ = self.0.controller.enqueue(&Uint8Array::from(&gathered[..]));
        }
    }

    /// The answer is complete.
    pub(crate) fn end(&self) {
        self.flush();
        let _ = self.0.controller.close();
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

/// The other side of a guest that runs over HTTP.
#[derive(Clone)]
pub(crate) struct Channel {
    pub(crate) frames: Frames,
    pub(crate) pipe: Pipe,
}

impl Channel {
    /// A promise of input, if the guest has just asked for it in vain.
    pub(crate) fn input_wanted(&self) -> Option<Promise> {
        self.pipe.is_wanted().then(|| self.input())
    }

    /// Asks for input: a promise that is kept when there is some, or its end.
    pub(crate) fn input(&self) -> Promise {
        self.frames.put(Kind::WantStdin, &[]);
        self.pipe.wait()
    }

    /// Hands over all output, before the guest pauses.
    pub(crate) fn flush(&self) {
        self.frames.flush();
    }
}

/// Input that comes while the guest runs. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct Pipe(Rc<RefCell<PipeState>>);

#[derive(Default)]
struct PipeState {
    bytes: std::collections::VecDeque<u8>,
    ended: bool,
    /// The guest wanted to read and there was nothing.
    wanted: bool,
    /// Ends the wait of the guest.
    wake: Option<Function>,
}

impl Pipe {
    /// More input; none is the end.
    pub(crate) fn give(&self, bytes: &[u8]) {
        let wake = {
            let mut pipe = self.0.borrow_mut();
            pipe.bytes.extend(bytes);
            pipe.ended |= bytes.is_empty();
            pipe.wake.take()
        };
        if let Some(wake) = wake {
            // It only settles a promise.
            let _ = wake.call0(&JsValue::UNDEFINED);
        }
    }

    /// Whether the guest has just asked in vain.
    fn is_wanted(&self) -> bool {
        std::mem::take(&mut self.0.borrow_mut().wanted)
    }

    /// A promise that is kept when there is input.
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
