//! Record locks: `fcntl(2)` with `F_SETLK` and `F_GETLK`.

/// The kind of a lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LockKind {
    /// Shared: others may read too.
    Read,
    /// Exclusive.
    Write,
}

/// A part of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LockRange {
    /// The first byte.
    pub start: u64,
    /// Number of bytes; 0 for all up to any future end of the file.
    pub len: u64,
}

/// A lock that another process holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct HeldLock {
    /// Kind.
    pub kind: LockKind,
    /// The part that it covers.
    pub range: LockRange,
    /// The number of the process.
    pub process: u32,
}
