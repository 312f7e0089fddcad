//! Stub modules by the linker's hashes: see [`pymode_bundle::stub`].

use pymode_bundle::stub;
pub(crate) use pymode_bundle::stub::SECTION;
use pymode_dylink::ContentHash;

/// Returns the hash in a stub; `None` for any other file.
#[must_use]
pub fn stub_hash(file: &[u8]) -> Option<ContentHash> {
    Some(ContentHash(stub::parse(file)?.hash))
}

/// Returns the relative path to the file that this one is, if it was a link when it was put into an image.
#[must_use]
pub fn link_target(file: &[u8]) -> Option<&str> {
    stub::parse(file)?.same_as
}

/// Returns the key of the compiled module in a bundle.
#[must_use]
pub fn key(hash: ContentHash) -> String {
    stub::key(&hash.0)
}
