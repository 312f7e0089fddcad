//! The custom section `pymode.abi`: the version of the ABI that a module was built for.

use wasm_encoder::Encode;

use crate::sections;

/// Returns a WebAssembly custom section that holds the version of the ABI as LEB128, to be appended to a finished module.
pub fn abi_section(version: u32) -> Vec<u8> {
    let mut data = Vec::new();
    version.encode(&mut data);
    let mut section = Vec::new();
    sections::append_custom(&mut section, pymode_abi::SECTION, &data);
    section
}

#[cfg(test)]
mod tests {
    use super::abi_section;

    #[test]
    fn bytes_are_those_of_the_spec() {
        assert_eq!(abi_section(1), b"\x00\x0c\x0apymode.abi\x01");
        assert_eq!(abi_section(300), b"\x00\x0d\x0apymode.abi\xac\x02");
    }
}
