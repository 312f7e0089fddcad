//! Offsets of a module's functions: a custom section that the bundler adds, because a Worker cannot read a module's bytes.
//!
//! It contains LEB128 numbers: the number of imported functions, and for each other function the distance from the start of the
//! previous one.

use alloc::vec::Vec;

/// The name of the section.
pub const SECTION: &str = "pymode.starts";

/// Returns the section's content for a module with `imported` imported functions, and other functions at `starts`.
#[must_use]
pub fn to_bytes(imported: u32, starts: &[u64]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut put = |number: u64| {
        let (encoded, len) = leb128fmt::encode_u64(number).unwrap_or_default();
        bytes.extend_from_slice(&encoded[..len]);
    };
    put(imported.into());
    let mut last = 0;
    for start in starts {
        put(start.wrapping_sub(last));
        last = *start;
    }
    bytes
}

/// Returns the offset of a function, from the section's content.
#[must_use]
pub fn start(section: &[u8], function: u32) -> Option<u64> {
    let mut at = 0;
    let mut next = || leb128fmt::decode_uint_slice::<u64, 64>(section, &mut at).ok();
    let own = u64::from(function).checked_sub(next()?)?;
    let mut start = 0u64;
    for _ in 0..=own {
        start = start.checked_add(next()?)?;
    }
    Some(start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn starts_come_back_as_they_were() {
        let starts = [100, 100, 131, 70_000, 1 << 40];
        let bytes = to_bytes(2, &starts);
        for (function, expected) in [(2, 100), (3, 100), (4, 131), (5, 70_000), (6, 1 << 40)] {
            assert_eq!(start(&bytes, function), Some(expected));
        }
        for function in [0, 1, 7, u32::MAX] {
            assert_eq!(start(&bytes, function), None);
        }
        for end in 0..bytes.len() {
            assert_eq!(start(&bytes[..end], 6), None);
        }
        assert_eq!(start(&[0xff; 20], 3), None);
        assert_eq!(start(&to_bytes(0, &[1, u64::MAX]), 1), Some(u64::MAX));
    }
}
