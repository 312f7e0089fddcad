//! The description of a module.

#[cfg(feature = "parse")]
mod classify;
#[cfg(feature = "parse")]
mod dylink;
pub(crate) mod error;
mod export;
mod hash;
pub(crate) mod ids;
mod import;
pub(crate) mod inspect;
pub(crate) mod leb128;
mod link;
#[cfg(feature = "parse")]
mod parts;
#[cfg(feature = "parse")]
mod segments;
mod signature;
#[cfg(feature = "parse")]
mod types;
#[cfg(feature = "parse")]
mod wasm;

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::Range;

pub use error::ModuleError;
pub(crate) use export::places;
pub use export::{DataBase, Datum, Export, ExportKind, Exports};
pub use hash::ContentHash;
pub use ids::{Align, ExportId, FunctionId};
pub use import::{Import, ImportKind};
pub use link::{Copied, Substitutes};
pub use signature::{Signature, ValType};
#[cfg(feature = "parse")]
pub use {
    classify::ImportType,
    parts::{ExportType, Parts},
};

/// A module as the linker sees it: what it needs, imports and exports; nothing of its code.
///
/// With the feature `parse` it has two makers: `from_bytes` (and `main_from_bytes`), and `from_parts` for engines that give a
/// compiled module's custom sections and names, but neither its bytes nor its types. Without, it comes from a
/// [`Plan`](crate::Plan).
#[derive(Debug, Clone)]
pub struct ModuleInfo {
    /// Memory that the module's data takes.
    pub memory: Region,
    /// Slots that the module's own element segments fill.
    pub table: Region,
    /// Basenames of the libraries that it was linked with, in link order.
    pub needed: Vec<Box<str>>,
    /// Directories to search for its `needed` libraries; may contain `$ORIGIN`.
    pub runtime_path: Vec<Box<str>>,
    /// Imports, in the module's order.
    pub imports: Vec<Import>,
    /// Exports.
    pub exports: Exports,
    /// The addresses of a main module's data. A side module's data lies where the linker puts it.
    pub data: Range<u32>,
    /// Placeholders for symbols of linked libraries.
    pub substitutes: Substitutes,
    /// It has a start function, which runs while it is instantiated.
    pub starts: bool,
    pub(crate) types: Vec<Option<Arc<Signature>>>,
    /// The type of each function, imported ones first.
    pub(crate) functions: Vec<u32>,
    pub(crate) imported_functions: u32,
    /// The first slot of each function that an active element segment holds, counted from the module's table base,
    /// ordered by function.
    pub(crate) slots: Vec<(FunctionId, u32)>,
    /// Custom sections that hold one number and nothing else.
    pub(crate) stamps: Vec<(Box<str>, u32)>,
}

/// Size and alignment of a module's memory (in bytes) or table (in slots).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Region {
    /// May be 0: then nothing is reserved.
    pub size: u32,
    /// 1 when the module does not care.
    pub align: Align,
}

impl Default for Region {
    fn default() -> Self {
        Self {
            size: 0,
            align: Align::ONE,
        }
    }
}

impl ModuleInfo {
    /// Checks that a file starts like WebAssembly.
    ///
    /// # Errors
    /// When it is something else: then what.
    pub fn check_magic(file: &[u8]) -> Result<(), ModuleError> {
        const MAGIC: &[u8] = b"\0asm";
        if file.starts_with(MAGIC) {
            return Ok(());
        }
        let reason = if file.is_empty() {
            "the file is empty"
        } else if MAGIC.starts_with(file) {
            "the file ends in its first bytes"
        } else if file.starts_with(b"\x7fELF") {
            "it is an ELF file, built for the host"
        } else {
            "it does not begin with `\\0asm`"
        };
        Err(ModuleError::NotWasm {
            reason: reason.into(),
        })
    }

