//! Numbers of a running program, each with its own type.

use core::fmt;

/// A byte address in the guest's memory. Addresses of 2 GiB and above are negative as the guest's `i32`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Address(pub u32);

/// An index into the guest's function table: what C calls a function pointer. Slot 0 is the null pointer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Slot(pub u32);

/// A module of the running program. Never used twice, so a stale one finds nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModuleId(pub(crate) u32);

impl ModuleId {
    /// The main module.
    pub const MAIN: Self = Self(1);
}

/// A handle that `dlopen` returns to the guest: never 0, by which `dlopen` reports a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Handle(pub(crate) ModuleId);

impl Handle {
    /// The handle of the main module: that of `dlopen(NULL, …)`.
    pub const MAIN: Self = Self(ModuleId::MAIN);

    /// Returns the number that the guest holds.
    #[must_use]
    pub fn to_guest(self) -> u32 {
        self.0.0
    }

    /// Makes a handle of a number that the guest passed. The call that uses it checks that it is open.
    #[must_use]
    pub fn from_guest(raw: u32) -> Self {
        Self(ModuleId(raw))
    }
}

/// The file that a path leads to, as device and inode tell it: two paths with one id are one library, two files with the
/// same basename are two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId {
    /// The file system or image that holds the file.
    pub volume: u64,
    /// The file within its volume.
    pub file: u64,
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{:x}", self.0)
    }
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "slot {}", self.0)
    }
}

/// A symbol that was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Symbol {
    /// A function: a slot of the table.
    Function(Slot),
    /// A datum.
    Data(Address),
}

impl Symbol {
    /// The pointer that `dlsym` returns. A symbol may have address 0: `dlerror` reports a failure, not null.
    #[must_use]
    pub fn to_guest(self) -> u32 {
        match self {
            Self::Function(slot) => slot.0,
            Self::Data(address) => address.0,
        }
    }
}

impl fmt::Display for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Function(slot) => slot.fmt(f),
            Self::Data(address) => address.fmt(f),
        }
    }
}
