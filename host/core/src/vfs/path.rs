//! Paths as bytes.

/// The longest path, as Linux has it.
pub(super) const MAX_PATH: usize = 4096;

/// The longest name in a directory, as Linux has it.
pub(super) const MAX_NAME: usize = 255;

/// Maximum number of symbolic links in a path, as on Linux.
pub(super) const MAX_LINKS: u32 = 40;

/// A path as a guest gives it: relative to an open directory, whose path is `base`, unless it is absolute.
#[derive(Debug, Clone, Copy)]
pub struct GuestPath<'a> {
    /// Path of a directory, absolute.
    pub base: &'a [u8],
    /// The path from there.
    pub path: &'a [u8],
}

impl<'a> GuestPath<'a> {
    /// An absolute path.
    pub fn absolute(path: &'a [u8]) -> GuestPath<'a> {
        GuestPath { base: b"/", path }
    }

    /// The names from the root on, `..` among them.
    pub(super) fn names(self) -> impl Iterator<Item = &'a [u8]> {
        let base = if self.path.starts_with(b"/") {
            &[][..]
        } else {
            self.base
        };
        names(base).chain(names(self.path))
    }
}

/// The ending of a path. POSIX distinguishes endings in functions that create, remove or move a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// With a name.
    Name,
    /// With a name and a slash: only a directory will do.
    Slash,
    /// With `.`.
    Dot,
    /// With `..`.
    Parent,
    /// It has no names: it is the root.
    Root,
}

impl Ending {
    pub(super) fn of(path: &[u8]) -> Ending {
        let end = path.iter().rposition(|&byte| byte != b'/');
        let Some(end) = end else { return Ending::Root };
        let name = path[..=end].rsplit(|&byte| byte == b'/').next();
        match name.unwrap_or_default() {
            b"." => Ending::Dot,
            b".." => Ending::Parent,
            _ if end + 1 < path.len() => Ending::Slash,
            _ => Ending::Name,
        }
    }

    /// Returns `true` if the path requires a directory.
    pub(super) fn wants_directory(self) -> bool {
        self != Ending::Name
    }
}

/// The names of a path, without empty ones and `.`.
pub(super) fn names(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    path.split(|&byte| byte == b'/')
        .filter(|name| !matches!(*name, b"" | b"."))
}

/// `directory/rest`, or the one of them that is not empty.
pub(super) fn join(directory: &[u8], rest: &[u8]) -> Vec<u8> {
    match (directory, rest) {
        ([], only) | (only, []) => only.to_vec(),
        (directory, rest) => [directory, rest].join(&b'/'),
    }
}

/// The directory that a path's last name is in.
pub(super) fn parent(path: &[u8]) -> &[u8] {
    match path.iter().rposition(|&byte| byte == b'/') {
        Some(slash) => &path[..slash],
        None => b"",
    }
}

/// An absolute path of these names.
pub(super) fn absolute<'a>(names: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut path = Vec::new();
    for name in names {
        path.push(b'/');
        path.extend_from_slice(name);
    }
    if path.is_empty() {
        path.push(b'/');
    }
    path
}

#[cfg(test)]
mod tests {
    use super::Ending;

    #[test]
    fn the_last_name_determines_the_ending() {
        for (path, ending) in [
            ("a", Ending::Name),
            ("a/b..", Ending::Name),
            ("a//", Ending::Slash),
            (".", Ending::Dot),
            ("a/.//", Ending::Dot),
            ("..", Ending::Parent),
            ("/a/../", Ending::Parent),
            ("/", Ending::Root),
            ("///", Ending::Root),
        ] {
            assert_eq!(Ending::of(path.as_bytes()), ending, "{path}");
        }
    }
}
