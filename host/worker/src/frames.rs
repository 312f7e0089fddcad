//! Guest code that did not return: what happened, and in which functions.

use js_sys::{Reflect, Uint8Array, WebAssembly};
use pymode_dylink_js::{JsEngineError, JsFailure};
use pymode_host::v8::{FrameLocation, trap};
use wasm_bindgen::prelude::*;

use crate::guest::Guest;
use crate::loader;

/// Maximum number of functions in a message, as on wasmtime.
const SHOWN: usize = 6;
/// The section in which a bundle's module tells where its functions begin.
const STARTS: &str = "pymode.starts";

/// Makes the linker's error of it, in the words of the native host.
pub(crate) fn failed(guest: &Guest, thrown: &JsValue) -> JsEngineError {
    if thrown.is_instance_of::<WebAssembly::Exception>() {
        return JsFailure::Thrown {
            reason: pymode_host::GuestFailure::UNCAUGHT.to_owned(),
            frames: Vec::new(),
        }
        .into();
    }
    let Some(reason) = trap(&pymode_dylink_js::reason(thrown)) else {
        return JsEngineError::thrown(thrown);
    };
    let stack = Reflect::get(thrown, &"stack".into()).ok();
    let stack = stack.and_then(|stack| stack.as_string());
    let frames = frames(guest, stack.as_deref().unwrap_or_default());
    JsFailure::Thrown {
        reason: reason.to_owned(),
        frames: frames.take(SHOWN).collect(),
    }
    .into()
}

/// V8's list of the functions that were running, as far as they are the guest's.
pub(crate) fn told(guest: &Guest, stack: &str) -> String {
    let lines = frames(guest, stack).map(|frame| format!("  in {frame}"));
    lines.collect::<Vec<_>>().join("\n")
}

fn frames(guest: &Guest, stack: &str) -> impl Iterator<Item = String> {
    let places = stack.lines().filter_map(FrameLocation::parse);
    places.filter_map(|place| frame(guest, place))
}

/// `module!function+offset`, of modules that the guest knows.
fn frame(guest: &Guest, place: FrameLocation<'_>) -> Option<String> {
    let running = loader::running(guest, place.module)?;
    let function = match place.name {
        Some(name) => name.to_owned(),
        None => format!("function[{}]", place.function),
    };
    let start = start(&running.module, place.function);
    let offset = place.offset.saturating_sub(start.unwrap_or_default());
    Some(format!("{}!{function}+{offset:#x}", running.name))
}

/// Returns the offset of a function in its module's file.
fn start(module: &WebAssembly::Module, function: u32) -> Option<u64> {
    let sections = WebAssembly::Module::custom_sections(module, STARTS);
    let last = sections.get(sections.length().checked_sub(1)?);
    let bytes = Uint8Array::new(&last).to_vec();
    let mut numbers = numbers(&bytes);
    let own = u64::from(function).checked_sub(numbers.next()?)?;
    let own = usize::try_from(own).ok()?;
    // Each is encoded as its distance from the previous one.
    let deltas: Vec<u64> = numbers.take(own + 1).collect();
    (deltas.len() == own + 1).then(|| deltas.iter().sum())
}

/// LEB128 numbers.
fn numbers(bytes: &[u8]) -> impl Iterator<Item = u64> {
    let numbers = bytes.split_inclusive(|byte| byte & 0x80 == 0);
    numbers.map(|number| {
        let groups = number.iter().rev();
        groups.fold(0, |all, byte| all << 7 | u64::from(byte & 0x7f))
    })
}
