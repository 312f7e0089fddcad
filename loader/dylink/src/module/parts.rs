//! From parts: what an engine tells of a module that it compiled earlier.

use alloc::vec::Vec;

use super::classify::{ImportType, module_name};
use super::dylink::Dylink;
use super::{Datum, Export, ExportKind, Exports, Import, ModuleInfo, Substitutes};
use crate::module::error::ModuleError;
use crate::module::ids::FunctionId;

/// A compiled module as V8 describes it: custom sections, and names without types.
///
/// What is not known is found out late or not at all: addresses of data are read from the instance; a function that is
/// exported under two names has two slots unless the engine knows better; nothing is forwarded, because that needs types.
#[derive(Debug, Clone, Copy)]
pub struct Parts<'a> {
    /// The content of `dylink.0`; `None` if there is no such section.
    pub dylink: Option<&'a [u8]>,
    /// Name and content of the other custom sections that matter.
    pub stamps: &'a [(&'a str, &'a [u8])],
    /// Module, field and kind of each import, in the module's order.
    pub imports: &'a [(&'a str, &'a str, ImportType)],
    /// Name and kind of each export, in the module's order.
    pub exports: &'a [(&'a str, ExportType)],
    /// `true` if it has a start function, or if that is unknown: a load that fails after the instantiation then keeps its
    /// memory,
    /// which is always safe.
    pub starts: bool,
}

/// The type of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportType {
    /// A function.
    Function,
    /// A global: a datum, if it turns out to be an immutable `i32`.
    Global,
    /// A table.
    Table,
    /// A memory.
    Memory,
    /// A tag.
    Tag,
}

impl ModuleInfo {
    /// Describes a side module from what the engine tells of it.
    ///
    /// # Errors
    /// When there is no `dylink.0` section, it is damaged, or an import cannot be bound to anything.
    pub fn from_parts(parts: Parts<'_>) -> Result<Self, ModuleError> {
        let dylink = Dylink::parse(parts.dylink.ok_or(ModuleError::NotSide)?, 0)?;
        let mut imports: Vec<Import> = Vec::with_capacity(parts.imports.len());
        for (module, name, ty) in parts.imports {
            let module = module_name(&imports, module);
            let weak = dylink.weak.contains(*name);
            imports.push(Import::new(module, name, ty.clone(), weak)?);
        }
        let imported_functions = imports.iter().filter(|import| import.is_function).count() as u32;
        // A module may import and export one tag; which of the two it is, only its bytes tell.
        let imports_tag = |name: &str| {
            parts
                .imports
                .iter()
                .any(|(_, import, ty)| *import == name && matches!(ty, ImportType::Tag(_)))
        };
        let exports = (imported_functions..).zip(parts.exports);
        let exports = exports
            .map(|(id, (name, ty))| Export {
                name: (*name).into(),
                kind: match ty {
                    ExportType::Function => ExportKind::Function(FunctionId(id)),
                    ExportType::Global => ExportKind::Data(Datum {
                        base: dylink.data_base(name),
                        offset: None,
                    }),
                    ExportType::Table => ExportKind::Table,
                    ExportType::Memory => ExportKind::Memory,
                    ExportType::Tag if imports_tag(name) => ExportKind::ImportedTag,
                    ExportType::Tag => ExportKind::Tag(None),
                },
            })
            .collect();
        let stamps = parts.stamps.iter().filter_map(|(name, data)| {
            let value = super::stamp(data)?;
            Some(((*name).into(), value))
        });
        Ok(Self {
            memory: dylink.memory,
            table: dylink.table,
            needed: dylink.needed,
            runtime_path: dylink.runtime_path,
            imports,
            exports: Exports::new(exports),
            data: 0..0,
            substitutes: Substitutes::default(),
            starts: parts.starts,
            types: Vec::new(),
            functions: Vec::new(),
            imported_functions,
            slots: Vec::new(),
            stamps: stamps.collect(),
        })
    }
}
