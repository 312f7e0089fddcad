//! The threads of a guest. Each has a WebAssembly stack of its own, entered by `WebAssembly.promising`.
//!
//! A thread that parks waits for a promise, and JavaScript's own queue runs it when the promise is resolved. A new thread begins
//! in that queue, too: no thread may begin on top of another one.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::{Rc, Weak};

use js_sys::{Function, Promise, Reflect, WebAssembly};
use pymode_host::Errno;
use pymode_host::program::THREAD_START;
use pymode_host::scheduler::{Outside, Parked, Scheduler, ThreadId, Wait};
use pymode_host::wasi::{Interest, Wasi};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};

use crate::guest::GuestInstance;
use crate::platform::{clear_timer, log, set_timer};

/// The threads of one guest.
#[derive(Default)]
pub(crate) struct Threads {
    scheduler: RefCell<Scheduler>,
    /// Initial stack pointers of threads that have not begun.
    tops: RefCell<HashMap<ThreadId, u32>>,
    /// Threads that have left their stacks.
    left: RefCell<HashMap<ThreadId, Left>>,
    /// Calls of main are under way.
    main_runs: Cell<bool>,
    /// Files are to be polled by the queue.
    polls: Cell<bool>,
    /// Settled when a thread ends the whole guest.
    end: RefCell<Option<End>>,
    /// A thread has ended the whole guest.
    is_over: Cell<bool>,
}

/// A thread that waits for its promise.
struct Left {
    resolve: Function,
    timer: Option<JsValue>,
}

/// A promise that is rejected by the failure of a thread.
struct End {
    promise: Promise,
    reject: Function,
}

thread_local! {
    static IGNORE: Closure<dyn FnMut(JsValue)> = Closure::new(|_| {});
}

/// The guest's files, for the scheduler.
struct Files<'a>(&'a mut Wasi);

impl Outside for Files<'_> {
    fn is_ready(&mut self, files: &Interest) -> bool {
        self.0.is_ready(files)
    }

    fn is_fed(&mut self, files: &Interest) -> bool {
        !self.0.fed(files).is_empty()
    }
}

/// Starts a thread when the running one has left.
pub(crate) fn spawn(guest: &Rc<GuestInstance>, thread: ThreadId, top: u32) -> Result<(), Errno> {
    let threads = &guest.threads;
    threads.scheduler.borrow_mut().spawn(thread)?;
    threads.tops.borrow_mut().insert(thread, top);
    run_ready(guest);
    Ok(())
}

pub(crate) fn unpark(guest: &Rc<GuestInstance>, thread: ThreadId) -> Result<(), Errno> {
    guest.threads.scheduler.borrow_mut().unpark(thread)?;
    run_ready(guest);
    Ok(())
}

/// The running thread will return without parking.
pub(crate) fn end(guest: &GuestInstance, thread: ThreadId) {
    guest.threads.scheduler.borrow_mut().end(thread);
}

/// Parks the running thread. The import thunk repeats the call when its promise is resolved.
pub(crate) fn park(
    guest: &Rc<GuestInstance>,
    thread: ThreadId,
    until: u64,
    how: u32,
) -> Result<(), Errno> {
    let threads = &guest.threads;
    if threads.left.borrow_mut().remove(&thread).is_some() {
        return threads.scheduler.borrow_mut().resume(thread);
    }
    let wait = {
        let mut wasi = guest.wasi.borrow_mut();
        Wait::from_guest(until, how, || wasi.take_interest())?
    };
    let (is_yield, lets_events) = (matches!(wait, Wait::Yield { .. }), wait.lets_events());
    let deadline = wait.deadline();
    let is_expected = !threads.main_runs.get() || guest.jobs.are_waiting();
    let parked = {
        let mut wasi = guest.wasi.borrow_mut();
        let mut scheduler = threads.scheduler.borrow_mut();
        scheduler.park(thread, wait, &mut Files(&mut wasi), is_expected)
    };
    match parked {
        Parked::Returns(outcome) => return outcome,
        Parked::Leaves => {}
    }
    let mut timer = None;
    let promise = Promise::new(&mut |resolve, _reject| {
        timer = if lets_events {
            // JavaScript handles timers and messages before it.
            threads.scheduler.borrow_mut().withdraw(thread);
            set_timer(&resolve, 0).ok()
        } else {
            deadline.and_then(|until| {
                let now = guest
                    .wasi
                    .borrow()
                    .platform()
                    .now(pymode_host::Clock::Monotonic);
                let left = until.saturating_sub(now.unwrap_or(until));
                set_timer(&expiry(guest, until), left).ok()
            })
        };
        let left = Left {
            resolve,
            timer: timer.take(),
        };
        threads.left.borrow_mut().insert(thread, left);
    });
    if is_yield {
        guest.wait_quietly(promise);
    } else {
        guest.wait_for(promise);
    }
    run_ready(guest);
    poll_files(guest);
    Ok(())
}

