//! Failures of guest code: the reason, and the functions on the stack.

use js_sys::{Reflect, Uint8Array, WebAssembly};
use pymode_bundle::starts;
use pymode_dylink_js::{JsEngineError, JsFailure};
use pymode_host::v8::{FrameLocation, trap};
use wasm_bindgen::prelude::*;

use crate::guest::GuestInstance;
use crate::loader;

/// Maximum number of functions in a message, as on wasmtime.
const SHOWN: usize = 6;

/// Converts a thrown value to the linker's error, with the native host's wording.
pub(crate) fn failed(guest: &GuestInstance, thrown: &JsValue) -> JsEngineError {
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

/// Lists the guest's functions on V8's stack, one per line.
pub(crate) fn list(guest: &GuestInstance, stack: &str) -> String {
    let lines = frames(guest, stack).map(|frame| format!("  in {frame}"));
    lines.collect::<Vec<_>>().join("\n")
}

fn frames(guest: &GuestInstance, stack: &str) -> impl Iterator<Item = String> {
    let places = stack.lines().filter_map(FrameLocation::parse);
    places.filter_map(|place| frame(guest, place))
}

/// Returns `module!function+offset` for modules that the guest has loaded.
fn frame(guest: &GuestInstance, place: FrameLocation<'_>) -> Option<String> {
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
    let sections = WebAssembly::Module::custom_sections(module, starts::SECTION);
    let last = sections.get(sections.length().checked_sub(1)?);
    starts::start(&Uint8Array::new(&last).to_vec(), function)
}
