//! The system's description of a file as the guest gets it.

use cap_std::fs::{FileTypeExt, Metadata, MetadataExt};
use pymode_host::Timestamp;
use pymode_host::vfs::{FileKind, Mode, Owner, Stat};

pub(super) fn stat_of(metadata: &Metadata, device: u64) -> Stat {
    let time = |seconds: i64, nanoseconds: i64| {
        let nanoseconds = i128::from(seconds) * 1_000_000_000 + i128::from(nanoseconds);
        // What was before 1970 is at 1970.
        Timestamp(u64::try_from(nanoseconds.max(0)).unwrap_or(u64::MAX))
    };
    Stat {
        device: 0,
        inode: inode(metadata.ino(), metadata.dev(), device),
        kind: kind(metadata.file_type()),
        mode: Mode::from_bits(metadata.mode()),
        owner: match metadata.uid() == rustix::process::geteuid().as_raw() {
            true => Owner::Guest,
            false => Owner::Other,
        },
        links: metadata.nlink(),
        size: metadata.len(),
        accessed: time(metadata.atime(), metadata.atime_nsec()),
        modified: time(metadata.mtime(), metadata.mtime_nsec()),
        changed: time(metadata.ctime(), metadata.ctime_nsec()),
    }
}

/// Other file systems may be mounted below a directory, and have the same inodes: their device goes into the number.
fn inode(inode: u64, device: u64, root: u64) -> u64 {
    if device == root {
        inode
    } else {
        inode ^ device.rotate_left(32)
    }
}

pub(super) fn kind(kind: cap_std::fs::FileType) -> FileKind {
    if kind.is_dir() {
        FileKind::Directory
    } else if kind.is_file() {
        FileKind::RegularFile
    } else if kind.is_symlink() {
        FileKind::SymbolicLink
    } else if kind.is_char_device() {
        FileKind::CharacterDevice
    } else if kind.is_block_device() {
        FileKind::BlockDevice
    } else if kind.is_socket() {
        FileKind::SocketStream
    } else {
        FileKind::Unknown
    }
}
