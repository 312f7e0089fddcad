//! Tickets: what a Worker's files have in the place of side modules.
//!
//! A Worker gets modules compiled and may not compile others. So the file of a side module is a ticket for it: a module with
//! nothing in it but a custom section, which holds the hash of the module. The compiled module ends with the same section:
//! it has a stamp that identifies it. The bundle's link plan describes the module.

use pymode_dylink::ContentHash;
use pymode_toolchain::Sha256Hex;

/// A module without sections.
const NOTHING: &[u8] = b"\0asm\x01\0\0\0";
/// A custom section as far as it is the same in all: its kind, its length, and its name with that one's length.
const SECTION: &[u8] = b"\0\x2c\x0bpymode.code";
const HASH: usize = 32;

/// The hash of a module, as tickets and link plans have it.
///
/// # Panics
/// Never: a sha256 has as many digits as are read.
#[must_use]
pub fn hash_of(module: &[u8]) -> ContentHash {
    let digits = Sha256Hex::of(module);
    let mut hash = [0; HASH];
    for (at, byte) in hash.iter_mut().enumerate() {
        let digits = &digits.as_str()[2 * at..2 * at + 2];
        *byte = u8::from_str_radix(digits, 16).expect("a sha256 is written in hexadecimal digits");
    }
    ContentHash(hash)
}

/// Returns the name of the compiled module in a bundle.
#[must_use]
pub fn key(hash: ContentHash) -> String {
    hash.0[..12]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// The ticket for a module.
#[must_use]
pub fn ticket(hash: ContentHash) -> Vec<u8> {
    stamped(NOTHING.to_vec(), hash)
}

/// The ticket of a file that is the same file as another, which a relative path leads to: a link, before there was an image.
#[must_use]
pub fn ticket_of_link(hash: ContentHash, to: &str) -> Vec<u8> {
    const NAME: &[u8] = b"pymode.same";
    let name = [&[NAME.len() as u8], NAME].concat();
    let mut module = NOTHING.to_vec();
    module.push(0);
    let mut length = name.len() + to.len();
    while length >= 0x80 {
        module.push(length as u8 | 0x80);
        length >>= 7;
    }
    module.push(length as u8);
    module.extend(name);
    module.extend(to.as_bytes());
    stamped(module, hash)
}

/// The module with a stamp at its end.
#[must_use]
pub fn stamped(mut module: Vec<u8>, hash: ContentHash) -> Vec<u8> {
    module.extend(SECTION);
    module.extend(hash.0);
    module
}

/// A ticket or stamped module without its stamp, and what the stamp says.
#[must_use]
pub fn stamp(module: &[u8]) -> Option<(&[u8], ContentHash)> {
    let (rest, hash) = module.split_last_chunk::<HASH>()?;
    let rest = rest.strip_suffix(SECTION)?;
    rest.starts_with(b"\0asm")
        .then_some((rest, ContentHash(*hash)))
}

/// The hash in a ticket.
#[must_use]
pub fn of_ticket(file: &[u8]) -> Option<ContentHash> {
    stamp(file).and_then(|(rest, hash)| (rest == NOTHING).then_some(hash))
}

// How it is read in the Worker, and the tests of that.
#[cfg(test)]
#[path = "../../../loader/js/src/stub.rs"]
#[allow(unreachable_pub, reason = "there it is reached")]
mod inside;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_is_a_module_and_leads_to_a_stamped_one() {
        let module = wat::parse_str("(module (func (export \"f\")))").expect("it is well-formed");
        let hash = hash_of(&module);
        let ticket = ticket(hash);
        wasmparser::validate(&ticket).expect("a ticket is valid");
        assert_eq!(of_ticket(&ticket), Some(hash));
        assert_eq!(inside::stub_hash(&ticket), Some(hash));
        assert_eq!(inside::key(hash), key(hash));
        assert_eq!(inside::link_target(&ticket), None);
        for to in ["a.so", &"long/".repeat(100)] {
            let link = ticket_of_link(hash, to);
            wasmparser::validate(&link).expect("it is valid, too");
            assert_eq!(inside::stub_hash(&link), Some(hash));
            assert_eq!(inside::link_target(&link), Some(to));
        }

        let stamped = stamped(module.clone(), hash);
        wasmparser::validate(&stamped).expect("it stays valid");
        assert_eq!(stamp(&stamped), Some((&module[..], hash)));
        assert_eq!(of_ticket(&stamped), None);
        assert_eq!(stamp(&module), None);
        assert_eq!(stamp(b""), None);
        assert_eq!(key(hash), Sha256Hex::of(&module).as_str()[..24]);
    }
}
