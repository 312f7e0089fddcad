//! The stamp that identifies a compiled module.

use js_sys::{Uint8Array, WebAssembly};
use pymode_dylink::ContentHash;

use crate::stub::SECTION;

/// Returns the hash in a compiled module.
#[must_use]
pub fn stamp(module: &WebAssembly::Module) -> Option<ContentHash> {
    let sections = WebAssembly::Module::custom_sections(module, SECTION);
    // One that was copied out of a Worker and compiled again has two.
    let last = sections.get(sections.length().checked_sub(1)?);
    let hash = Uint8Array::new(&last);
    Some(ContentHash(hash.to_vec().try_into().ok()?))
}
