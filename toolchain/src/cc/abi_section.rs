//! The custom section `pymode.abi`, by which a module says what it was built for.

/// A WebAssembly custom section that holds the version of the ABI as LEB128, to be appended to a finished module.
///
/// A custom section may stand anywhere between others, so also last (WebAssembly core spec, 5.5.3).
pub fn abi_section(version: u32) -> Vec<u8> {
    const NAME: &[u8] = b"pymode.abi";
    let mut body = leb128(NAME.len() as u32);
    body.extend_from_slice(NAME);
    body.extend(leb128(version));
    let mut section = vec![0];
    section.extend(leb128(body.len() as u32));
    section.extend(body);
    section
}

fn leb128(mut value: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = (value & 0x7f) as u8;
        value >>= 7;
        if value == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
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
