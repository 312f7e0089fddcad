//! Which compiled module a file stands for.
//!
//! Where nothing may be compiled, the file of a side module is not the module itself but its skeleton: all that it says of
//! itself, without code and data. A custom section of the skeleton holds the key of the compiled module.

/// The custom section that holds the key.
const SECTION: &str = "pymode.code";

/// The key in a skeleton; `None` if the bytes are none.
#[must_use]
pub fn key(skeleton: &[u8]) -> Option<&str> {
    str::from_utf8(custom_section(skeleton, SECTION)?).ok()
}

/// The content of a custom section of a well-formed module.
fn custom_section<'a>(module: &'a [u8], wanted: &str) -> Option<&'a [u8]> {
    let mut rest = module.get(8..)?;
    while let Some((&id, after)) = rest.split_first() {
        let (len, after) = leb128(after)?;
        let body = after.get(..len)?;
        rest = after.get(len..)?;
        if id == 0 {
            let (len, body) = leb128(body)?;
            if body.get(..len)? == wanted.as_bytes() {
                return body.get(len..);
            }
        }
    }
    None
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
    use super::key;

    #[test]
    fn a_key_is_found_behind_other_sections() {
        let mut module = b"\0asm\x01\0\0\0".to_vec();
        module.extend(b"\x01\x01\0");
        module.extend(b"\0\x06\x04name!");
        assert_eq!(key(&module), None);
        module.extend(b"\0\x0f\x0bpymode.code0a1");
        assert_eq!(key(&module), Some("0a1"));
        for cut in 0..module.len() {
            assert_eq!(key(&module[..cut]), None, "{cut}");
        }
    }

    #[test]
    fn a_section_that_is_longer_than_the_file_is_none() {
        assert_eq!(key(b"\0asm\x01\0\0\0\0\xff\xff\xff\xff\x0fx"), None);
        assert_eq!(key(b"\0asm\x01\0\0\0\0\x80\x80\x80\x80\x80\x80"), None);
    }
}
