//! The wakeup of a waiting guest.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use js_sys::{Function, Promise};
use wasm_bindgen::prelude::*;

use crate::platform::{clear_timer, set_timer};

/// Ends a guest's wait. Every event that a guest can wait for notifies its wakeup, and the guest then polls. A guest waits in one
/// place at a time, so one wakeup is enough. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct Wakeup(Rc<Inner>);

#[derive(Default)]
struct Inner {
    /// Resolves the promise of the wait.
    wake: RefCell<Option<Function>>,
    /// Timer that ends the wait.
    timer: RefCell<Option<JsValue>>,
    /// Called at each notification.
    on_notify: RefCell<Option<Box<dyn Fn()>>>,
    /// The guest tried to read, and there was no input.
    wanted: Cell<bool>,
}

impl Wakeup {
    /// Ends the wait, if the guest waits.
    pub(crate) fn notify(&self) {
        if let Some(timer) = self.0.timer.take() {
            clear_timer(&timer);
        }
        if let Some(wake) = self.0.wake.take() {
            // It only settles a promise.
            let _ = wake.call0(&JsValue::UNDEFINED);
        }
        if let Some(on_notify) = &*self.0.on_notify.borrow() {
            on_notify();
        }
    }

    /// Sets the function to call at each notification, for a guest that waits in several places.
    pub(crate) fn on_notify(&self, function: impl Fn() + 'static) {
        self.0.on_notify.replace(Some(Box::new(function)));
    }

    /// Returns a promise that resolves at the next notification.
    pub(crate) fn wait(&self) -> Promise {
        Promise::new(&mut |resolve, _reject| {
            self.0.wake.replace(Some(resolve));
        })
    }

    /// Returns a promise that resolves at the next notification, or after at least `nanoseconds`.
    pub(crate) fn wait_at_most(&self, nanoseconds: u64) -> Result<Promise, JsValue> {
        let mut timer = Ok(JsValue::UNDEFINED);
        let promise = Promise::new(&mut |resolve, _reject| {
            timer = set_timer(&resolve, nanoseconds);
            self.0.wake.replace(Some(resolve));
        });
        self.0.timer.replace(Some(timer?));
        Ok(promise)
    }

    /// Notes that the guest must wait for input.
    pub(crate) fn want(&self) {
        self.0.wanted.set(true);
    }

    /// Returns `true` if the guest must wait for input, once.
    pub(crate) fn take_wanted(&self) -> bool {
        self.0.wanted.take()
    }
}
