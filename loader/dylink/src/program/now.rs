//! Futures of engines that never wait.

use core::pin::pin;
use core::task::{Context, Poll, Waker};

/// Runs a future that does not wait: one of [`open`](crate::open) over an engine whose calls return when they are done.
///
/// # Panics
/// If the future waits. An engine that suspends must await instead.
pub fn now<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("this engine suspends: its futures are to be awaited"),
    }
}
