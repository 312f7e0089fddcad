//! The image: a whole read-only directory tree in one file.
//!
//! The standard library and site-packages travel as one image. It is made once, at build time, and opened at every start, so the
//! format is built for opening: a small index in front, which is checked once and for all, and the bytes of all files behind it,
//! which are not touched before the guest reads them.
//!
//! All integers are little-endian.
//!
//! | part | size | content |
//! |---|---|---|
//! | magic | 8 | `pymodeFS` |
//! | version | u32 | [`VERSION`] |
//! | entries | u32 | how many entries follow; at least one, the root directory |
//! | names | u32 | length of the names, in bytes |
//! | reserved | u32 | 0 |
//! | total | u64 | length of the whole file, so that a file cut short is recognised |
//! | entry… | 24 each | see below |
//! | names | | the entries' names, one after the other, without separators |
//! | data | | the files' bytes; equal files share theirs |
//!
//! | entry field | size | directory | file |
//! |---|---|---|---|
//! | name offset | u32 | into the names | the same |
//! | name length | u16 | 1 to 255; the root has 0 | the same |
//! | kind | u16 | 0 | 1 |
//! | parent | u32 | index of the parent's entry; the root is its own | the same |
//! | length | u32 | number of children | number of bytes |
//! | start | u64 | index of the first child | offset from the start of the image |
//!
//! Entries stand in breadth-first order and the children of a directory are sorted by name, bytewise. So a directory's children
//! are a run of entries, a name is found by binary search in that run, and the runs of all directories tile the index exactly:
//! a reader that checks the tiling has proved that the index is a tree.

mod index;
mod write;

pub use index::{Child, Entry, EntryDefect, Image, ImageError, Index, NodeId};
pub use write::{ImageWriteError, ImageWriter};

/// The version of the format that this crate reads and writes.
pub const VERSION: u32 = 1;

const MAGIC: &[u8; 8] = b"pymodeFS";
const HEADER_LEN: usize = 32;
const ENTRY_LEN: usize = 24;
const KIND_DIRECTORY: u16 = 0;
const KIND_FILE: u16 = 1;

/// Why `name` cannot be one component of a path, if it cannot.
fn name_defect(name: &[u8]) -> Option<&'static str> {
    match name {
        [] => Some("is empty"),
        b"." | b".." => Some("is `.` or `..`"),
        _ if name.len() > 255 => Some("is longer than 255 bytes"),
        _ if name.contains(&b'/') => Some("contains a slash"),
        _ if name.contains(&0) => Some("contains a NUL byte"),
        _ => None,
    }
}
