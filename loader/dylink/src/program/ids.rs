//! Numbers that mean something, each with its own type.

use core::fmt;

/// A byte address in the guest's memory. Addresses of 2 GiB and above are negative as the guest's `i32`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Address(pub u32);

/// An index into the guest's function table: what C calls a function pointer. Slot 0 is the null pointer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Slot(pub u32);

/// A function of one module. For a module read from bytes it is the index in its function index space, so that two
/// exports of one function have one id; for a module known from parts each exported name has its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FunctionId(pub u32);

/// An export of one module, by its place in the module's list of exports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExportId(pub u32);

/// A module of the running program. Never used twice, so a stale one finds nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModuleId(pub(crate) u32);

impl ModuleId {
    /// The main module.
    pub const MAIN: Self = Self(1);
}

/// What `dlopen` gives to the guest: never 0, which is how `dlopen` says that it failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Handle(pub(crate) ModuleId);

impl Handle {
    /// The handle of the main module: that of `dlopen(NULL, …)`.
    pub const MAIN: Self = Self(ModuleId::MAIN);

    /// The number that the guest holds.
    #[must_use]
    pub fn to_guest(self) -> u32 {
        self.0.0
    }

    /// A handle that the guest gave back. Whether it is open is found out when it is used.
    #[must_use]
    pub fn from_guest(raw: u32) -> Self {
        Self(ModuleId(raw))
    }
}

/// Which file a path leads to, as device and inode do: two paths with one id are one library, two files with the
/// same basename are two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId {
    /// The file system or image that holds the file.
    pub volume: u64,
    /// The file within its volume.
    pub file: u64,
}

/// A power of two: the alignment of a memory address or of a table slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Align(u8);

impl Align {
    /// No alignment at all.
    pub const ONE: Self = Self(0);

    /// From its base-2 logarithm, as `dylink.0` holds it; `None` when 32 bits cannot hold the alignment.
    #[must_use]
    pub fn from_log2(raw: u32) -> Option<Self> {
        u8::try_from(raw).ok().filter(|log2| *log2 < 32).map(Self)
    }

    /// The alignment in bytes or slots.
    #[must_use]
    pub fn get(self) -> u32 {
        1 << self.0
    }

    /// The first aligned number from `value` upwards; `None` when there is none in 32 bits.
    #[must_use]
    pub fn round_up(self, value: u32) -> Option<u32> {
        let mask = self.get() - 1;
        value.checked_add(mask).map(|sum| sum & !mask)
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alignments_are_powers_of_two_within_32_bits() {
        assert_eq!(Align::from_log2(0).map(Align::get), Some(1));
        assert_eq!(Align::from_log2(31).map(Align::get), Some(1 << 31));
        assert_eq!(Align::from_log2(32), None);
        let sixteen = Align::from_log2(4).expect("4 < 32");
        assert_eq!(sixteen.round_up(1), Some(16));
        assert_eq!(sixteen.round_up(16), Some(16));
        assert_eq!(sixteen.round_up(u32::MAX), None);
    }
}
