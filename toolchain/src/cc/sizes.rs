//! The custom section `pymode.sizes`: how large the data is that a library defines for others.
//!
//! `dylink.0` has no word for it, and a program that is linked with the library has to make room for a copy.

use std::collections::BTreeMap;

use wasm_encoder::Encode;
use wasmparser::{BinaryReader, ExternalKind, Parser, Payload};

use super::references::References;
use crate::sections;

/// The name of the section.
pub(super) const SECTION: &str = "pymode.sizes";

/// The section for a linked library and the objects that it was linked from; `None` if it exports no data.
pub(super) fn section(library: &[u8], objects: &References) -> Option<Vec<u8>> {
    let mut sizes: BTreeMap<&str, u32> = BTreeMap::new();
    for payload in Parser::new(0).parse_all(library) {
        let Payload::ExportSection(exports) = payload.ok()? else {
            continue;
        };
        for export in exports {
            let export = export.ok()?;
            if let ExternalKind::Global = export.kind
                && let Some(defined) = objects.defined.get(export.name)
                && let Some(size) = defined.size
            {
                sizes.insert(export.name, size);
            }
        }
    }
    if sizes.is_empty() {
        return None;
    }
    let mut data = Vec::new();
    sizes.len().encode(&mut data);
    for (name, size) in sizes {
        name.encode(&mut data);
        size.encode(&mut data);
    }
    let mut section = Vec::new();
    sections::append_custom(&mut section, SECTION, &data);
    Some(section)
}

/// Reads the section's content, as far as it is well.
pub(super) fn read(content: &[u8]) -> BTreeMap<String, u32> {
    let mut sizes = BTreeMap::new();
    let mut reader = BinaryReader::new(content, 0);
    let count = reader.read_var_u32().unwrap_or_default();
    for _ in 0..count {
        let (Ok(name), Ok(size)) = (
            reader.read_string().map(str::to_owned),
            reader.read_var_u32(),
        ) else {
            break;
        };
        sizes.insert(name, size);
    }
    sizes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_far_as_they_are_well() {
        let content = b"\x02\x01a\x04\x01b\x80\x01";
        let sizes = BTreeMap::from([("a".to_owned(), 4), ("b".to_owned(), 128)]);
        assert_eq!(read(content), sizes);
        assert_eq!(read(&content[..5]).len(), 1);
        assert!(read(&[0xff; 9]).is_empty());
    }
}
