//! Post-processes a linked module.

use std::fs;
use std::path::Path;

use wasm_encoder::Encode;
use wasmparser::{Parser, Payload};

use super::without_zeros;
use crate::cache::CacheError;

/// Leaves out what a linked module's data has of zeros, and appends sections.
pub(super) fn file(path: &Path, sections: impl FnOnce(&[u8]) -> Vec<u8>) -> Result<(), CacheError> {
    let linked = fs::read(path).map_err(CacheError::io("read", path))?;
    let sections = sections(&linked);
    let mut module = without_zeros(&linked).unwrap_or(linked);
    module.extend(sections);
    fs::write(path, module).map_err(CacheError::io("write", path))
}

/// The module without the sections that only debuggers read; `None` if it is damaged.
pub(super) fn without_debug_info(module: &[u8]) -> Option<Vec<u8>> {
    const HEADER: usize = 8;
    let mut out = module.get(..HEADER).unwrap_or_default().to_vec();
    let mut at = HEADER;
    for payload in Parser::new(0).parse_all(module) {
        let payload = payload.ok()?;
        let is_debug_info = matches!(&payload, Payload::CustomSection(section) if section.name().starts_with(".debug_"));
        if let Some((_, range)) = payload.as_section() {
            let end = range.end as usize;
            // From the end of the section before, so with this one's own head.
            if !is_debug_info {
                out.extend_from_slice(&module[at..end]);
            }
            at = end;
        }
    }
    Some(out)
}

/// Returns a number as WebAssembly writes it.
pub(super) fn leb128(value: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    value.encode(&mut bytes);
    bytes
}