/// Returns a function that wakes threads whose deadline has come.
fn expiry(guest: &Rc<GuestInstance>, until: u64) -> Function {
    let weak = Rc::downgrade(guest);
    let expire = Closure::once_into_js(move || {
        if let Some(guest) = weak.upgrade() {
            guest.threads.scheduler.borrow_mut().expire(until);
            run_ready(&guest);
        }
    });
    expire.unchecked_into()
}

/// Lets JavaScript's queue run all threads that are ready.
fn run_ready(guest: &Rc<GuestInstance>) {
    let threads = &guest.threads;
    loop {
        let next = threads.scheduler.borrow_mut().pop_ready();
        let Some(thread) = next else { return };
        if let Some(top) = threads.tops.borrow_mut().remove(&thread) {
            spawn_local(live(Rc::downgrade(guest), thread, top));
            continue;
        }
        if let Some(left) = threads.left.borrow_mut().get_mut(&thread) {
            if let Some(timer) = left.timer.take() {
                clear_timer(&timer);
            }
            // It only settles a promise.
            let _ = left.resolve.call0(&JsValue::UNDEFINED);
        }
    }
}

/// Lets JavaScript's queue find out which files are ready: the caller may be in the middle of a call about one.
pub(crate) fn poll_files(guest: &Rc<GuestInstance>) {
    let threads = &guest.threads;
    if threads.scheduler.borrow().files().next().is_none() || threads.polls.replace(true) {
        return;
    }
    let weak = Rc::downgrade(guest);
    spawn_local(async move {
        let Some(guest) = weak.upgrade() else { return };
        guest.threads.polls.set(false);
        {
            let mut wasi = guest.wasi.borrow_mut();
            let mut scheduler = guest.threads.scheduler.borrow_mut();
            scheduler.check_files(&mut Files(&mut wasi));
        }
        run_ready(&guest);
    });
}

/// Runs a thread from its beginning to its end.
async fn live(guest: Weak<GuestInstance>, thread: ThreadId, top: u32) {
    let Some(guest) = guest.upgrade() else { return };
    // Its first park has the outcome; there is none before.
    let _ = guest.threads.scheduler.borrow_mut().resume(thread);
    let returned = match enter(&guest, thread, top) {
        Ok(promise) => JsFuture::from(promise).await,
        Err(thrown) => Err(thrown),
    };
    let threads = &guest.threads;
    if let Err(thrown) = returned {
        threads.is_over.set(true);
        if !threads.main_runs.get() {
            let reason = pymode_dylink_js::reason(&thrown);
            log(&format!("pymode: a thread has ended the program: {reason}"));
        }
        if let Some(end) = &*threads.end.borrow() {
            // It only settles a promise.
            let _ = end.reject.call1(&JsValue::UNDEFINED, &thrown);
        }
        return;
    }
    {
        let mut wasi = guest.wasi.borrow_mut();
        let mut scheduler = threads.scheduler.borrow_mut();
        let is_expected = !threads.main_runs.get() || guest.jobs.are_waiting();
        if !is_expected && scheduler.is_stuck(&mut Files(&mut wasi)) {
            scheduler.break_deadlock();
        }
    }
    run_ready(&guest);
    poll_files(&guest);
}

fn enter(guest: &GuestInstance, thread: ThreadId, top: u32) -> Result<Promise, JsValue> {
    let function: Function = Reflect::get(&guest.exports, &THREAD_START.into())?.dyn_into()?;
    WebAssembly::promising(&function)
        .call2(&JsValue::UNDEFINED, &thread.0.into(), &top.into())?
        .dyn_into()
}

impl Threads {
    /// Calls main, and awaits its return, or the failure of another thread, whichever comes first.
    pub(crate) async fn run_main(
        &self,
        call: impl FnOnce() -> Result<Promise, JsValue>,
    ) -> Result<JsValue, JsValue> {
        let end = self.end_promise();
        self.main_runs.set(true);
        let first = match call() {
            Ok(promise) => {
                let both = js_sys::Array::of2(&promise, &end);
                JsFuture::from(Promise::race(&both)).await
            }
            Err(thrown) => Err(thrown),
        };
        self.main_runs.set(false);
        first
    }

    fn end_promise(&self) -> Promise {
        let mut end = self.end.borrow_mut();
        let end = end.get_or_insert_with(|| {
            let mut rejection = None;
            let promise = Promise::new(&mut |_resolve, reject| rejection = Some(reject));
            // Between two calls of main nobody awaits it.
            IGNORE.with(|ignore| drop(promise.catch(ignore)));
            End {
                promise,
                reject: rejection.expect("the function is called before `new` returns"),
            }
        });
        end.promise.clone()
    }

    /// Returns `true` if a thread has ended the whole guest.
    pub(crate) fn is_over(&self) -> bool {
        self.is_over.get()
    }

    /// Forgets the threads of a guest that has ended.
    pub(crate) fn clear(&self) {
        for (_, left) in self.left.take() {
            if let Some(timer) = left.timer {
                clear_timer(&timer);
            }
        }
    }
}
