//! The wakeup of a waiting guest.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use js_sys::{Function, Promise};
use wasm_bindgen::prelude::*;

use crate::platform::{clear_timer, set_timer};

/// Whatever a guest may wait for rings its wakeup; the guest then looks for itself what has come. It waits in one place at a
/// time, so one wakeup is enough. Clones are the same wakeup.
#[derive(Clone, Default)]
pub(crate) struct Wakeup(Rc<Inner>);

#[derive(Default)]
struct Inner {
    /// Ends the wait.
    wake: RefCell<Option<Function>>,
    /// The timer that ends it too.
    timer: RefCell<Option<JsValue>>,
    /// The guest wanted to read, and there was nothing.
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
    }

    /// A promise that is kept when the wakeup rings.
    pub(crate) fn wait(&self) -> Promise {
        Promise::new(&mut |resolve, _reject| {
            self.0.wake.replace(Some(resolve));
        })
    }

    /// A promise that is kept when the wakeup rings, or after at least so many nanoseconds.
    pub(crate) fn wait_at_most(&self, nanoseconds: u64) -> Result<Promise, JsValue> {
        let mut timer = Ok(JsValue::UNDEFINED);
        let promise = Promise::new(&mut |resolve, _reject| {
            timer = set_timer(&resolve, nanoseconds);
            self.0.wake.replace(Some(resolve));
        });
        self.0.timer.replace(Some(timer?));
        Ok(promise)
    }

    /// The guest wants to read and there is nothing: it is to wait.
    pub(crate) fn want(&self) {
        self.0.wanted.set(true);
    }

    /// Returns `true` if the guest has just wanted to read in vain.
    pub(crate) fn take_wanted(&self) -> bool {
        self.0.wanted.take()
    }
}