    /// The type of a function; `None` when it is not known.
    #[must_use]
    pub fn signature(&self, function: FunctionId) -> Option<&Arc<Signature>> {
        let ty = *self.functions.get(function.0 as usize)?;
        self.types.get(ty as usize)?.as_ref()
    }

    /// The slot that the module's element segments give to a function, counted from the module's table base.
    #[must_use]
    pub fn slot(&self, function: FunctionId) -> Option<u32> {
        let at = self
            .slots
            .binary_search_by_key(&function, |(function, _)| *function)
            .ok()?;
        Some(self.slots[at].1)
    }

    /// The function that the module's element segments put into a slot, counted from the module's table base.
    #[must_use]
    pub fn function_in_slot(&self, slot: u32) -> Option<FunctionId> {
        let mut slots = self.slots.iter();
        slots.find_map(|(function, at)| (*at == slot).then_some(*function))
    }

    /// The import that `function` is, if the module only passes it on.
    #[must_use]
    pub fn imported(&self, function: FunctionId) -> Option<&Import> {
        if function.0 >= self.imported_functions {
            return None;
        }
        let mut functions = self.imports.iter().filter(|import| import.is_function);
        functions.nth(function.0 as usize)
    }

    /// Returns `true` if the module has an export that satisfies an import.
    #[must_use]
    pub fn defines(&self, import: &Import) -> bool {
        let Some((_, export)) = self.exports.find(&import.name) else {
            return false;
        };
        match (&import.kind, &export.kind) {
            (
                ImportKind::Function {
                    signature: Some(wanted),
                    ..
                },
                ExportKind::Function(function),
            ) => self.signature(*function).is_none_or(|has| has == wanted),
            (
                ImportKind::Function {
                    signature: None, ..
                }
                | ImportKind::FunctionAddress { .. },
                ExportKind::Function(_),
            )
            | (ImportKind::DataAddress { .. }, ExportKind::Data(_)) => true,
            _ => false,
        }
    }

    /// Returns the definitions. An export that re-exports an import from another module is not one, because the other module is
    /// in
    /// scope, too; a re-export from the host is.
    pub fn definitions(&self) -> impl Iterator<Item = &Export> {
        let exports = self.exports.iter();
        exports.filter(|export| self.defines_export(export))
    }

    /// Reports whether an export of the module is a [definition](Self::definitions).
    pub(crate) fn defines_export(&self, export: &Export) -> bool {
        match &export.kind {
            ExportKind::Function(function) => self
                .imported(*function)
                .is_none_or(|import| import.kind == ImportKind::Host),
            ExportKind::Data(_) | ExportKind::Global | ExportKind::Tag(_) => true,
            ExportKind::ImportedTag | ExportKind::Memory | ExportKind::Table => false,
        }
    }

    /// The number that the custom section `name` holds, if it holds a LEB128 number and nothing else.
    #[must_use]
    pub fn stamp(&self, name: &str) -> Option<u32> {
        let found = self.stamps.iter().find(|(stamp, _)| &**stamp == name)?;
        Some(found.1)
    }
}

#[cfg(feature = "parse")]
impl ModuleInfo {
    /// Reads a side module. Its code is not looked at: the engine validates it when it compiles it.
    ///
    /// # Errors
    /// When the bytes are not a well-formed side module.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ModuleError> {
        wasm::read(bytes, wasm::Role::Side)
    }

    /// Reads a main module: not position independent, its data at absolute addresses, its functions in fixed slots.
    ///
    /// # Errors
    /// When the bytes are not a well-formed module.
    pub fn main_from_bytes(bytes: &[u8]) -> Result<Self, ModuleError> {
        wasm::read(bytes, wasm::Role::Main)
    }
}

/// Reads a stamp: a custom section that holds one LEB128 number.
#[cfg(feature = "parse")]
fn stamp(data: &[u8]) -> Option<u32> {
    let mut reader = wasmparser::BinaryReader::new(data, 0);
    let value = reader.read_var_u32().ok()?;
    reader.eof().then_some(value)
}
