//! Input of a guest that arrives while it runs.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use pymode_host::Errno;
use pymode_host::vfs::FileKind;
use pymode_host::wasi::Stream;

use crate::wakeup::Wakeup;

/// A queue of bytes for a guest. Clones share it.
#[derive(Clone)]
pub(crate) struct Pipe(Rc<State>);

struct State {
    bytes: RefCell<VecDeque<u8>>,
    ended: Cell<bool>,
    /// More input was requested since the last arrived.
    asked: Cell<bool>,
    wakeup: Wakeup,
}

impl Pipe {
    /// Creates an empty pipe to the guest with this wakeup.
    pub(crate) fn new(wakeup: &Wakeup) -> Pipe {
        Pipe(Rc::new(State {
            bytes: RefCell::default(),
            ended: Cell::default(),
            asked: Cell::default(),
            wakeup: wakeup.clone(),
        }))
    }

    /// Adds input.
    pub(crate) fn push(&self, bytes: &[u8]) {
        self.0.bytes.borrow_mut().extend(bytes);
        self.0.asked.set(false);
        self.0.wakeup.notify();
    }

    /// Ends the input.
    pub(crate) fn end(&self) {
        self.0.ended.set(true);
        self.0.wakeup.notify();
    }

    /// Discards unread input.
    pub(crate) fn clear(&self) {
        self.0.bytes.borrow_mut().clear();
        self.0.asked.set(false);
    }

    /// Returns the stream that the guest reads. It calls `ask` for more input when the pipe is empty.
    pub(crate) fn stream(&self, ask: impl Fn() + 'static) -> Box<dyn Stream> {
        Box::new(PipeIn {
            pipe: self.clone(),
            ask: Box::new(ask),
        })
    }
}

struct PipeIn {
    pipe: Pipe,
    ask: Box<dyn Fn()>,
}

impl PipeIn {
    /// Returns `true` if a read would not wait. Otherwise requests more data, once.
    fn is_ready(&self) -> bool {
        let state = &*self.pipe.0;
        let is_ready = || state.ended.get() || !state.bytes.borrow().is_empty();
        if !is_ready() && !state.asked.replace(true) {
            (self.ask)();
        }
        // Input may have arrived during the call.
        is_ready()
    }
}

impl Stream for PipeIn {
    fn kind(&self) -> FileKind {
        FileKind::Unknown
    }

    fn read(&mut self, into: &mut [u8], may_wait: bool) -> Result<usize, Errno> {
        if !self.is_ready() {
            if may_wait {
                self.pipe.0.wakeup.want();
            }
            return Err(Errno::Again);
        }
        let mut bytes = self.pipe.0.bytes.borrow_mut();
        let count = into.len().min(bytes.len());
        for (to, from) in into.iter_mut().zip(bytes.drain(..count)) {
            *to = from;
        }
        Ok(count)
    }

    fn readable(&mut self) -> Option<u64> {
        self.is_ready()
            .then(|| self.pipe.0.bytes.borrow().len() as u64)
    }
}
