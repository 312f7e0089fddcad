//! Stub modules by the linker's hashes: see [`pymode_bundle::stub`].

use pymode_bundle::stub;
use pymode_dylink::ContentHash;
use pymode_toolchain::Sha256Hex;

/// Returns the hash of a module, as stubs and link plans have it.
///
/// # Panics
/// Never: a sha256 has as many digits as are read.
#[must_use]
pub fn hash_of(module: &[u8]) -> ContentHash {
    let digits = Sha256Hex::of(module);
    let mut hash = [0; 32];
    for (at, byte) in hash.iter_mut().enumerate() {
        let digits = &digits.as_str()[2 * at..2 * at + 2];
        *byte = u8::from_str_radix(digits, 16).expect("a sha256 is written in hexadecimal digits");
    }
    ContentHash(hash)
}

/// Returns the key of a module in a bundle.
#[must_use]
pub fn key(hash: ContentHash) -> String {
    stub::key(&hash.0)
}

/// Returns the stub of a module.
#[must_use]
pub fn stub(hash: ContentHash) -> Vec<u8> {
    stub::stub(&hash.0)
}

/// Returns the stub of a file that was a link to another file, at a path relative to its own directory.
#[must_use]
pub fn stub_of_link(hash: ContentHash, to: &str) -> Vec<u8> {
    stub::stub_of_link(&hash.0, to)
}

/// Returns the module with a stamp at its end.
#[must_use]
pub fn stamped(module: Vec<u8>, hash: ContentHash) -> Vec<u8> {
    stub::stamped(module, &hash.0)
}

/// Returns a stub or stamped module without its stamp, and the hash in it.
#[must_use]
pub fn stamp(module: &[u8]) -> Option<(&[u8], ContentHash)> {
    let (rest, hash) = stub::stamp(module)?;
    Some((rest, ContentHash(hash)))
}

/// Returns the hash in a stub; `None` for any other file.
#[must_use]
pub fn stub_hash(file: &[u8]) -> Option<ContentHash> {
    Some(ContentHash(stub::parse(file)?.hash))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stub_is_a_module_and_leads_to_a_stamped_one() {
        let module = wat::parse_str("(module (func (export \"f\")))").expect("it is well-formed");
        let hash = hash_of(&module);
        wasmparser::validate(&stub(hash)).expect("a stub is valid");
        for to in ["a.so", &"long/".repeat(100)] {
            wasmparser::validate(&stub_of_link(hash, to)).expect("the stub of a link is valid");
        }
        let stamped = stamped(module.clone(), hash);
        wasmparser::validate(&stamped).expect("it stays valid");
        assert_eq!(stamp(&stamped), Some((&module[..], hash)));
        assert_eq!(key(hash), Sha256Hex::of(&module).as_str()[..24]);
    }
}
