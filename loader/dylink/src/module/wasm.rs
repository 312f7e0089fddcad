//! From bytes: one pass over the sections, the code skipped.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::Range;

use wasmparser::{
    Chunk, CompositeInnerType, ConstExpr, Data, DataKind, Element, ElementItems, ElementKind,
    Encoding, ExternalKind, GlobalType, Operator, Parser, Payload, SymbolFlags, TypeRef,
};

use super::classify::{ImportType, module_name};
use super::dylink::Dylink;
use super::link::{self, Link};
use super::segments::{Base, Offset};
use super::{
    DataBase, Datum, Export, ExportKind, Exports, Import, ImportKind, ModuleInfo, Signature,
    Substitutes,
};
use crate::module::error::ModuleError;
use crate::module::ids::FunctionId;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Main,
    Side,
}

/// The state of the parser.
struct Reader<'a> {
    role: Role,
    dylink: Option<Dylink>,
    link: Option<Link<'a>>,
    /// The addresses of a main module's active segments.
    data: Option<Range<u32>>,
    types: Vec<Option<Arc<Signature>>>,
    imports: Vec<Import>,
    functions: Vec<u32>,
    imported_functions: u32,
    globals: Vec<Global>,
    tags: Vec<Tag>,
    exports: Vec<Export>,
    slots: Vec<(FunctionId, u32)>,
    starts: bool,
    stamps: Vec<(alloc::boxed::Box<str>, u32)>,
}

enum Global {
    /// `__memory_base` or `__table_base`.
    Base(Base),
    /// Immutable, `i32`, defined here: how a datum is exported. Its value, if it is a constant.
    Datum(Option<u32>),
    Other,
}

struct Tag {
    imported: bool,
    ty: u32,
}

pub(super) fn read(bytes: &[u8], role: Role) -> Result<ModuleInfo, ModuleError> {
    let mut reader = Reader::new(role);
    let mut parser = Parser::new(0);
    let mut rest = bytes;
    loop {
        let payload = match parser.parse(rest, true) {
            Ok(Chunk::Parsed { consumed, payload }) => {
                rest = &rest[consumed..];
                payload
            }
            Ok(Chunk::NeedMoreData(_)) => return Err(truncated(bytes)),
            Err(error) => return Err(diagnose(bytes, error)),
        };
        match payload {
            Payload::CodeSectionStart { size, .. } => {
                rest = rest.get(size as usize..).ok_or_else(|| truncated(bytes))?;
                parser.skip_section();
            }
            Payload::End(_) => return reader.finish(),
            payload => reader.section(payload)?,
        }
    }
}

fn truncated(bytes: &[u8]) -> ModuleError {
    ModuleError::Truncated {
        length: bytes.len() as u64,
    }
}

/// Tells a file that is cut short or no WebAssembly at all from one that is damaged.
fn diagnose(bytes: &[u8], error: wasmparser::BinaryReaderError) -> ModuleError {
    if let Err(error) = ModuleInfo::check_magic(bytes) {
        return error;
    }
    if error.message().contains("unexpected end") {
        return truncated(bytes);
    }
    error.into()
}

impl<'a> Reader<'a> {
    fn new(role: Role) -> Self {
        Self {
            role,
            dylink: None,
            link: None,
            data: None,
            types: Vec::new(),
            imports: Vec::new(),
            functions: Vec::new(),
            imported_functions: 0,
            globals: Vec::new(),
            tags: Vec::new(),
            exports: Vec::new(),
            slots: Vec::new(),
            starts: false,
            stamps: Vec::new(),
        }
    }

