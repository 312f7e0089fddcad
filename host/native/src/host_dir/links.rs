//! Resolves symbolic links that cap-std does not follow because they leave the directory.
//!
//! The guest sees one tree, in which the directory is mounted. So such a link goes on there: one that names the directory by its
//! absolute path leads back into it, and one that leads anywhere else finds what the guest has at that path, or nothing. This is asked
//! only after a refusal, and what comes of it is a path for the guest's tree, never one for this machine.

use std::collections::VecDeque;
use std::ffi::OsStr;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use cap_std::fs::Dir;
use pymode_host::vfs::Follow;

/// Maximum number of links, as on Linux.
const MAX_LINKS: u32 = 40;

/// The path on which `path` leaves `dir`, absolute or relative to `dir`; none when it does not.
pub(super) fn way_out(dir: &Dir, path: &[u8], follow: Follow) -> Option<Vec<u8>> {
    let mut before: Vec<Vec<u8>> = Vec::new();
    let mut rest: VecDeque<Vec<u8>> = names(path).collect();
    let mut links = 0;
    while let Some(name) = rest.pop_front() {
        if name == b".." {
            if before.pop().is_none() {
                rest.push_front(name);
                return Some(join(rest));
            }
            continue;
        }
        before.push(name);
        if rest.is_empty() && follow == Follow::No {
            return None;
        }
        let here = before.join(&b'/');
        // What is no link, or is not there, is passed by its name.
        let Ok(target) = dir.read_link_contents(OsStr::from_bytes(&here)) else {
            continue;
        };
        links += 1;
        if links > MAX_LINKS {
            return None;
        }
        before.pop();
        let target = target.into_os_string().into_vec();
        for name in names(&target).collect::<Vec<_>>().into_iter().rev() {
            rest.push_front(name);
        }
        if target.starts_with(b"/") {
            rest.push_front(Vec::new());
            return Some(join(rest));
        }
    }
    None
}

fn names(path: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let names = path
        .split(|&byte| byte == b'/')
        .filter(|name| !matches!(*name, b"" | b"."));
    names.map(<[u8]>::to_vec)
}

fn join(names: VecDeque<Vec<u8>>) -> Vec<u8> {
    let joined = Vec::from(names).join(&b'/');
    // Only the root itself, written as one empty name, joins to nothing.
    if joined.is_empty() {
        b"/".to_vec()
    } else {
        joined
    }
}
