//! Stub modules: the files of a Worker that stand for side modules.
//!
//! A Worker gets compiled modules and cannot compile others. So the file of a side module is a stub: a module whose last section
//! is a custom section with the hash of the module that it stands for. The compiled module ends with the same section, its stamp,
//! which identifies it. The bundle's link plan describes the module.
//!
//! Images hold no links. The stub of a file that was a link has one more custom section, with the path of the other file.

use alloc::string::String;
use alloc::vec::Vec;

/// The sha256 of a module.
pub type Hash = [u8; HASH];

const HASH: usize = 32;
/// A module without sections.
const EMPTY: &[u8] = b"\0asm\x01\0\0\0";
/// The custom section that holds the hash.
pub const SECTION: &str = "pymode.code";
/// The section without the hash: its kind, its length, and its name after the name's length.
const STAMP: &[u8] = b"\0\x2c\x0bpymode.code";
/// Name of the custom section with the path of the other file, after the name's length.
const SAME: &[u8] = b"\x0bpymode.same";

/// Contents of a stub module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stub<'a> {
    /// The hash of the module that it stands for.
    pub hash: Hash,
    /// The file that this one was a link to, relative to its own directory.
    pub same_as: Option<&'a str>,
}

/// Returns the key of a module in a bundle.
#[must_use]
pub fn key(hash: &Hash) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = hash[..12]
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15].map(usize::from));
    digits.map(|digit| char::from(DIGITS[digit])).collect()
}

/// Returns the stub of a module.
#[must_use]
pub fn stub(hash: &Hash) -> Vec<u8> {
    stamped(EMPTY.to_vec(), hash)
}

/// Returns the stub of a file that was a link to another file, at a path relative to its own directory.
#[must_use]
pub fn stub_of_link(hash: &Hash, to: &str) -> Vec<u8> {
    let content = [SAME, to.as_bytes()].concat();
    let (length, digits) = leb128fmt::encode_u64(content.len() as u64).unwrap_or_default();
    let module = [EMPTY, &[0], &length[..digits], &content].concat();
    stamped(module, hash)
}

/// Returns the module with a stamp at its end.
#[must_use]
pub fn stamped(mut module: Vec<u8>, hash: &Hash) -> Vec<u8> {
    module.extend_from_slice(STAMP);
    module.extend_from_slice(hash);
    module
}

/// Returns a stub or stamped module without its stamp, and the hash in it.
#[must_use]
pub fn stamp(module: &[u8]) -> Option<(&[u8], Hash)> {
    let (rest, hash) = module.split_last_chunk::<HASH>()?;
    let rest = rest.strip_suffix(STAMP)?;
    rest.starts_with(b"\0asm").then_some((rest, *hash))
}

/// Reads a stub; returns `None` for any other file.
#[must_use]
pub fn parse(file: &[u8]) -> Option<Stub<'_>> {
    let (rest, hash) = stamp(file)?;
    let same_as = match rest.strip_prefix(EMPTY)? {
        [] => None,
        [0, section @ ..] => {
            let mut at = 0;
            let length = leb128fmt::decode_uint_slice::<u64, 32>(section, &mut at).ok()?;
            let content = &section[at..];
            if length != content.len() as u64 {
                return None;
            }
            Some(str::from_utf8(content.strip_prefix(SAME)?).ok()?)
        }
        _ => return None,
    };
    Some(Stub { hash, same_as })
}

#[cfg(test)]
mod tests {
    use super::*;

    const CODE: Hash = [0xa5; HASH];

    fn plain(hash: Hash) -> Option<Stub<'static>> {
        Some(Stub {
            hash,
            same_as: None,
        })
    }

    #[test]
    fn a_stub_leads_to_a_stamped_module() {
        let module = [EMPTY, b"\0\x06\x04name!"].concat();
        assert!(STAMP.ends_with(SECTION.as_bytes()));
        assert_eq!(parse(&stub(&CODE)), plain(CODE));
        let stamped = stamped(module.clone(), &CODE);
        assert_eq!(stamp(&stamped), Some((&module[..], CODE)));
        assert_eq!(parse(&stamped), None);
        assert_eq!(stamp(&module), None);
        assert_eq!(stamp(b""), None);
        assert_eq!(key(&CODE), "a5".repeat(12));
        assert_eq!(key(&[0x0f; HASH]), "0f".repeat(12));
    }

    #[test]
    fn the_stub_of_a_link_has_its_path() {
        for to in ["", "a.so", &"long/".repeat(100)] {
            let link = stub_of_link(&CODE, to);
            let expected = Stub {
                hash: CODE,
                same_as: Some(to),
            };
            assert_eq!(parse(&link), Some(expected));
        }
    }

    #[test]
    fn a_file_that_is_cut_short_is_not_a_stub() {
        for stub in [stub(&CODE), stub_of_link(&CODE, "../a.so")] {
            for end in 0..stub.len() {
                assert_eq!(parse(&stub[..end]), None, "{end}");
            }
            assert_eq!(stamp(&stub[1..]), None);
        }
    }

    #[test]
    fn a_section_with_another_length_or_name_is_not_a_link() {
        for section in [
            &b"\0\x0cpymode.same"[..],
            b"\0\x0d\x0bpymode.same",
            b"\0\x0c\x0bpymode.samf",
            b"\0\x0d\x0bpymode.same\xff",
            b"\0\xff\xff\xff\xff\x0fx",
            b"\0\x80\x80\x80\x80\x80\x80",
            b"\0",
            b"\x01\x01\0",
        ] {
            let file = stamped([EMPTY, section].concat(), &CODE);
            assert_eq!(parse(&file), None, "{section:?}");
        }
    }
}
