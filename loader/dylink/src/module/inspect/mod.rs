//! A closer look at a module's bytes, for messages: only when something has failed.
//!
//! The name section tells of functions that the module has and does not export; the code tells how what it imports is
//! reached. Nothing is decided by it.

#[cfg(feature = "parse")]
mod graph;

use alloc::boxed::Box;
use core::fmt;

use hashbrown::{HashMap, HashSet};

/// The way in which a module uses an import.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reach {
    /// From this exported function, by calls alone: `PyInit_x` of a Python module means at import.
    Export(Box<str>),
    /// Only from functions or data that something points to.
    Pointer,
    /// Not at all, as far as the module shows.
    Nowhere,
}

impl fmt::Display for Reach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Export(name) => write!(f, "reached from its export `{name}`"),
            Self::Pointer => f.write_str("reached only through pointers, not from its exports"),
            Self::Nowhere => f.write_str("reached from nowhere in it"),
        }
    }
}

/// The result of an inspection.
#[derive(Debug, Default)]
pub struct Inspection {
    /// PlanNames of functions that the module defines.
    pub(crate) functions: HashSet<Box<str>>,
    pub(crate) reach: HashMap<(Box<str>, Box<str>), Reach>,
}

impl Inspection {
    /// Parses the notes about a module. `None` if there are none.
    #[must_use]
    pub fn from_notes(notes: &str, key: &str) -> Option<Self> {
        let mut lines = notes.lines();
        lines.find(|line| line.strip_prefix("= ") == Some(key))?;
        let mut inspection = Self::default();
        for line in lines.take_while(|line| !line.starts_with('=')) {
            let mut words = line.split(' ');
            let (kind, first, second) = (words.next(), words.next(), words.next());
            let reach = match (kind, words.next()) {
                (Some("d"), _) => {
                    inspection.functions.extend(first.map(Box::from));
                    continue;
                }
                (Some("e"), Some(export)) => Reach::Export(export.into()),
                (Some("p"), _) => Reach::Pointer,
                _ => Reach::Nowhere,
            };
            if let Some((module, name)) = first.zip(second) {
                let import = (Box::from(module), Box::from(name));
                inspection.reach.insert(import, reach);
            }
        }
        Some(inspection)
    }

    /// Returns `true` if the module's name section lists a function of this name, exported or not.
    #[must_use]
    pub fn defines(&self, function: &str) -> bool {
        self.functions.contains(function)
    }

    /// Returns the use of an import.
    #[must_use]
    pub fn reach(&self, module: &str, name: &str) -> Option<&Reach> {
        self.reach.get(&(module.into(), name.into()))
    }
}