    fn section(&mut self, payload: Payload<'a>) -> Result<(), ModuleError> {
        let first = self.dylink.is_none();
        match payload {
            Payload::Version { encoding, .. } => {
                if encoding == Encoding::Component {
                    return Err(ModuleError::Component);
                }
                return Ok(());
            }
            Payload::CustomSection(section) if section.name() == "dylink.0" => {
                if first && self.role == Role::Side {
                    self.dylink = Some(Dylink::parse(section.data(), section.data_offset())?);
                }
                return Ok(());
            }
            Payload::CustomSection(section) if section.name() == "dylink" && first => {
                return Err(ModuleError::OldFormat);
            }
            _ => {}
        }
        // The convention: `dylink.0` is the very first section, so that a loader knows at once what it has.
        if first && self.role == Role::Side {
            return Err(ModuleError::NotSide);
        }
        match payload {
            Payload::CustomSection(section)
                if section.name() == link::SECTION && self.role == Role::Main =>
            {
                self.link = Some(Link::parse(section.data(), section.data_offset())?);
            }
            Payload::CustomSection(section) => {
                if let Some(value) = super::stamp(section.data()) {
                    self.stamps.push((section.name().into(), value));
                }
            }
            Payload::TypeSection(section) => {
                for group in section {
                    for ty in group?.into_types() {
                        self.types.push(match &ty.composite_type.inner {
                            CompositeInnerType::Func(ty) => Signature::from_wasm(ty).map(Arc::new),
                            _ => None,
                        });
                    }
                }
            }
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    self.import(&import?)?;
                }
            }
            Payload::FunctionSection(section) => {
                for ty in section {
                    self.functions.push(ty?);
                }
            }
            Payload::TagSection(section) => {
                for tag in section {
                    self.tags.push(Tag {
                        imported: false,
                        ty: tag?.func_type_idx,
                    });
                }
            }
            Payload::GlobalSection(section) => {
                for global in section {
                    let global = global?;
                    let value = |expr| Offset::eval(expr, |_| None).map(|offset| offset.constant);
                    self.globals.push(if is_datum(global.ty) {
                        Global::Datum(value(&global.init_expr))
                    } else {
                        Global::Other
                    });
                }
            }
            Payload::ExportSection(section) => {
                for export in section {
                    self.export(&export?)?;
                }
            }
            Payload::StartSection { .. } => self.starts = true,
            Payload::ElementSection(section) => {
                for (index, element) in (0..).zip(section) {
                    self.element(index, element?)?;
                }
            }
            Payload::DataSection(section) => {
                for (index, data) in (0..).zip(section) {
                    match self.role {
                        Role::Side => self.data(index, &data?)?,
                        Role::Main => self.data_of_main(&data?),
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn import(&mut self, import: &wasmparser::Import<'_>) -> Result<(), ModuleError> {
        let signature = |types: &[Option<Arc<Signature>>], ty: u32| -> Option<Arc<Signature>> {
            types.get(ty as usize)?.clone()
        };
        let ty = match import.ty {
            TypeRef::Func(ty) | TypeRef::FuncExact(ty) => {
                self.functions.push(ty);
                self.imported_functions += 1;
                ImportType::Function(signature(&self.types, ty))
            }
            TypeRef::Tag(tag) => {
                self.tags.push(Tag {
                    imported: true,
                    ty: tag.func_type_idx,
                });
                ImportType::Tag(signature(&self.types, tag.func_type_idx))
            }
            TypeRef::Global(_) => ImportType::Global,
            TypeRef::Table(_) => ImportType::Table,
            TypeRef::Memory(_) => ImportType::Memory,
        };
        let is_global = ty == ImportType::Global;
        let weak = self
            .dylink
            .as_ref()
            .is_some_and(|dylink| dylink.weak.contains(import.name));
        let module = module_name(&self.imports, import.module);
        let import = Import::new(module, import.name, ty, weak)?;
        if is_global {
            self.globals.push(match import.kind {
                ImportKind::MemoryBase => Global::Base(Base::Memory),
                ImportKind::TableBase => Global::Base(Base::Table),
                _ => Global::Other,
            });
        }
        self.imports.push(import);
        Ok(())
    }

    fn export(&mut self, export: &wasmparser::Export<'_>) -> Result<(), ModuleError> {
        let missing = || ModuleError::Corrupt {
            at: 0,
            reason: alloc::format!("export `{}` is of something that is not there", export.name),
        };
        let at = export.index as usize;
        let kind = match export.kind {
            ExternalKind::Func | ExternalKind::FuncExact => {
                self.functions.get(at).ok_or_else(missing)?;
                ExportKind::Function(FunctionId(export.index))
            }
            ExternalKind::Global => match self.globals.get(at).ok_or_else(missing)? {
                Global::Datum(offset) => ExportKind::Data(Datum {
                    base: self.data_base(export.name),
                    offset: *offset,
                }),
                Global::Base(_) | Global::Other => ExportKind::Global,
            },
            ExternalKind::Tag => match self.tags.get(at).ok_or_else(missing)? {
                Tag { imported: true, .. } => ExportKind::ImportedTag,
                Tag { ty, .. } => ExportKind::Tag(self.types.get(*ty as usize).cloned().flatten()),
            },
            ExternalKind::Memory => ExportKind::Memory,
            ExternalKind::Table => ExportKind::Table,
        };
        self.exports.push(Export {
            name: export.name.into(),
            kind,
        });
        Ok(())
    }

    fn data_base(&self, name: &str) -> DataBase {
        match &self.dylink {
            Some(dylink) => dylink.data_base(name),
            None => DataBase::Absolute,
        }
    }

    fn element(&mut self, index: u32, element: Element<'_>) -> Result<(), ModuleError> {
        let ElementKind::Active {
            table_index: None | Some(0),
            offset_expr,
        } = element.kind
        else {
            return Ok(());
        };
        let count = match &element.items {
            ElementItems::Functions(functions) => functions.count(),
            ElementItems::Expressions(_, expressions) => expressions.count(),
        };
        let offset = self.offset(&offset_expr);
        let start = match (self.role, &self.dylink) {
            (Role::Side, Some(dylink)) => offset
                .ok_or(ModuleError::NotRelative {
                    what: "element",
                    index,
                })?
                .within(
                    Base::Table,
                    dylink.table,
                    u64::from(count),
                    "element",
                    index,
                )?,
            _ => match offset {
                Some(Offset {
                    base: Base::None,
                    constant,
                }) => constant,
                // A main module that places its functions by an imported global: its slots are not known.
                _ => return Ok(()),
            },
        };
        let mut add = |at: u32, function: u32| {
            if let Some(slot) = start.checked_add(at) {
                self.slots.push((FunctionId(function), slot));
            }
        };
        match element.items {
            ElementItems::Functions(functions) => {
                for (at, function) in (0..).zip(functions) {
                    add(at, function?);
                }
            }
            ElementItems::Expressions(_, expressions) => {
                for (at, expression) in (0..).zip(expressions) {
                    if let Some(function) = function_of(&expression?) {
                        add(at, function);
                    }
                }
            }
        }
        Ok(())
    }

    fn data(&self, index: u32, data: &Data<'_>) -> Result<(), ModuleError> {
        let DataKind::Active { offset_expr, .. } = &data.kind else {
            return Ok(());
        };
        let memory = self.dylink.as_ref().map(|dylink| dylink.memory);
        let what = "data";
        self.offset(offset_expr)
            .ok_or(ModuleError::NotRelative { what, index })?
            .within(
                Base::Memory,
                memory.unwrap_or_default(),
                data.data.len() as u64,
                what,
                index,
            )?;
        Ok(())
    }

    /// A segment of main that does not begin at a constant address is not counted.
    fn data_of_main(&mut self, data: &Data<'_>) {
        let DataKind::Active { offset_expr, .. } = &data.kind else {
            return;
        };
        if let Some(Offset {
            base: Base::None,
            constant,
        }) = self.offset(offset_expr)
        {
            let end = constant.saturating_add(data.data.len() as u32);
            let known = self.data.get_or_insert(constant..end);
            *known = known.start.min(constant)..known.end.max(end);
        }
    }

    fn offset(&self, expr: &ConstExpr<'_>) -> Option<Offset> {
        Offset::eval(expr, |global| match self.globals.get(global as usize)? {
            Global::Base(base) => Some(*base),
            Global::Datum(_) | Global::Other => None,
        })
    }

    fn finish(mut self) -> Result<ModuleInfo, ModuleError> {
        let dylink = match (self.role, self.dylink) {
            (Role::Side, None) => return Err(ModuleError::NotSide),
            (_, dylink) => dylink.unwrap_or_default(),
        };
        // One function may be in several segments: its first slot is its address.
        self.slots.sort_by_key(|(function, _)| *function);
        self.slots.dedup_by_key(|(function, _)| *function);
        let mut info = ModuleInfo {
            memory: dylink.memory,
            table: dylink.table,
            needed: dylink.needed,
            runtime_path: dylink.runtime_path,
            imports: self.imports,
            exports: Exports::new(self.exports),
            data: self.data.unwrap_or_default(),
            substitutes: Substitutes::default(),
            starts: self.starts,
            types: self.types,
            functions: self.functions,
            imported_functions: self.imported_functions,
            slots: self.slots,
            stamps: self.stamps,
        };
        if self.role == Role::Main {
            info.widen_data();
        }
        if let Some(link) = self.link {
            link.add_to(&mut info)?;
        }
        Ok(info)
    }
}

impl Dylink {
    /// Returns the base of the exported global `name`.
    pub(super) fn data_base(&self, name: &str) -> DataBase {
        let flags = self.exports.get(name).copied().unwrap_or_default();
        if flags.contains(SymbolFlags::TLS) {
            DataBase::ThreadLocal
        } else if flags.contains(SymbolFlags::ABSOLUTE) {
            DataBase::Absolute
        } else {
            DataBase::Memory
        }
    }
}

fn is_datum(ty: GlobalType) -> bool {
    !ty.mutable && ty.content_type == wasmparser::ValType::I32
}

fn function_of(expression: &ConstExpr<'_>) -> Option<u32> {
    match expression.get_operators_reader().into_iter().next()?.ok()? {
        Operator::RefFunc { function_index } => Some(function_index),
        _ => None,
    }
}
