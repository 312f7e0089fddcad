//! A first-in, first-out semaphore.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use futures_channel::oneshot;

/// A number of places. Clones share them.
#[derive(Debug, Clone)]
pub struct Queue(Rc<QueueState>);

#[derive(Debug)]
struct QueueState {
    places: usize,
    free: Cell<usize>,
    waiting: RefCell<VecDeque<oneshot::Sender<()>>>,
}

/// An occupied place. When it is dropped, the place goes to the next waiting task.
#[derive(Debug)]
pub struct Turn(Rc<QueueState>);

impl Queue {
    /// Creates a queue with free places.
    #[must_use]
    pub fn new(places: usize) -> Queue {
        Queue(Rc::new(QueueState {
            places,
            free: Cell::new(places),
            waiting: RefCell::default(),
        }))
    }

    /// Returns `true` if no job is running.
    pub fn is_idle(&self) -> bool {
        self.0.free.get() == self.0.places
    }

    /// Waits for a place.
    pub async fn turn(&self) -> Turn {
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::pin::{Pin, pin};
    use std::task::{Context, Poll, Waker};

    fn poll(turn: Pin<&mut impl Future<Output = Turn>>) -> Option<Turn> {
        match turn.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(turn) => Some(turn),
            Poll::Pending => None,
        }
    }

    #[test]
    fn places_go_to_tasks_in_the_order_of_arrival() {
        let queue = Queue::new(2);
        assert!(queue.is_idle());
        let first = poll(pin!(queue.turn())).expect("a place is free");
        let second = poll(pin!(queue.turn())).expect("a place is free");
        let (mut third, mut fourth) = (pin!(queue.turn()), pin!(queue.turn()));
        assert!(poll(third.as_mut()).is_none() && poll(fourth.as_mut()).is_none());
        drop(second);
        assert!(poll(fourth.as_mut()).is_none());
        let third = poll(third.as_mut()).expect("the place passes on");
        drop((first, third));
        let fourth = poll(fourth.as_mut()).expect("the place passes on");
        assert!(!queue.is_idle());
        drop(fourth);
        assert!(queue.is_idle());
    }

    #[test]
    fn a_task_that_no_longer_waits_gets_no_place() {
        let queue = Queue::new(1);
        let first = poll(pin!(queue.turn())).expect("the place is free");
        {
            let mut gone = pin!(queue.turn());
            assert!(poll(gone.as_mut()).is_none());
        }
        let mut waiting = pin!(queue.turn());
        assert!(poll(waiting.as_mut()).is_none());
        drop(first);
        drop(poll(waiting.as_mut()).expect("the place skips the task that is gone"));
        assert!(queue.is_idle());
    }
}
