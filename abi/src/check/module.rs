//! The interface of a module, parsed once: imports, exports, needed libraries, and the contract's version.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use wasmparser::{
    BinaryReader, BinaryReaderError, Dylink0Subsection, ExternalKind, KnownCustom, Parser, Payload,
    SymbolFlags, TypeRef, ValType,
};

use crate::{ExportKind, SECTION, Signature};

/// The module name of WASI's functions.
pub(super) const WASI: &str = "wasi_snapshot_preview1";

/// A function's type. Types outside the contract are kept as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FunctionType {
    params: Vec<String>,
    results: Vec<String>,
}

impl From<Signature> for FunctionType {
    fn from(signature: Signature) -> Self {
        let list = |types: &[crate::ValType]| types.iter().map(ToString::to_string).collect();
        Self {
            params: list(signature.params),
            results: list(signature.results),
        }
    }
}

impl From<&wasmparser::FuncType> for FunctionType {
    fn from(ty: &wasmparser::FuncType) -> Self {
        let list = |types: &[ValType]| types.iter().map(ToString::to_string).collect();
        Self {
            params: list(ty.params()),
            results: list(ty.results()),
        }
    }
}

/// The type of an import or an export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Item {
    Function(FunctionType),
    Global { ty: String, mutable: bool },
    Table { growable: bool },
    Memory { growable: bool },
    Tag(FunctionType),
}

impl Item {
    /// Returns `true` if the type fits the contract's kind.
    pub(super) fn is(&self, kind: &ExportKind) -> bool {
        match (self, kind) {
            (Self::Function(ty), ExportKind::Function(signature))
            | (Self::Tag(ty), ExportKind::Tag(signature)) => *ty == FunctionType::from(*signature),
            (Self::Global { ty, mutable }, ExportKind::Data) => ty == "i32" && !mutable,
            (Self::Global { ty, mutable }, ExportKind::Global(wanted)) => {
                *ty == wanted.to_string() && *mutable
            }
            (Self::Table { growable }, ExportKind::Table)
            | (Self::Memory { growable }, ExportKind::Memory) => *growable,
            _ => false,
        }
    }
}

impl fmt::Display for FunctionType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({})", self.params.join(" "))?;
        match self.results.as_slice() {
            [] => Ok(()),
            results => write!(f, " -> {}", results.join(" ")),
        }
    }
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fixed = |growable: &bool| if *growable { "" } else { " that cannot grow" };
        match self {
            Self::Function(ty) => write!(f, "a function {ty}"),
            Self::Global { ty, mutable: true } => write!(f, "a mutable global {ty}"),
            Self::Global { ty, mutable: false } => write!(f, "an immutable global {ty}"),
            Self::Table { growable } => write!(f, "a table{}", fixed(growable)),
            Self::Memory { growable } => write!(f, "a memory{}", fixed(growable)),
            Self::Tag(ty) => write!(f, "a tag {ty}"),
        }
    }
}

/// The interface of a module.
#[derive(Debug, Default)]
pub(super) struct Module<'a> {
    /// Module name, name and type of each import, in order.
    pub(super) imports: Vec<(&'a str, &'a str, Item)>,
    pub(super) exports: BTreeMap<&'a str, Item>,
    /// Imports that may stay unresolved.
    pub(super) weak: BTreeSet<(&'a str, &'a str)>,
    /// `true` if the first section is `dylink.0`.
    pub(super) side: bool,
    /// Content of the section `pymode.abi`, or the reason why it is invalid.
    pub(super) version: Option<Result<u32, String>>,
}

/// The index spaces during the parse.
#[derive(Default)]
struct Spaces {
    types: Vec<FunctionType>,
    functions: Vec<Item>,
    globals: Vec<Item>,
    tables: Vec<Item>,
    memories: Vec<Item>,
    tags: Vec<Item>,
}

impl Spaces {
    fn item(&self, ty: &TypeRef) -> Result<Item, String> {
        let function = |at: u32| {
            self.types
                .get(at as usize)
                .cloned()
                .ok_or_else(|| format!("type {at} does not exist"))
        };
        Ok(match ty {
            TypeRef::Func(at) | TypeRef::FuncExact(at) => Item::Function(function(*at)?),
            TypeRef::Tag(tag) => Item::Tag(function(tag.func_type_idx)?),
            TypeRef::Global(ty) => Item::Global {
                ty: ty.content_type.to_string(),
                mutable: ty.mutable,
            },
            TypeRef::Table(ty) => Item::Table {
                growable: ty.maximum != Some(ty.initial),
            },
            TypeRef::Memory(ty) => Item::Memory {
                growable: ty.maximum != Some(ty.initial),
            },
        })
    }

