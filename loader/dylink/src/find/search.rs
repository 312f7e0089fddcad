//! The possible paths of a library.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// The module that needs the library. A run-time path is its own: it says nothing about what its dependencies need.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Requester<'a> {
    pub(crate) path: &'a str,
    pub(crate) runtime_path: &'a [Box<str>],
}

/// A path without `.`, `..` and doubled slashes, where there are no links: in a set of libraries that was made beforehand.
#[must_use]
pub fn normal_path(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    let start = if path.starts_with('/') { "/" } else { "" };
    format!("{start}{}", parts.join("/"))
}

/// The paths to try, in order. A name with a slash is a path; any other is looked for in the requester's run-time path,
/// then in the library path.
pub(crate) fn candidates(
    name: &str,
    requester: Option<Requester<'_>>,
    library_path: &[String],
) -> Vec<String> {
    if name.contains('/') {
        // Only a module may say `$ORIGIN`; for dlopen it is a file name like any other.
        let path = match requester {
            Some(requester) => expand(name, directory(requester.path)),
            None => name.to_string(),
        };
        return Vec::from([path]);
    }
    directories(requester, library_path)
        .map(|directory| within(&directory, name))
        .collect()
}

/// The directories in which a name without a slash is looked for, in order.
pub(crate) fn directories<'a>(
    requester: Option<Requester<'a>>,
    library_path: &'a [String],
) -> impl Iterator<Item = String> + 'a {
    let origin = requester.map_or(".", |requester| directory(requester.path));
    let own = requester.map_or(&[][..], |requester| requester.runtime_path);
    // One entry may hold several directories, as an ELF run-time path does.
    let own = own
        .iter()
        .flat_map(|entry| entry.split(':'))
        .map(move |directory| expand(directory, origin));
    own.chain(library_path.iter().cloned())
        .filter(|directory| !directory.is_empty())
}

/// The path of a name in a directory.
pub(crate) fn within(directory: &str, name: &str) -> String {
    format!("{}/{name}", directory.trim_end_matches('/'))
}

/// The directory part of a path, as `dirname` has it.
pub(crate) fn directory(path: &str) -> &str {
    match path.rsplit_once('/') {
        Some(("", _)) => "/",
        Some((directory, _)) => directory,
        None => ".",
    }
}

/// Replaces `$ORIGIN` and `${ORIGIN}`. `$ORIGINAL` is not `$ORIGIN`.
fn expand(path: &str, origin: &str) -> String {
    let mut rest = path;
    let mut expanded = String::new();
    while let Some(at) = rest.find('$') {
        expanded.push_str(&rest[..at]);
        rest = &rest[at..];
        let after = rest.strip_prefix("${ORIGIN}").or_else(|| {
            let after = rest.strip_prefix("$ORIGIN")?;
            let ends = |c: char| !c.is_ascii_alphanumeric() && c != '_';
            after.chars().next().is_none_or(ends).then_some(after)
        });
        match after {
            Some(after) => {
                expanded.push_str(origin);
                rest = after;
            }
            None => {
                expanded.push('$');
                rest = &rest[1..];
            }
        }
    }
    expanded.push_str(rest);
    expanded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn search(name: &str, path: &str, runtime_path: &[&str], library_path: &[&str]) -> Vec<String> {
        let runtime_path: Vec<Box<str>> = runtime_path.iter().map(|path| (*path).into()).collect();
        let library_path: Vec<String> = library_path.iter().map(|path| (*path).into()).collect();
        let requester = Requester {
            path,
            runtime_path: &runtime_path,
        };
        candidates(name, Some(requester), &library_path)
    }

    #[test]
    fn the_requesters_path_comes_first_and_may_name_its_origin() {
        assert_eq!(
            search(
                "libz.so",
                "/site/0/pkg/a.wasm",
                &["$ORIGIN/../pkg.libs", "${ORIGIN}", "$ORIGINAL", "/x:/y/"],
                &["/lib"],
            ),
            [
                "/site/0/pkg/../pkg.libs/libz.so",
                "/site/0/pkg/libz.so",
                "$ORIGINAL/libz.so",
                "/x/libz.so",
                "/y/libz.so",
                "/lib/libz.so",
            ]
        );
    }

    #[test]
    fn origin_of_a_bare_name_and_of_the_root() {
        assert_eq!(search("l", "a.wasm", &["$ORIGIN"], &[]), ["./l"]);
        assert_eq!(search("l", "/a.wasm", &["$ORIGIN"], &[]), ["/l"]);
    }

    #[test]
    fn a_slash_makes_it_a_path() {
        assert_eq!(search("$ORIGIN/b", "/d/a", &["/x"], &["/y"]), ["/d/b"]);
        assert_eq!(candidates("./$ORIGIN/b", None, &[]), ["./$ORIGIN/b"]);
        assert_eq!(candidates("b", None, &[]), Vec::<String>::new());
    }
}
