//! The loader's trace.

use std::cell::RefCell;

use pymode_dylink::Event;
use pymode_host::wasi::Stream;

/// The stream that a trace goes to.
pub(crate) struct Trace(RefCell<Box<dyn Stream>>);

impl Trace {
    pub(crate) fn new(stream: Box<dyn Stream>) -> Trace {
        Trace(RefCell::new(stream))
    }

    pub(crate) fn write(&self, event: Event<'_>) {
        let mut lines = Vec::new();
        for line in event.to_string().lines() {
            lines.extend_from_slice(b"pymode dl: ");
            lines.extend_from_slice(line.as_bytes());
            lines.push(b'\n');
        }
        // Frames and the log accept all bytes.
        let _ = self.0.borrow_mut().write(&lines, true);
    }
}
