//! A first-in, first-out semaphore.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use futures_channel::oneshot;

/// A number of places. Clones share them.
#[derive(Clone)]
pub(crate) struct Queue(Rc<QueueState>);

struct QueueState {
    places: usize,
    free: Cell<usize>,
    waiting: RefCell<VecDeque<oneshot::Sender<()>>>,
}

/// An occupied place. When it is dropped, the place goes to the next waiting task.
pub(crate) struct Turn(Rc<QueueState>);

impl Queue {
    /// Creates a queue with free places.
    pub(crate) fn new(places: usize) -> Queue {
        Queue(Rc::new(QueueState {
            places,
            free: Cell::new(places),
            waiting: RefCell::default(),
        }))
    }

    /// Returns `true` if no job is running.
    pub(crate) fn is_idle(&self) -> bool {
        self.0.free.get() == self.0.places
    }

    /// Waits for a place.
    pub(crate) async fn turn(&self) -> Turn {
        match self.0.free.get().checked_sub(1) {
            Some(free) => self.0.free.set(free),
            None => {
                let (sender, receiver) = oneshot::channel();
                self.0.waiting.borrow_mut().push_back(sender);
                // The sender is dropped only together with the queue, which this holds.
                let _ = receiver.await;
            }
        }
        Turn(Rc::clone(&self.0))
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        loop {
            let next = self.0.waiting.borrow_mut().pop_front();
            let Some(next) = next else { break };
            // The place passes to the next task that still waits.
            if next.send(()).is_ok() {
                return;
            }
        }
        self.0.free.set(self.0.free.get() + 1);
    }
}
