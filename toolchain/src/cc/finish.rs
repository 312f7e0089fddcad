//! Post-processes a linked module.

use std::fs;
use std::path::Path;

use super::without_zeros;
use crate::cache::CacheError;
use crate::sections::{Edit, SectionError, edit};

/// Leaves out what a linked module's data has of zeros, and appends sections.
pub(super) fn file(path: &Path, sections: impl FnOnce(&[u8]) -> Vec<u8>) -> Result<(), CacheError> {
    let linked = fs::read(path).map_err(CacheError::io("read", path))?;
    let sections = sections(&linked);
    let mut module = without_zeros(&linked).unwrap_or(linked);
    module.extend(sections);
    fs::write(path, module).map_err(CacheError::io("write", path))
}

/// Returns the module without the sections that only debuggers read.
pub(super) fn without_debug_info(module: &[u8]) -> Result<Vec<u8>, SectionError> {
    edit(module, |section| {
        let is_debug_info = section.name.is_some_and(|name| name.starts_with(".debug_"));
        Ok(if is_debug_info {
            Edit::Remove
        } else {
            Edit::Keep
        })
    })
}
