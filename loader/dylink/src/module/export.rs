//! The exports of a module: a list in the module's order, with a search by name.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

#[cfg(feature = "parse")]
use hashbrown::{DefaultHashBuilder, HashTable};

use super::Signature;
use crate::module::ids::{ExportId, FunctionId};
#[cfg(feature = "parse")]
use core::hash::BuildHasher;

/// One export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Export {
    /// The name of the symbol.
    pub name: Box<str>,
    /// Kind.
    pub kind: ExportKind,
}

/// The kind of an export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExportKind {
    /// A function.
    Function(FunctionId),
    /// A datum: an immutable `i32` global that says where it lies.
    Data(Datum),
    /// Another global.
    Global,
    /// An exception tag that the module defines. `None`: its type is not known.
    Tag(Option<Arc<Signature>>),
    /// A tag that the module only passes on.
    ImportedTag,
    /// A memory.
    Memory,
    /// A table.
    Table,
}

impl ExportKind {
    /// Returns its name for messages.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Function(_) => "a function",
            Self::Data(_) => "data",
            Self::Global => "a global",
            Self::Tag(_) | Self::ImportedTag => "a tag",
            Self::Memory => "a memory",
            Self::Table => "a table",
        }
    }
}

/// The location of an exported datum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Datum {
    /// Base of the offset.
    pub base: DataBase,
    /// The value of the exported global; `None` when only the instance can tell it.
    pub offset: Option<u32>,
}

/// The base of a datum's offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DataBase {
    /// From 0: a datum of a main module that is not position independent, or an absolute symbol.
    Absolute,
    /// From the `__memory_base` of the module that exports it.
    Memory,
    /// From the `__tls_base` that the module itself exports.
    ThreadLocal,
}

/// The exports of a module.
#[derive(Clone, Default)]
pub struct Exports {
    list: Vec<Export>,
    by_name: ByName,
}

/// The index of names.
#[derive(Clone)]
enum ByName {
    #[cfg(feature = "parse")]
    Hashed(HashTable<u32>, DefaultHashBuilder),
    /// A table that was made before, by [`places`]: to make one where it is used would cost more than what is looked for there.
    Placed(Vec<u32>),
}

impl Default for ByName {
    fn default() -> Self {
        Self::Placed(Vec::new())
    }
}

impl Exports {
    /// `list` in the order of the module. Of two exports with one name the first counts; an engine refuses such a
    /// module anyhow.
    #[cfg(feature = "parse")]
    pub(super) fn new(list: Vec<Export>) -> Self {
        let hasher = DefaultHashBuilder::default();
        let mut by_name = HashTable::with_capacity(list.len());
        for (at, export) in (0u32..).zip(&list) {
            by_name
                .entry(
                    hasher.hash_one(&*export.name),
                    |other| list[*other as usize].name == export.name,
                    |other| hasher.hash_one(&*list[*other as usize].name),
                )
                .or_insert(at);
        }
        Self {
            list,
            by_name: ByName::Hashed(by_name, hasher),
        }
    }

    /// `list` in the order of the module, and the table that [`places`] makes of it. If it is another one, names are not found.
    ///
    /// # Panics
    /// Later, if a place is beyond the list.
    pub(crate) fn placed(list: Vec<Export>, places: Vec<u32>) -> Self {
        Self {
            list,
            by_name: ByName::Placed(places),
        }
    }

    /// The export `name`.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<(ExportId, &Export)> {
        let text = |at: u32| &*self.list[at as usize].name;
        let at = match &self.by_name {
            #[cfg(feature = "parse")]
            ByName::Hashed(table, hasher) => {
                *table.find(hasher.hash_one(name), |at| text(*at) == name)?
            }
            ByName::Placed(places) => {
                let start = place(name, places.len())?;
                let tried = places[start..].iter().chain(&places[..start]);
                // Nothing lies behind an empty place.
                let mut found = tried.map_while(|at| at.checked_sub(1));
                found.find(|at| text(*at) == name)?
            }
        };
        Some((ExportId(at), &self.list[at as usize]))
    }

    /// The export with this id.
    ///
    /// # Panics
    /// If `id` is of another module.
    #[must_use]
    pub fn get(&self, id: ExportId) -> &Export {
        &self.list[id.0 as usize]
    }

    /// All of them, in the order of the module.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Export> {
        self.list.iter()
    }
}

/// A hash table of the names, for [`Exports::placed`]: places in the list, counted from 1, each where its name's hash says or, if
/// that is taken, behind; 0 where there is none. Of two exports with one name the first is found.
pub(crate) fn places(list: &[&Export]) -> Vec<u32> {
    // At most two thirds of it are taken.
    let size = match list.len() {
        0 => 0,
        length => (length + length / 2 + 1).next_power_of_two(),
    };
    let mut places = alloc::vec![0; size];
    for (at, export) in (1..).zip(list) {
        let start = place(&export.name, size).unwrap_or_default();
        let free = (start..size).chain(0..start).find(|at| places[*at] == 0);
        if let Some(free) = free {
            places[free] = at;
        }
    }
    places
}

/// Returns the start of a name's search in a table of this size. `None` if the table is empty.
fn place(name: &str, size: usize) -> Option<usize> {
    // FNV-1a: tables are made on one machine and used on another, so the function must be the same.
    let hash = name.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    // Its lower bits alone are those of the lower bits of the name.
    (hash ^ hash >> 15)
        .checked_rem(size as u32)
        .map(|at| at as usize)
}

impl core::fmt::Debug for Exports {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_list().entries(&self.list).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_found_where_it_was_placed() {
        for count in [0, 1, 2, 3, 10, 1000] {
            let name = |at: usize| alloc::format!("function_{}", at % 997).into();
            let kind = ExportKind::Memory;
            let list: Vec<Export> = (0..count)
                .map(|at| Export {
                    name: name(at),
                    kind: kind.clone(),
                })
                .collect();
            let places = places(&list.iter().collect::<Vec<_>>());
            let exports = Exports::placed(list, places);
            for at in 0..count {
                // Of two with one name the first.
                let first = ExportId(at as u32 % 997);
                assert_eq!(exports.find(&name(at)).map(|(id, _)| id), Some(first));
            }
            assert!(exports.find("function_997").is_none() && exports.find("").is_none());
        }
        // A table without an empty place, as only damage makes it.
        let export = Export {
            name: "a".into(),
            kind: ExportKind::Memory,
        };
        let full = Exports::placed(Vec::from([export]), Vec::from([1, 1]));
        assert!(full.find("a").is_some() && full.find("b").is_none());
    }
}
