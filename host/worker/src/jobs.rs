//! Calls into the host that wait for guest code: a `dlopen` whose constructor waits.
//!
//! V8 suspends a guest only if no JavaScript frame is between its entry and the suspension, and a constructor is called through
//! one. So `WebAssembly.promising` enters it on a stack of its own. The host returns to the guest's import thunk, which waits for
//! the constructor and calls again. Meanwhile the progress is kept here as a future.
//!
//! A constructor may call `dlopen` too, before the first call waits. So the job to resume is not always the latest: the promise
//! that it waits for identifies it.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll, Waker};

use js_sys::Promise;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use crate::guest::GuestInstance;

type Job = Pin<Box<dyn Future<Output = u32>>>;

/// The jobs of one guest.
#[derive(Default)]
pub(crate) struct Jobs {
    next: Cell<u32>,
    waiting: RefCell<HashMap<u32, Job>>,
    /// The running job.
    current: Cell<u32>,
    /// The job whose promise has settled: its thunk calls next.
    ready: Cell<Option<u32>>,
}

impl Jobs {
    /// Drops all jobs of a guest that has ended.
    pub(crate) fn clear(&self) {
        let dropped = self.waiting.take();
        drop(dropped);
    }
}

/// Runs a job until it ends or waits. After a wait the thunk calls again, and the same job continues: `job` is not called. While
/// a job waits, its result has no meaning.
pub(crate) fn resume<F>(guest: &Rc<GuestInstance>, job: impl FnOnce() -> F) -> u32
where
    F: Future<Output = u32> + 'static,
{
    let jobs = &guest.jobs;
    let known = jobs
        .ready
        .take()
        .and_then(|number| Some((number, jobs.waiting.borrow_mut().remove(&number)?)));
    let (number, mut job) = known.unwrap_or_else(|| {
        let number = jobs.next.replace(jobs.next.get().wrapping_add(1));
        (number, Box::pin(job()) as Job)
    });
    let outer = jobs.current.replace(number);
    let done = job.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    jobs.current.set(outer);
    match done {
        Poll::Ready(result) => {
            // Left by code that tried to wait where it could not.
            guest.waits_for.take();
            guest.poll.take();
            result
        }
        Poll::Pending => {
            jobs.waiting.borrow_mut().insert(number, job);
            0
        }
    }
}

/// Makes the guest and its running job wait for a promise.
pub(crate) async fn wait(guest: &Rc<GuestInstance>, promise: Promise) -> Result<JsValue, JsValue> {
    let number = guest.jobs.current.get();
    // Reactions run in order: the future has the outcome before the guest resumes.
    let outcome = JsFuture::from(promise.clone());
    let weak: Weak<GuestInstance> = Rc::downgrade(guest);
    let kept = Closure::<dyn FnMut(JsValue)>::new(move |_| {
        if let Some(guest) = weak.upgrade() {
            guest.jobs.ready.set(Some(number));
        }
    });
    guest.wait_quietly(promise.then2(&kept, &kept));
    outcome.await
}
