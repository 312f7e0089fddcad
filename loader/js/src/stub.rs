//! Stub modules: files that stand for modules that were compiled before.
//!
//! Where nothing may be compiled, the file of a side module is not the module itself but a stub: a module with nothing in it but a
//! custom section, which holds the hash of what was compiled. The compiled module has the same section, so that it can
//! be distinguished from any other.
//!
//! Nothing here is JavaScript's: `pymode-workerd`, which makes stubs, compiles this file too, and runs its tests.

use std::fmt::Write;

use pymode_dylink::ContentHash;

/// The custom section that holds the hash.
pub(crate) const SECTION: &str = "pymode.code";

/// Returns the hash in a stub; `None` if the bytes are none.
#[must_use]
pub fn stub_hash(file: &[u8]) -> Option<ContentHash> {
    let hash = custom_section(file, SECTION)?.try_into().ok()?;
    Some(ContentHash(hash))
}

/// Returns the relative path to the file that this one is, if it was a link when it was put into an image.
#[must_use]
pub fn link_target(file: &[u8]) -> Option<&str> {
    str::from_utf8(custom_section(file, "pymode.same")?).ok()
}

/// Returns the name of the compiled module in a bundle.
#[must_use]
pub fn key(hash: ContentHash) -> String {
    let mut key = String::with_capacity(24);
    for byte in &hash.0[..12] {
        // Writing to a text cannot fail.
        let _ = write!(key, "{byte:02x}");
    }
    key
}

/// The content of the last custom section of that name of a well-formed module.
fn custom_section<'a>(module: &'a [u8], wanted: &str) -> Option<&'a [u8]> {
    if !module.starts_with(b"\0asm") {
        return None;
    }
    let mut found = None;
    let mut rest = module.get(8..)?;
    while let Some((&id, after)) = rest.split_first() {
        let (len, after) = leb128(after)?;
        let body = after.get(..len)?;
        rest = after.get(len..)?;
        if id == 0 {
            let (len, body) = leb128(body)?;
            if body.get(..len)? == wanted.as_bytes() {
                found = body.get(len..);
            }
        }
    }
    found
}

/// An unsigned number of 32 bits, and what follows it.
fn leb128(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut value = 0u64;
    for (at, byte) in bytes.iter().enumerate().take(5) {
        value |= u64::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return Some((usize::try_from(value).ok()?, &bytes[at + 1..]));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{key, stub_hash};

    #[test]
    fn a_hash_is_found_behind_other_sections() {
        let mut module = b"\0asm\x01\0\0\0".to_vec();
        module.extend(b"\x01\x01\0");
        module.extend(b"\0\x06\x04name!");
        assert!(stub_hash(&module).is_none());
        module.extend(b"\0\x2c\x0bpymode.code");
        module.extend([0xa5; 32]);
        let hash = stub_hash(&module).expect("it is there");
        assert_eq!(key(hash), "a5".repeat(12));
        for cut in 0..module.len() {
            assert!(stub_hash(&module[..cut]).is_none(), "{cut}");
        }
    }

    #[test]
    fn a_section_that_is_longer_than_the_file_is_none() {
        assert!(stub_hash(b"\0asm\x01\0\0\0\0\xff\xff\xff\xff\x0fx").is_none());
        assert!(stub_hash(b"\0asm\x01\0\0\0\0\x80\x80\x80\x80\x80\x80").is_none());
        assert!(stub_hash(b"\0asm\x01\0\0\0\0\x0d\x0bpymode.code1").is_none());
    }
}
