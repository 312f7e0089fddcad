//! The request that starts a program: its arguments, its environment, and the contents of its current directory.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::fmt;

use crate::wire::{FrameKind, UnknownFrameKind, pair, put, take};

/// A program to run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProgramRequest<'a> {
    /// The first is the program's name.
    pub args: Vec<&'a [u8]>,
    /// Names and values.
    pub env: Vec<(&'a [u8], &'a [u8])>,
    /// Path of the current directory, if the program has one.
    pub cwd: Option<&'a [u8]>,
    /// The contents of the current directory.
    pub contents: Contents<'a>,
}

/// The contents of a directory, by path.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Contents<'a> {
    /// Directories, outer ones first.
    pub folders: Vec<&'a [u8]>,
    /// Files and their bytes.
    pub files: BTreeMap<&'a [u8], &'a [u8]>,
    /// Symbolic links and their targets.
    pub links: BTreeMap<&'a [u8], &'a [u8]>,
    /// Permissions that differ from the default.
    pub modes: BTreeMap<&'a [u8], u32>,
}

/// Errors of reading a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestError {
    /// A frame has an unknown kind.
    Unknown(UnknownFrameKind),
    /// A frame of this kind has only one part.
    OnePart(FrameKind),
    /// Permissions are not four bytes.
    Mode,
    /// A frame of this kind does not belong in a request.
    Misplaced(FrameKind),
    /// The last frame is incomplete.
    Truncated,
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RequestError::Unknown(unknown) => unknown.fmt(f),
            RequestError::OnePart(kind) => write!(f, "{kind:?} frame without a separator"),
            RequestError::Mode => f.write_str("permissions are not four bytes"),
            RequestError::Misplaced(kind) => write!(f, "unexpected {kind:?} frame in a request"),
            RequestError::Truncated => f.write_str("unexpected end of the request"),
        }
    }
}

impl core::error::Error for RequestError {}

impl<'a> ProgramRequest<'a> {
    /// Returns the request as frames.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for arg in &self.args {
            put(&mut out, FrameKind::Arg, &[arg]);
        }
        for (name, value) in &self.env {
            put(&mut out, FrameKind::Env, &[name, b"=", value]);
        }
        if let Some(path) = self.cwd {
            put(&mut out, FrameKind::Cwd, &[path]);
        }
        let Contents {
            folders,
            files,
            links,
            modes,
        } = &self.contents;
        for path in folders {
            put(&mut out, FrameKind::Folder, &[path]);
        }
        for (path, bytes) in files {
            put(&mut out, FrameKind::File, &[path, b"\0", bytes]);
        }
        for (path, target) in links {
            put(&mut out, FrameKind::Link, &[path, b"\0", target]);
        }
        for (path, mode) in modes {
            put(
                &mut out,
                FrameKind::Mode,
                &[path, b"\0", &mode.to_le_bytes()],
            );
        }
        out
    }

    /// Reads a request from frames.
    ///
    /// # Errors
    /// When a frame is unknown, misplaced, invalid or incomplete.
    pub fn from_bytes(mut bytes: &'a [u8]) -> Result<ProgramRequest<'a>, RequestError> {
        let mut request = ProgramRequest::default();
        while let Some((kind, content)) = take(&mut bytes).map_err(RequestError::Unknown)? {
            let pair = |separator| pair(content, separator).ok_or(RequestError::OnePart(kind));
            let contents = &mut request.contents;
            match kind {
                FrameKind::Arg => request.args.push(content),
                FrameKind::Env => request.env.push(pair(b'=')?),
                FrameKind::Cwd => request.cwd = Some(content),
                FrameKind::Folder => contents.folders.push(content),
                FrameKind::File => contents.files.extend([pair(0)?]),
                FrameKind::Link => contents.links.extend([pair(0)?]),
                FrameKind::Mode => {
                    let (path, mode) = pair(0)?;
                    let mode = mode.try_into().map_err(|_| RequestError::Mode)?;
                    contents.modes.insert(path, u32::from_le_bytes(mode));
                }
                _ => return Err(RequestError::Misplaced(kind)),
            }
        }
        match bytes {
            [] => Ok(request),
            _ => Err(RequestError::Truncated),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> ProgramRequest<'static> {
        ProgramRequest {
            args: Vec::from([&b"main"[..], b"", b"two words"]),
            env: Vec::from([(&b"A"[..], &b"b=c"[..]), (b"EMPTY", b"")]),
            cwd: Some(b"/home/a"),
            contents: Contents {
                folders: Vec::from([&b"sub"[..], b"sub/deep"]),
                files: BTreeMap::from([(&b"sub/file"[..], &b"\0text\0"[..])]),
                links: BTreeMap::from([(&b"link"[..], &b"../elsewhere"[..])]),
                modes: BTreeMap::from([(&b"sub/file"[..], 0o755)]),
            },
        }
    }

    #[test]
    fn a_request_comes_back_as_it_was() {
        for request in [request(), ProgramRequest::default()] {
            let bytes = request.to_bytes();
            assert_eq!(ProgramRequest::from_bytes(&bytes), Ok(request));
        }
    }

    #[test]
    fn an_invalid_request_is_refused() {
        let bytes = request().to_bytes();
        let cut = ProgramRequest::from_bytes(&bytes[..bytes.len() - 1]);
        assert_eq!(cut, Err(RequestError::Truncated));
        let frame = |kind, content: &[u8]| {
            let mut bytes = Vec::new();
            put(&mut bytes, kind, &[content]);
            ProgramRequest::from_bytes(&bytes).err()
        };
        for (kind, content, error) in [
            (
                FrameKind::Env,
                &b"A"[..],
                RequestError::OnePart(FrameKind::Env),
            ),
            (
                FrameKind::File,
                b"a",
                RequestError::OnePart(FrameKind::File),
            ),
            (FrameKind::Mode, b"a\0\x01\x02\x03", RequestError::Mode),
            (
                FrameKind::Mode,
                b"a\0\x01\x02\x03\x04\x05",
                RequestError::Mode,
            ),
            (
                FrameKind::Exit,
                b"",
                RequestError::Misplaced(FrameKind::Exit),
            ),
        ] {
            assert_eq!(frame(kind, content), Some(error));
        }
        let unknown = ProgramRequest::from_bytes(b"?\0\0\0\0");
        assert_eq!(unknown, Err(RequestError::Unknown(UnknownFrameKind(b'?'))));
    }
}
