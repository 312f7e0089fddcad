//! Numbers as WebAssembly encodes them.
//!
//! The only writer of the crate. An encoder's crate would bring a writer for all of WebAssembly to the few numbers of a thunk
//! module and of a plan.

use alloc::vec::Vec;

/// Appends a number in unsigned LEB128.
pub(crate) fn write(out: &mut Vec<u8>, mut value: usize) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_the_spec() {
        for (value, bytes) in [
            (0, &[0][..]),
            (127, &[127]),
            (128, &[0x80, 1]),
            (624_485, &[0xe5, 0x8e, 0x26]),
            (u32::MAX as usize, &[0xff, 0xff, 0xff, 0xff, 0x0f]),
        ] {
            let mut out = Vec::new();
            write(&mut out, value);
            assert_eq!(out, bytes);
        }
    }
}
