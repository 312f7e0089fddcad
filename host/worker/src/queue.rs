//! One at a time, in the order of arrival.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use futures_channel::oneshot;

/// A place that only one may have. Clones are the same place.
#[derive(Clone, Default)]
pub(crate) struct Queue(Rc<Line>);

#[derive(Default)]
struct Line {
    taken: Cell<bool>,
    waiting: RefCell<VecDeque<oneshot::Sender<()>>>,
}

/// Having the place. It goes to the next in line when this is dropped.
pub(crate) struct Turn(Rc<Line>);

impl Queue {
    /// Waits for the place.
    pub(crate) async fn turn(&self) -> Turn {
        if self.0.taken.replace(true) {
            let (sender, receiver) = oneshot::channel();
            self.0.waiting.borrow_mut().push_back(sender);
            // The sender is dropped only together with the queue, which this holds.
            let _ = receiver.await;
        }
        Turn(Rc::clone(&self.0))
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        loop {
            let next = self.0.waiting.borrow_mut().pop_front();
            let Some(next) = next else { break };
            // Unless that one does not wait any more, the place stays taken: it is handed on.
            if next.send(()).is_ok() {
                return;
            }
        }
        self.0.taken.set(false);
    }
}
