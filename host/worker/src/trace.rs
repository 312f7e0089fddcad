//! What the loader tells of what it does.

use std::cell::{Cell, RefCell};

use pymode_host::wasi::Stream;

/// Where it goes. What a `dlopen` tells is held back while it may yet turn out that modules have to be fetched first: then it
/// begins anew, and what it told of its first attempt is nobody's concern.
pub(crate) struct Trace {
    stream: RefCell<Box<dyn Stream>>,
    held: RefCell<Vec<u8>>,
    holds: Cell<bool>,
}

/// So begins what is told when the guest's own code runs: no attempt is made again after it.
const CALL: &str = "call ";

impl Trace {
    pub(crate) fn new(stream: Box<dyn Stream>) -> Trace {
        Trace {
            stream: RefCell::new(stream),
            held: RefCell::default(),
            holds: Cell::default(),
        }
    }

    pub(crate) fn tell(&self, text: &str) {
        for line in text.lines() {
            let mut held = self.held.borrow_mut();
            held.extend_from_slice(b"pymode dl: ");
            held.extend_from_slice(line.as_bytes());
            held.push(b'\n');
        }
        if !self.holds.get() || text.starts_with(CALL) {
            self.release();
        }
    }

    /// An attempt begins.
    pub(crate) fn hold(&self) {
        self.holds.set(true);
    }

    /// It was the last.
    pub(crate) fn release(&self) {
        self.holds.set(false);
        let held = self.held.take();
        if !held.is_empty() {
            // Frames and the log take everything.
            let _ = self.stream.borrow_mut().write(&held, true);
        }
    }

    /// There will be another.
    pub(crate) fn forget(&self) {
        self.held.borrow_mut().clear();
    }
}
