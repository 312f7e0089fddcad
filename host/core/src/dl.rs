//! The `pymode.dl_*` imports, as far as they need no loader: the texts that the guest hands over.

use crate::{Errno, GuestMemory};

/// Directory that is searched for libraries without a directory in their name.
pub const LIBRARY_PATH: &str = "/lib";

/// Hint for a side module of another contract.
pub const CONTRACT_HINT: &str = "build it again, with the `pymode cc` of this version";

/// The imports of `pymode` that a module passes its `__dso_handle`, to tell who it is.
pub const IDENTIFYING_IMPORTS: [&str; 1] = ["dl_sym_from"];

/// The directory of a program, by its first argument and its environment, as the guest sees it: what `$ORIGIN` is in the run
/// path of the program. `None` if it is not known.
#[must_use]
pub fn origin<'a>(
    program: Option<&[u8]>,
    env: impl IntoIterator<Item = (&'a [u8], &'a [u8])>,
) -> Option<String> {
    let program = str::from_utf8(program?).ok()?;
    let directory = program.rsplit_once('/').map(|(directory, _)| directory);
    if program.starts_with('/') {
        return Some(format!("{}/", directory?));
    }
    let mut env = env.into_iter();
    let here = env.find_map(|(name, value)| (name == b"PWD").then_some(value))?;
    let here = str::from_utf8(here).ok()?;
    Some(match directory {
        Some(directory) => format!("{here}/{directory}"),
        None => here.to_owned(),
    })
}

/// The longest path or symbol that is taken. C++ has symbols of thousands of bytes; a wrong length has billions.
const MAX_TEXT: u32 = 1 << 16;

/// Why an argument of a `dl_*` call cannot be used. It is what `dl_error` says then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadText {
    /// It lies outside of the guest's memory.
    #[error("{call}: the text at {at:#x}, {len} bytes long, lies outside of the program's memory")]
    Outside {
        /// The function that was called.
        call: &'static str,
        /// The address that was given.
        at: u32,
        /// The length that was given.
        len: u32,
    },
    /// It is longer than anything that makes sense.
    #[error("{call}: the text is {len} bytes long; the limit is {MAX_TEXT}")]
    TooLong {
        /// The function that was called.
        call: &'static str,
        /// The length that was given.
        len: u32,
    },
    /// It is not UTF-8.
    #[error("{call}: the text is not UTF-8")]
    NotUtf8 {
        /// The function that was called.
        call: &'static str,
    },
}

/// A path or symbol that the guest passed to `call`.
///
/// # Errors
/// When it is not text in the guest's memory.
pub fn text(
    memory: &dyn GuestMemory,
    call: &'static str,
    at: u32,
    len: u32,
) -> Result<String, BadText> {
    memory
        .check(at, len.into())
        .map_err(|_| BadText::Outside { call, at, len })?;
    if len > MAX_TEXT {
        return Err(BadText::TooLong { call, len });
    }
    let bytes = memory
        .read_vec(at, len)
        .map_err(|_| BadText::Outside { call, at, len })?;
    String::from_utf8(bytes).map_err(|_| BadText::NotUtf8 { call })
}

/// Answers `dl_addr`: writes each word to its address, and `text` to `at` if `room` bytes hold it. Gives the text's length.
///
/// # Errors
/// When one of the places lies outside of the guest's memory.
pub fn write_addr(
    memory: &mut dyn GuestMemory,
    words: [(u32, u32); 2],
    text: &[u8],
    at: u32,
    room: u32,
) -> Result<u32, Errno> {
    for (at, word) in words {
        memory.write_u32(at, word)?;
    }
    let len = text.len() as u32;
    if len <= room {
        memory.write(at, text)?;
    }
    Ok(len)
}

#[cfg(test)]
mod tests {
    use super::origin;

    #[test]
    fn a_program_lies_where_its_name_says() {
        let env = || [(&b"HOME"[..], &b"/h"[..]), (b"PWD", b"/w")];
        let of = |program: &str| origin(Some(program.as_bytes()), env());
        assert_eq!(of("/a/b/main").as_deref(), Some("/a/b/"));
        assert_eq!(of("/main").as_deref(), Some("/"));
        assert_eq!(of("main").as_deref(), Some("/w"));
        assert_eq!(of("a/main").as_deref(), Some("/w/a"));
        assert_eq!(origin(Some(b"main"), []), None);
        assert_eq!(origin(None, env()), None);
    }
}
