//! Free slots of the table: a WebAssembly table never shrinks, so what is given back is used again.

use alloc::collections::BTreeMap;

use crate::module::ids::Align;
use crate::program::ids::Slot;

/// Runs of free slots: first slot and length, never touching each other.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct FreeSlots {
    runs: BTreeMap<u32, u32>,
}

impl FreeSlots {
    /// Takes `count` slots in a row, the lowest there are.
    pub(crate) fn take(&mut self, count: u32, align: Align) -> Option<Slot> {
        let fits = |(first, length): (&u32, &u32)| {
            let start = align.round_up(*first)?;
            let end = start.checked_add(count)?;
            (end <= first + length).then_some((*first, *length, start))
        };
        let (first, length, start) = self.runs.iter().find_map(fits)?;
        self.runs.remove(&first);
        let before = start - first;
        let after = length - before - count;
        if before > 0 {
            self.runs.insert(first, before);
        }
        if after > 0 {
            self.runs.insert(start + count, after);
        }
        Some(Slot(start))
    }

    /// Number of slots.
    pub(crate) fn count(&self) -> u32 {
        self.runs.values().sum()
    }

    /// Gives slots back, which are null again.
    pub(crate) fn give(&mut self, first: Slot, count: u32) {
        if count == 0 {
            return;
        }
        let (mut start, mut length) = (first.0, count);
        if let Some((before, before_length)) = self.runs.range(..start).next_back()
            && before + before_length == start
        {
            start = *before;
            length += before_length;
        }
        if let Some(after_length) = self.runs.remove(&(first.0 + count)) {
            length += after_length;
        }
        self.runs.insert(start, length);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn align(log2: u32) -> Align {
        Align::from_log2(log2).expect("small")
    }

    #[test]
    fn neighbours_join_and_the_lowest_goes_first() {
        let mut free = FreeSlots::default();
        free.give(Slot(10), 2);
        free.give(Slot(14), 2);
        assert_eq!(free.take(3, align(0)), None);
        free.give(Slot(12), 2);
        assert_eq!(free.take(3, align(0)), Some(Slot(10)));
        assert_eq!(free.take(3, align(0)), Some(Slot(13)));
        assert_eq!(free, FreeSlots::default());
    }

    #[test]
    fn alignment_leaves_the_gap_free() {
        let mut free = FreeSlots::default();
        free.give(Slot(3), 10);
        assert_eq!(free.take(4, align(2)), Some(Slot(4)));
        assert_eq!(free.take(1, align(0)), Some(Slot(3)));
        assert_eq!(free.take(5, align(0)), Some(Slot(8)));
    }
}
