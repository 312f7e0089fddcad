//! Frames between `pymode … --engine workerd` and the Worker.
//!
//! A frame is a byte for its kind, the length of its content as a little-endian `u32`, and the content.

use alloc::vec::Vec;

/// Path of the request that starts a program. Its answer lasts as long as the program runs.
pub const RUN: &str = "/run";
/// Path of requests with standard input.
pub const STDIN: &str = "/stdin";

/// The kind of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FrameKind {
    /// To the Worker: an argument; the first is the program's name.
    Arg,
    /// To the Worker: a variable of the environment, `NAME=value`.
    Env,
    /// To the Worker: the path of the current directory in the guest.
    Cwd,
    /// To the Worker: a directory, by its path below the current one.
    Folder,
    /// Both ways: a file, its path below the current directory, a NUL byte, and its content.
    File,
    /// Both ways: a symbolic link, its path below the current directory, a NUL byte, and its target.
    Link,
    /// Both ways: permissions of a file or directory, its path below the current directory, a NUL byte, and the bits as a
    /// little-endian `u32`. The default is `0644` for files and `0755` for directories.
    Mode,
    /// To the Worker, each in a message of its own: bytes of standard input, or no content at its end.
    Stdin,
    /// From the Worker: the program waits for standard input. Input is sent only after such a frame.
    WantStdin,
    /// From the Worker: bytes for standard output.
    Stdout,
    /// From the Worker: bytes for standard error.
    Stderr,
    /// From the Worker: the path of a removed file or directory.
    Removed,
    /// From the Worker, before a failure: the path of a loaded module, a NUL byte, and the key of its code.
    Loaded,
    /// From the Worker, last: the exit code, a little-endian `u32`.
    Exit,
    /// From the Worker, last: the reason of a failure, a NUL byte, and V8's stack trace.
    Fault,
}

const KINDS: [(FrameKind, u8); 15] = [
    (FrameKind::Arg, b'a'),
    (FrameKind::Env, b'v'),
    (FrameKind::Cwd, b'c'),
    (FrameKind::Folder, b'd'),
    (FrameKind::File, b'f'),
    (FrameKind::Link, b's'),
    (FrameKind::Mode, b'm'),
    (FrameKind::Stdin, b'i'),
    (FrameKind::WantStdin, b'w'),
    (FrameKind::Stdout, b'o'),
    (FrameKind::Stderr, b'e'),
    (FrameKind::Removed, b'r'),
    (FrameKind::Loaded, b'l'),
    (FrameKind::Exit, b'x'),
    (FrameKind::Fault, b'!'),
];

/// A frame has an unknown kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownFrameKind(pub u8);

impl core::fmt::Display for UnknownFrameKind {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "unknown frame kind {} in a message", self.0)
    }
}

impl core::error::Error for UnknownFrameKind {}

/// Appends a frame whose content is `parts`, one after the other.
pub fn put(out: &mut Vec<u8>, kind: FrameKind, parts: &[&[u8]]) {
    let byte = KINDS
        .iter()
        .find(|(known, _)| *known == kind)
        .map_or(b'!', |(_, byte)| *byte);
    let len: usize = parts.iter().map(|part| part.len()).sum();
    out.push(byte);
    out.extend((len as u32).to_le_bytes());
    for part in parts {
        out.extend_from_slice(part);
    }
}

/// Takes the first frame from `bytes`; returns `Ok(None)` if it is not complete yet.
pub fn take<'a>(bytes: &mut &'a [u8]) -> Result<Option<(FrameKind, &'a [u8])>, UnknownFrameKind> {
    let Some((header, rest)) = bytes.split_first_chunk::<5>() else {
        return Ok(None);
    };
    let kind = KINDS.iter().find(|(_, byte)| *byte == header[0]);
    let kind = kind.ok_or(UnknownFrameKind(header[0]))?.0;
    let len = u32::from_le_bytes([header[1], header[2], header[3], header[4]]) as usize;
    let Some(content) = rest.get(..len) else {
        return Ok(None);
    };
    *bytes = &rest[len..];
    Ok(Some((kind, content)))
}

/// Splits content at its first separator; returns `None` if there is none.
#[must_use]
pub fn pair(content: &[u8], separator: u8) -> Option<(&[u8], &[u8])> {
    let at = content.iter().position(|byte| *byte == separator)?;
    Some((&content[..at], &content[at + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_come_back_as_they_were() {
        let mut bytes = Vec::new();
        for (kind, _) in KINDS {
            put(&mut bytes, kind, &[b"two ", b"parts"]);
            put(&mut bytes, kind, &[]);
        }
        let mut rest = &bytes[..];
        for (kind, _) in KINDS {
            assert_eq!(take(&mut rest), Ok(Some((kind, &b"two parts"[..]))));
            assert_eq!(take(&mut rest), Ok(Some((kind, &b""[..]))));
        }
        assert_eq!(take(&mut rest), Ok(None));
    }

    #[test]
    fn a_frame_that_is_not_complete_stays() {
        let mut bytes = Vec::new();
        put(&mut bytes, FrameKind::Stdout, &[b"text"]);
        for end in 0..bytes.len() {
            let mut rest = &bytes[..end];
            assert_eq!(take(&mut rest), Ok(None));
            assert_eq!(rest.len(), end);
        }
        let huge = [b'o', 0xff, 0xff, 0xff, 0xff, 1];
        assert_eq!(take(&mut &huge[..]), Ok(None));
        let unknown = [b'?', 0, 0, 0, 0];
        assert_eq!(take(&mut &unknown[..]), Err(UnknownFrameKind(b'?')));
    }

    #[test]
    fn the_first_separator_divides() {
        assert_eq!(pair(b"a=b=c", b'='), Some((&b"a"[..], &b"b=c"[..])));
        assert_eq!(pair(b"abc", 0), None);
    }
}
