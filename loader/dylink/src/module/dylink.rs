//! The `dylink.0` custom section (tool-conventions, `DynamicLinking.md`).

use alloc::boxed::Box;
use alloc::vec::Vec;

use hashbrown::{HashMap, HashSet};
use wasmparser::{BinaryReader, Dylink0SectionReader, Dylink0Subsection, MemInfo, SymbolFlags};

use super::Region;
use crate::module::error::ModuleError;
use crate::module::ids::Align;

/// The section's content, its subsections merged.
#[derive(Debug, Default)]
pub(super) struct Dylink {
    pub(super) memory: Region,
    pub(super) table: Region,
    pub(super) needed: Vec<Box<str>>,
    pub(super) runtime_path: Vec<Box<str>>,
    /// PlanNames that `IMPORT_INFO` calls weak. lld writes the module name `env` even for GOT entries, so the symbol's
    /// name alone decides; a symbol is weak or not for the whole importing module.
    pub(super) weak: HashSet<Box<str>>,
    /// Flags of `EXPORT_INFO`.
    pub(super) exports: HashMap<Box<str>, SymbolFlags>,
}

impl Dylink {
    /// Reads the section's content. Subsections may repeat and interleave; unknown ones are skipped by their size.
    pub(super) fn parse(data: &[u8], offset: u64) -> Result<Self, ModuleError> {
        let mut all = Self::default();
        let mut seen: Option<MemInfo> = None;
        for subsection in Dylink0SectionReader::new(BinaryReader::new(data, offset)) {
            match subsection? {
                Dylink0Subsection::MemInfo(info) => {
                    let same = |other: MemInfo| {
                        other.memory_size == info.memory_size
                            && other.memory_alignment == info.memory_alignment
                            && other.table_size == info.table_size
                            && other.table_alignment == info.table_alignment
                    };
                    if !seen.is_none_or(same) {
                        return Err(ModuleError::ConflictingMemInfo);
                    }
                    seen = Some(info);
                    all.memory = Region::new(info.memory_size, info.memory_alignment)?;
                    all.table = Region::new(info.table_size, info.table_alignment)?;
                }
                Dylink0Subsection::Needed(names) => {
                    all.needed.extend(names.into_iter().map(Box::from));
                }
                Dylink0Subsection::RuntimePath(paths) => {
                    all.runtime_path.extend(paths.into_iter().map(Box::from));
                }
                Dylink0Subsection::ExportInfo(infos) => {
                    for info in infos {
                        *all.exports.entry(info.name.into()).or_default() |= info.flags;
                    }
                }
                Dylink0Subsection::ImportInfo(infos) => {
                    let weak = infos
                        .into_iter()
                        .filter(|info| info.flags.contains(SymbolFlags::BINDING_WEAK));
                    all.weak.extend(weak.map(|info| info.field.into()));
                }
                // Newer subsections say nothing that loading depends on.
                _ => {}
            }
        }
        Ok(all)
    }
}

impl Region {
    fn new(size: u32, log2: u32) -> Result<Self, ModuleError> {
        Ok(Self {
            size,
            align: Align::from_log2(log2).ok_or(ModuleError::Alignment { log2 })?,
        })
    }
}
