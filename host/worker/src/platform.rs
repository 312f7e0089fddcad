//! Time, chance and waiting, as a Worker has them.

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

/// A Worker's clocks stand still while it computes: they show when the last event arrived.
const RESOLUTION: u64 = 1_000_000;
/// `getRandomValues` takes no more at once.
const RANDOM_AT_ONCE: usize = 1 << 16;
/// `setTimeout` takes no more milliseconds.
const LONGEST: f64 = 2_147_483_647.0;

/// The platform of a guest in a Worker.
pub(crate) struct Worker;

impl Platform for Worker {
    fn now(&self, clock: Clock) -> Result<u64, Errno> {
        let milliseconds = match clock {
            Clock::Realtime => date_now(),
            Clock::Monotonic => performance_now(),
            // Nobody says how much of a processor this process takes.
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
        // Import thunks wait, between two calls.
        Err(Errno::NotSup)
    }
}

/// Has `callback` called after at least so many nanoseconds. Returns what [`clear_timer`] takes.
pub(crate) fn set_timer(callback: &Function, nanoseconds: u64) -> Result<JsValue, JsValue> {
    let milliseconds = (Duration::from_nanos(nanoseconds).as_secs_f64() * 1e3).ceil();
    set_timeout(callback, milliseconds.min(LONGEST))
}

/// Takes a timer back. One that has run out already stays so.
pub(crate) fn clear_timer(timer: &JsValue) {
    clear_timeout(timer);
}

/// Logs for the operator of the Worker.
pub(crate) fn log(text: &str) {
    console_error(text);
}

/// Makes a panic log its message before it traps.
pub(crate) fn install_panic_hook() {
    std::panic::set_hook(Box::new(|panic| console_error(&format!("pymode: {panic}"))));
}
