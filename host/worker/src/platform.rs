//! Clocks, random numbers and timers of a Worker.

use std::time::Duration;

use js_sys::Function;
use pymode_host::{Clock, Errno, Platform};
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = Date, js_name = now)]
    fn date_now() -> f64;

    #[wasm_bindgen(js_namespace = performance, js_name = now)]
    fn performance_now() -> f64;

    #[wasm_bindgen(catch, js_namespace = crypto, js_name = getRandomValues)]
    fn get_random_values(into: &mut [u8]) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(catch, js_name = setTimeout)]
    fn set_timeout(callback: &Function, milliseconds: f64) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(js_name = clearTimeout)]
    fn clear_timeout(timer: &JsValue);

    #[wasm_bindgen(js_namespace = console, js_name = error)]
    fn console_error(text: &str);
}

/// Resolution in nanoseconds. A Worker's clocks only advance between events.
const RESOLUTION: u64 = 1_000_000;
/// Maximum number of bytes of `getRandomValues`.
const RANDOM_AT_ONCE: usize = 1 << 16;
/// Maximum number of milliseconds of `setTimeout`.
const LONGEST: f64 = 2_147_483_647.0;

/// The platform of a guest in a Worker.
pub(crate) struct Worker;

impl Platform for Worker {
    fn now(&self, clock: Clock) -> Result<u64, Errno> {
        let milliseconds = match clock {
            Clock::Realtime => date_now(),
            Clock::Monotonic => performance_now(),
            // A Worker has no clock for processor time.
            Clock::ProcessCpu | Clock::ThreadCpu => performance_now(),
        };
        Ok((milliseconds * 1e6) as u64)
    }

    fn resolution(&self, _clock: Clock) -> Result<u64, Errno> {
        Ok(RESOLUTION)
    }

    fn random(&self, bytes: &mut [u8]) -> Result<(), Errno> {
        for chunk in bytes.chunks_mut(RANDOM_AT_ONCE) {
            get_random_values(chunk).map_err(|_| Errno::Io)?;
        }
        Ok(())
    }

    fn sleep(&self, _nanoseconds: u64) -> Result<(), Errno> {
        // Import thunks wait, not the host.
        Err(Errno::NotSup)
    }
}

/// Calls `callback` after at least `nanoseconds`. Returns a timer for [`clear_timer`].
pub(crate) fn set_timer(callback: &Function, nanoseconds: u64) -> Result<JsValue, JsValue> {
    let milliseconds = (Duration::from_nanos(nanoseconds).as_secs_f64() * 1e3).ceil();
    set_timeout(callback, milliseconds.min(LONGEST))
}

/// Cancels a timer, unless it has fired.
pub(crate) fn clear_timer(timer: &JsValue) {
    clear_timeout(timer);
}

/// Logs for the operator of the Worker.
pub(crate) fn log(text: &str) {
    console_error(text);
}

/// Logs the message of a panic before it traps.
pub(crate) fn install_panic_hook() {
    std::panic::set_hook(Box::new(|panic| console_error(&format!("pymode: {panic}"))));
}
