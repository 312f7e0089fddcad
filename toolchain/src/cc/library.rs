//! Shared libraries on a link line: what of them a program can be linked with.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use wasmparser::{
    CompositeInnerType, Dylink0Subsection, ExternalKind, FuncType, KnownCustom, Parser, Payload,
    SymbolFlags, TypeRef,
};

use super::sizes;

/// A side module, as the link of a program sees it.
#[derive(Debug)]
pub(super) struct Library {
    /// Its file.
    pub(super) path: PathBuf,
    /// The libraries that it needs.
    pub(super) needed: Vec<String>,
    /// The functions that it defines, by their names.
    pub(super) functions: BTreeMap<String, FuncType>,
    /// The data that it defines.
    pub(super) data: BTreeMap<String, LibraryDatum>,
    /// The symbols that it takes from others.
    pub(super) imports: BTreeSet<String>,
    /// It loads libraries that are not known when it is linked.
    pub(super) opens: bool,
}

/// A datum that a library defines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LibraryDatum {
    /// Size, if the library has it.
    pub(super) size: Option<u32>,
    /// A power of two that its address is a multiple of.
    pub(super) align: u32,
    /// Each thread has its own.
    pub(super) is_thread_local: bool,
}

impl Library {
    /// Reads a file; `None` if it is not a side module, or one that cannot be read: then the linker says what is wrong with it.
    pub(super) fn read(path: &Path) -> Option<Self> {
        const MAGIC: &[u8] = b"\0asm";
        let bytes = fs::read(path).ok()?;
        if !bytes.starts_with(MAGIC) {
            return None;
        }
        parse(path, &bytes).ok().flatten()
    }

    /// The name by which others need it.
    pub(super) fn name(&self) -> String {
        let name = self.path.file_name().unwrap_or_default();
        name.to_string_lossy().into_owned()
    }

    pub(super) fn defines(&self, symbol: &str) -> bool {
        self.functions.contains_key(symbol) || self.data.contains_key(symbol)
    }
}

fn parse(path: &Path, bytes: &[u8]) -> wasmparser::Result<Option<Library>> {
    let mut library = Library {
        path: path.to_owned(),
        needed: Vec::new(),
        functions: BTreeMap::new(),
        data: BTreeMap::new(),
        imports: BTreeSet::new(),
        opens: false,
    };
    let mut is_side = false;
    let mut largest_align = 1u32;
    let mut flags: BTreeMap<&str, SymbolFlags> = BTreeMap::new();
    let mut types: Vec<Option<FuncType>> = Vec::new();
    // The type of each function, and the value of each global that this module defines and that never changes.
    let mut functions: Vec<u32> = Vec::new();
    let mut imported_functions = 0;
    let mut globals: Vec<Option<u32>> = Vec::new();
    let mut exports = Vec::new();
    let mut sizes = BTreeMap::new();
    for payload in Parser::new(0).parse_all(bytes) {
        match payload? {
            Payload::CustomSection(section) => match section.as_known() {
                KnownCustom::Dylink0(reader) => {
                    is_side = true;
                    for subsection in reader {
                        match subsection? {
                            Dylink0Subsection::MemInfo(info) => {
                                largest_align =
                                    1u32.checked_shl(info.memory_alignment).unwrap_or(1);
                            }
                            Dylink0Subsection::Needed(names) => {
                                library.needed.extend(names.into_iter().map(str::to_owned));
                            }
                            Dylink0Subsection::ExportInfo(infos) => {
                                flags.extend(infos.into_iter().map(|info| (info.name, info.flags)));
                            }
                            _ => {}
                        }
                    }
                }
                _ if section.name() == sizes::SECTION => sizes = sizes::read(section.data()),
                _ => {}
            },
            Payload::TypeSection(section) => {
                for ty in section.into_iter().flat_map(|group| {
                    group
                        .map(|group| group.into_types().collect::<Vec<_>>())
                        .unwrap_or_default()
                }) {
                    types.push(match ty.composite_type.inner {
                        CompositeInnerType::Func(ty) => Some(ty),
                        _ => None,
                    });
                }
            }
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    let import = import?;
                    match import.ty {
                        TypeRef::Func(ty) => {
                            functions.push(ty);
                            imported_functions += 1;
                        }
                        TypeRef::Global(_) => globals.push(None),
                        _ => {}
                    }
                    library.opens |=
                        (import.module, import.name) == (pymode_abi::MODULE, "dl_open");
                    if matches!(import.module, "env" | "GOT.mem" | "GOT.func") {
                        library.imports.insert(import.name.to_owned());
                    }
                }
            }
            Payload::FunctionSection(section) => {
                for ty in section {
                    functions.push(ty?);
                }
            }
            Payload::GlobalSection(section) => {
                for global in section {
                    let global = global?;
                    let mut value = global.init_expr.get_operators_reader().into_iter();
                    globals.push(match value.next() {
                        Some(Ok(wasmparser::Operator::I32Const { value }))
                            if !global.ty.mutable =>
                        {
                            Some(value.cast_unsigned())
                        }
                        _ => None,
                    });
                }
            }
            Payload::ExportSection(section) => {
                for export in section {
                    exports.push(export?);
                }
            }
            _ => {}
        }
    }
    if !is_side {
        return Ok(None);
    }
    for export in exports {
        match export.kind {
            // What it only passes on, another defines.
            ExternalKind::Func if export.index >= imported_functions => {
                let ty = functions.get(export.index as usize);
                let ty = ty.and_then(|ty| types.get(*ty as usize)?.clone());
                if let Some(ty) = ty {
                    library.functions.insert(export.name.to_owned(), ty);
                }
            }
            ExternalKind::Global => {
                let flags = flags.get(export.name).copied().unwrap_or_default();
                if let Some(Some(offset)) = globals.get(export.index as usize) {
                    let datum = LibraryDatum {
                        size: sizes.get(export.name).copied(),
                        align: largest_align.min(1 << offset.trailing_zeros().min(31)),
                        is_thread_local: flags.contains(SymbolFlags::TLS),
                    };
                    library.data.insert(export.name.to_owned(), datum);
                }
            }
            _ => {}
        }
    }
    Ok(Some(library))
}
