//! What a module exports: a list in the module's order, and a way to find a name in it.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

#[cfg(feature = "parse")]
use hashbrown::{DefaultHashBuilder, HashTable};

use super::Signature;
use crate::ids::{ExportId, FunctionId};
#[cfg(feature = "parse")]
use core::hash::BuildHasher;

/// One export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Export {
    /// The name of the symbol.
    pub name: Box<str>,
    /// What it is.
    pub kind: ExportKind,
}

/// What is exported.
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
    /// What to call it in a message.
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

/// Where an exported datum lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Datum {
    /// What the offset counts from.
    pub base: DataBase,
    /// The value of the exported global; `None` when only the instance can tell it.
    pub offset: Option<u32>,
}

/// What the offset of a datum counts from.
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

/// How a name is found.
#[derive(Clone)]
enum ByName {
    #[cfg(feature = "parse")]
    Hashed(HashTable<u32>, DefaultHashBuilder),
    /// All exports in the order of their names: somebody sorted them before, and making a table would cost more than searching.
    Sorted(Vec<u32>),
}

impl Default for ByName {
    fn default() -> Self {
        Self::Sorted(Vec::new())
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

    /// `list` in the order of the module, and all places in it in the order of the names. If they are in another order, names
    /// are not found.
    ///
    /// # Panics
    /// Later, if a place is beyond the list.
    pub(crate) fn sorted(list: Vec<Export>, by_name: Vec<u32>) -> Self {
        Self {
            list,
            by_name: ByName::Sorted(by_name),
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
            ByName::Sorted(sorted) => {
                let first = sorted.partition_point(|at| text(*at) < name);
                *sorted.get(first).filter(|at| text(**at) == name)?
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

impl core::fmt::Debug for Exports {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_list().entries(&self.list).finish()
    }
}
