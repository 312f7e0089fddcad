//! Calls into the host that wait for guest code: a `dlopen` whose constructor waits.
//!
//! V8 suspends a guest only if no JavaScript frame is between its entry and the suspension, and a constructor is called through
//! one. So `WebAssembly.promising` enters it on a stack of its own. The host returns to the guest's import thunk, which waits for
//! the constructor and calls again. Meanwhile the progress is kept here as a future.
//!
//! [`pymode_host::tasks::Jobs`] has the jobs; here they wait for promises.

use std::rc::{Rc, Weak};

use js_sys::Promise;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use crate::guest::GuestInstance;

/// Runs a job until it ends or waits. After a wait the thunk calls again, and the same job continues: `job` is not called. While
/// a job waits, its result has no meaning.
pub(crate) fn resume<F>(guest: &Rc<GuestInstance>, job: impl FnOnce() -> F) -> u32
where
    F: Future<Output = u32> + 'static,
{
    let Some(result) = guest.jobs.resume(job) else {
        return 0;
    };
    // Left by code that tried to wait where it could not.
    guest.waits_for.take();
    guest.poll.take();
    result
}

/// Makes the guest and its running job wait for a promise.
pub(crate) async fn wait(guest: &Rc<GuestInstance>, promise: Promise) -> Result<JsValue, JsValue> {
    let number = guest.jobs.current();
    // Reactions run in order: the future has the outcome before the guest resumes.
    let outcome = JsFuture::from(promise.clone());
    let weak: Weak<GuestInstance> = Rc::downgrade(guest);
    let kept = Closure::<dyn FnMut(JsValue)>::new(move |_| {
        if let Some(guest) = weak.upgrade() {
            guest.jobs.end_wait(number);
        }
    });
    guest.wait_quietly(promise.then2(&kept, &kept));
    outcome.await
}
