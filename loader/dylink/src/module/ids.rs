//! Numbers within one module, each with its own type.

/// A function of one module. For a module read from bytes it is the index in its function index space, so that two
/// exports of one function have one id; for a module known from parts each exported name has its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FunctionId(pub u32);

/// An export of one module, by its place in the module's list of exports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExportId(pub u32);

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
