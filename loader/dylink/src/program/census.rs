//! A count of everything that a program holds: two counts that are equal mean that nothing was left in between.

use alloc::string::String;
use alloc::vec::Vec;

use crate::program::{Phase, Program};

/// Counts of a [`Program`]'s contents.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Census {
    /// Path and number of opens of every module that is loaded or being loaded, main first.
    pub modules: Vec<(String, u32)>,
    /// Files that are known to be loaded.
    pub files: usize,
    /// Modules of the global scope.
    pub global: Vec<String>,
    /// GOT globals that are shared.
    pub got: usize,
    /// Tags that the process made.
    pub tags: usize,
    /// References to unloaded modules; always 0.
    pub dangling: usize,
    /// Slots that were given to functions outside of element segments.
    pub extra_slots: usize,
    /// Free slots of the table.
    pub free_slots: u32,
}

impl<Instance, Extern> Program<Instance, Extern> {
    /// Counts.
    #[must_use]
    pub fn census(&self) -> Census {
        let mut live: Vec<_> = self
            .modules
            .iter()
            .filter(|(_, module)| module.phase != Phase::Failed)
            .collect();
        live.sort_unstable_by_key(|(id, _)| **id);
        Census {
            modules: live
                .iter()
                .map(|(_, module)| (String::from(&*module.path), module.opens))
                .collect(),
            files: self.files.len(),
            global: self
                .global
                .iter()
                .map(|id| String::from(self.path(id).unwrap_or_default()))
                .collect(),
            got: self.got.len(),
            tags: self.tags.len(),
            dangling: self
                .externs
                .keys()
                .filter(|id| !self.modules.contains_key(*id))
                .count(),
            extra_slots: live
                .iter()
                .map(|(_, module)| module.extra_slots.len())
                .sum(),
            free_slots: self.slots.count(),
        }
    }
}