    fn add(&mut self, ty: &TypeRef) -> Result<Item, String> {
        let item = self.item(ty)?;
        let space = match ty {
            TypeRef::Func(_) | TypeRef::FuncExact(_) => &mut self.functions,
            TypeRef::Tag(_) => &mut self.tags,
            TypeRef::Global(_) => &mut self.globals,
            TypeRef::Table(_) => &mut self.tables,
            TypeRef::Memory(_) => &mut self.memories,
        };
        space.push(item.clone());
        Ok(item)
    }

    fn exported(&self, kind: ExternalKind, at: u32) -> Result<Item, String> {
        let space = match kind {
            ExternalKind::Func | ExternalKind::FuncExact => &self.functions,
            ExternalKind::Tag => &self.tags,
            ExternalKind::Global => &self.globals,
            ExternalKind::Table => &self.tables,
            ExternalKind::Memory => &self.memories,
        };
        space
            .get(at as usize)
            .cloned()
            .ok_or_else(|| format!("an export names {kind:?} {at}, which does not exist"))
    }
}

impl<'a> Module<'a> {
    /// Parses the sections that describe the interface. Does not read the code.
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Self, String> {
        let text = |error: BinaryReaderError| error.to_string();
        let mut module = Self::default();
        let mut spaces = Spaces::default();
        let mut first = true;
        for payload in Parser::new(0).parse_all(bytes) {
            let payload = payload.map_err(text)?;
            match &payload {
                Payload::Version {
                    encoding: wasmparser::Encoding::Component,
                    ..
                } => {
                    return Err("it is a component".to_owned());
                }
                Payload::Version { .. } => continue,
                Payload::CustomSection(section) => {
                    if section.name() == SECTION {
                        module.version = Some(version(section.data()));
                    }
                    if let KnownCustom::Dylink0(subsections) = section.as_known() {
                        module.side = first;
                        for subsection in subsections {
                            module.dylink(&subsection.map_err(text)?);
                        }
                    }
                }
                Payload::TypeSection(reader) => {
                    for ty in reader.clone().into_iter_err_on_gc_types() {
                        spaces.types.push(FunctionType::from(&ty.map_err(text)?));
                    }
                }
                Payload::ImportSection(reader) => {
                    for import in reader.clone().into_imports() {
                        let import = import.map_err(text)?;
                        module
                            .imports
                            .push((import.module, import.name, spaces.add(&import.ty)?));
                    }
                }
                Payload::FunctionSection(reader) => {
                    for ty in reader.clone() {
                        spaces.add(&TypeRef::Func(ty.map_err(text)?))?;
                    }
                }
                Payload::TableSection(reader) => {
                    for table in reader.clone() {
                        spaces.add(&TypeRef::Table(table.map_err(text)?.ty))?;
                    }
                }
                Payload::MemorySection(reader) => {
                    for memory in reader.clone() {
                        spaces.add(&TypeRef::Memory(memory.map_err(text)?))?;
                    }
                }
                Payload::TagSection(reader) => {
                    for tag in reader.clone() {
                        spaces.add(&TypeRef::Tag(tag.map_err(text)?))?;
                    }
                }
                Payload::GlobalSection(reader) => {
                    for global in reader.clone() {
                        spaces.add(&TypeRef::Global(global.map_err(text)?.ty))?;
                    }
                }
                Payload::ExportSection(reader) => {
                    for export in reader.clone() {
                        let export = export.map_err(text)?;
                        module
                            .exports
                            .insert(export.name, spaces.exported(export.kind, export.index)?);
                    }
                }
                _ => {}
            }
            first = false;
        }
        Ok(module)
    }

    fn dylink(&mut self, subsection: &Dylink0Subsection<'a>) {
        if let Dylink0Subsection::ImportInfo(imports) = subsection {
            let weak = imports
                .iter()
                .filter(|import| import.flags.contains(SymbolFlags::BINDING_WEAK));
            self.weak
                .extend(weak.map(|import| (import.module, import.field)));
        }
    }

    /// Returns `true` if the import may stay unresolved. `dylink.0` names the module `env` even for symbols of the GOT.
    pub(super) fn is_weak(&self, module: &'a str, name: &'a str) -> bool {
        self.weak.contains(&("env", name)) || self.weak.contains(&(module, name))
    }
}

/// Parses an unsigned LEB128 number and nothing else.
fn version(data: &[u8]) -> Result<u32, String> {
    let mut reader = BinaryReader::new(data, 0);
    let version = reader
        .read_var_u32()
        .map_err(|error| format!("damaged number in `{SECTION}`: {}", error.message()))?;
    match reader.eof() {
        true => Ok(version),
        false => Err(format!("trailing bytes after the number in `{SECTION}`")),
    }
}
