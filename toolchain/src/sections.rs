//! Edits of a WebAssembly module by whole sections.
//!
//! A section that stays is copied byte by byte: an offset in it, such as that of an instruction in a stack trace, keeps its
//! meaning.

use wasm_encoder::{CustomSection, Encode as _};
use wasmparser::{BinaryReader, BinaryReaderError, Encoding, Parser, Payload};

/// One section of a module.
#[derive(Clone, Copy, Debug)]
pub struct Section<'m> {
    /// Its kind: see [`wasm_encoder::SectionId`].
    pub id: u8,
    /// Name of a custom section.
    pub name: Option<&'m str>,
    /// Its bytes, without id and length, and without the name of a custom section.
    pub content: &'m [u8],
    whole: &'m [u8],
}

/// The outcome for one section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    /// It stays.
    Keep,
    /// It is removed.
    Remove,
    /// Another takes its place, as [`replace`](Edit::replace) encodes it.
    Replace(Vec<u8>),
}

impl Edit {
    /// Puts `section` in the place of one.
    pub fn replace(section: &impl wasm_encoder::Section) -> Self {
        let mut bytes = Vec::new();
        section.append_to(&mut bytes);
        Self::Replace(bytes)
    }
}

/// The reason why a file has no sections.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SectionError {
    /// It is not well-formed.
    #[error(transparent)]
    Malformed(#[from] BinaryReaderError),
    /// It ends in the middle of a section.
    #[error("unexpected end: the section at byte {at} is truncated")]
    Truncated {
        /// Offset of the section's content.
        at: u64,
    },
    /// It is a component, not a module.
    #[error("expected a module, found a component")]
    Component,
}

/// Returns the sections of a module, in order. Their contents are not checked.
///
/// # Errors
/// If the bytes are not a module, or end in the middle of a section.
pub fn sections(module: &[u8]) -> Result<Vec<Section<'_>>, SectionError> {
    let mut sections = Vec::new();
    let mut at = HEADER;
    for payload in Parser::new(0).parse_all(module) {
        let payload = payload?;
        if let Payload::Version { encoding, .. } = payload
            && encoding != Encoding::Module
        {
            return Err(SectionError::Component);
        }
        let Some((id, range)) = payload.as_section() else {
            continue;
        };
        let (start, end) = (range.start as usize, range.end as usize);
        // Of a section of code, the parser reads the head first.
        let truncated = SectionError::Truncated { at: range.start };
        let whole = module.get(at..end).ok_or(truncated)?;
        let (name, content) = match &payload {
            Payload::CustomSection(section) => (Some(section.name()), section.data()),
            _ => (None, &module[start..end]),
        };
        sections.push(Section {
            id,
            name,
            content,
            whole,
        });
        at = end;
    }
    Ok(sections)
}

/// Returns the module with each section kept, removed or replaced.
///
/// # Errors
/// As [`sections`], and what `choose` fails with.
pub fn edit<'m>(
    module: &'m [u8],
    mut choose: impl FnMut(&Section<'m>) -> Result<Edit, SectionError>,
) -> Result<Vec<u8>, SectionError> {
    let mut out = module.get(..HEADER).unwrap_or_default().to_vec();
    for section in sections(module)? {
        match choose(&section)? {
            Edit::Keep => out.extend_from_slice(section.whole),
            Edit::Remove => {}
            Edit::Replace(section) => out.extend(section),
        }
    }
    Ok(out)
}

/// Appends a custom section. It may stand between any others, and so also last (WebAssembly core spec, 5.5.3).
pub fn append_custom(module: &mut Vec<u8>, name: &str, data: &[u8]) {
    let (name, data) = (name.into(), data.into());
    wasm_encoder::Section::append_to(&CustomSection { name, data }, module);
}

/// Returns the content of a section that consists of subsections, such as `name`, without those of one kind.
///
/// # Errors
/// If the content is damaged.
pub fn without_subsection(content: &[u8], removed: u8) -> wasmparser::Result<Vec<u8>> {
    let mut out = Vec::new();
    let mut reader = BinaryReader::new(content, 0);
    while !reader.eof() {
        let id = reader.read_u8()?;
        let size = reader.read_var_u32()?;
        let content = reader.read_bytes(size as usize)?;
        if id != removed {
            out.push(id);
            content.encode(&mut out);
        }
    }
    Ok(out)
}

/// Magic number and version.
const HEADER: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &[u8] =
        b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\0\x03\x01ab\x03\x02\x01\0\x0a\x04\x01\x02\0\x0b\0\x02\x01c";

    #[test]
    fn what_is_kept_keeps_its_bytes() {
        assert_eq!(
            edit(TEXT, |_| Ok(Edit::Keep)).expect("it is a module"),
            TEXT
        );
        let names: Vec<_> = sections(TEXT)
            .expect("it is a module")
            .iter()
            .map(|section| (section.id, section.name, section.content.len()))
            .collect();
        let expected = [
            (1, None, 4),
            (0, Some("a"), 1),
            (3, None, 2),
            (10, None, 4),
            (0, Some("c"), 0),
        ];
        assert_eq!(names, expected);
    }

    #[test]
    fn sections_are_removed_and_replaced() {
        let edited = edit(TEXT, |section| {
            Ok(match section.name {
                Some("a") => Edit::Remove,
                Some(_) => Edit::replace(&CustomSection {
                    name: "d".into(),
                    data: b"d".into(),
                }),
                None => Edit::Keep,
            })
        });
        let mut edited = edited.expect("it is a module");
        append_custom(&mut edited, "e", b"f");
        let expected = b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x03\x02\x01\0\x0a\x04\x01\x02\0\x0b\0\x03\x01dd\0\x03\x01ef";
        assert_eq!(edited, expected);
    }

    #[test]
    fn a_module_that_is_cut_is_refused_or_shorter() {
        for cut in 0..TEXT.len() {
            match edit(&TEXT[..cut], |_| Ok(Edit::Keep)) {
                Ok(module) => assert_eq!(module, TEXT[..cut]),
                Err(error) => assert!(!error.to_string().is_empty()),
            }
        }
        assert!(sections(b"\0asm\x0d\0\x01\0").is_err());
    }
}
