//! Calls into the host that wait for guest code: a `dlopen` whose constructor waits.
//!
//! Between the guest's entry and a suspension there may be no frame of JavaScript, and a constructor is called through one.
//! So it is entered by `WebAssembly.promising`, on a stack of its own; the host returns to the guest's import thunk, which has the
//! guest wait for the constructor, and then calls again. What was done so far is kept here as a future in between.
//!
//! A constructor may call `dlopen` too, while the first call is still on its way to its wait. So the one that is to go on
//! is not the latest: the promise that it has waited for identifies it.

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
    /// The one that is being done.
    current: Cell<u32>,
    /// The one whose promise was kept: the next call of its thunk is for it.
    ready: Cell<Option<u32>>,
}

impl Jobs {
    /// Forgets what the guest will not go on with.
    pub(crate) fn clear(&self) {
        let dropped = self.waiting.take();
        drop(dropped);
    }
}

/// Does a job until it ends or waits. After a wait the thunk calls again: then `job` is not asked for a new one. The result
/// of a job that waits means nothing.
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
            // Left behind by code that wanted to wait where nothing can: nobody waits for it.
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

/// Has the guest, and the job that is being done for it, wait for a promise.
pub(crate) async fn wait(guest: &Rc<GuestInstance>, promise: Promise) -> Result<JsValue, JsValue> {
    let number = guest.jobs.current.get();
    // First come, first served: the future knows the outcome before the guest goes on.
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
