//! Writes a rewritten module.

use std::collections::BTreeMap;

use wasm_encoder::reencode::{self, Reencode};
use wasm_encoder::{
    CodeSection, ConstExpr, ExportSection, GlobalSection, GlobalType, ImportSection,
    IndirectNameMap, Module, NameMap, NameSection, SectionId, ValType,
};
use wasmparser::{
    Export, ExternalKind, FunctionBody, GlobalSectionReader, ImportSectionReader, Name, Parser,
    Payload, TypeRef,
};

use crate::body;
use crate::decide::{Replacement, Rewrite};

/// Why a module stays as it is. It can be loaded all the same.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NotRewritten {
    /// It cannot be read.
    #[error("it cannot be read: {0}")]
    Damaged(#[from] wasmparser::Error),
    /// It writes to a global that holds an address, or passes it on: others may look at it.
    #[error("it does more with global {global} than to read it")]
    Shared {
        /// Its index.
        global: u32,
    },
    /// It refers to something that is not there.
    #[error("it has no {what} {index}")]
    Missing {
        /// A function or a global.
        what: &'static str,
        /// Its index.
        index: u32,
    },
    /// It has something in it that is not known here.
    #[error("it has {0}")]
    Unknown(&'static str),
}

impl From<NotRewritten> for reencode::Error<NotRewritten> {
    fn from(error: NotRewritten) -> Self {
        reencode::Error::UserError(error)
    }
}

impl From<reencode::Error<NotRewritten>> for NotRewritten {
    fn from(error: reencode::Error<NotRewritten>) -> Self {
        match error {
            reencode::Error::UserError(error) => error,
            reencode::Error::ParseError(error) => NotRewritten::Damaged(error),
            _ => NotRewritten::Unknown("something that no linker writes"),
        }
    }
}

impl Rewrite {
    /// Returns `true` if the module stays unchanged.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        self.imports.is_empty() && self.exports.is_empty()
    }

    /// The module, rewritten. Its custom sections, in their places, and the lengths of its functions stay.
    ///
    /// # Errors
    /// When it is not what this was decided for, or does something that no compiler makes it do.
    pub fn apply(&self, module: &[u8]) -> Result<Vec<u8>, NotRewritten> {
        let layout = Layout::read(module)?;
        let mut writer = Writer {
            rewrite: self,
            indices: Indices::new(self, &layout)?,
            layout: &layout,
            has_globals: false,
        };
        let mut out = Module::new();
        writer.parse_core_module(&mut out, Parser::new(0), module)?;
        Ok(out.finish())
    }
}

/// Facts about a module that the rewrite needs.
#[derive(Default)]
struct Layout {
    /// Places, among the imports, of the functions and of the globals.
    functions: Vec<u32>,
    globals: Vec<u32>,
    /// Index of the globals `__memory_base` and `__table_base`.
    memory_base: Option<u32>,
    table_base: Option<u32>,
}

impl Layout {
    fn read(module: &[u8]) -> Result<Self, NotRewritten> {
        let mut layout = Self::default();
        for payload in Parser::new(0).parse_all(module) {
            let Payload::ImportSection(section) = payload? else {
                continue;
            };
            for (at, import) in (0..).zip(section.into_imports()) {
                let import = import?;
                match import.ty {
                    TypeRef::Func(_) | TypeRef::FuncExact(_) => layout.functions.push(at),
                    TypeRef::Global(_) => {
                        let index = layout.globals.len() as u32;
                        match (import.module, import.name) {
                            ("env", "__memory_base") => layout.memory_base = Some(index),
                            ("env", "__table_base") => layout.table_base = Some(index),
                            _ => {}
                        }
                        layout.globals.push(at);
                    }
                    _ => {}
                }
            }
        }
        Ok(layout)
    }
}

/// New indices of functions and globals.
pub(crate) struct Indices {
    /// Of the functions that were imported.
    functions: Vec<u32>,
    /// Of the globals that were imported, and whether each still is.
    globals: Vec<(u32, bool)>,
    /// Number of functions that were removed before those of the module itself.
    fewer: u32,
}

impl Indices {
    fn new(rewrite: &Rewrite, layout: &Layout) -> Result<Self, NotRewritten> {
        let gone = |at: &u32| rewrite.imports.contains_key(at);
        let fewer = layout.functions.iter().filter(|at| gone(at)).count() as u32;
        let mut left = 0;
        let functions = layout.functions.iter().map(|at| {
            match rewrite.imports.get(at) {
                // It is counted with the old indices.
                Some(Replacement::Own(own)) => own.0.checked_sub(fewer),
                Some(_) => None,
                None => {
                    left += 1;
                    Some(left - 1)
                }
            }
            .ok_or(NotRewritten::Missing {
                what: "imported function that it was decided for at",
                index: *at,
            })
        });
        let functions = functions.collect::<Result<_, _>>()?;
        // Those that are imported come first, then the new ones, then those that were the module's own.
        let mut new = layout.globals.iter().filter(|at| !gone(at)).count() as u32;
        let mut left = 0;
        let globals = layout.globals.iter().map(|at| match gone(at) {
            true => {
                new += 1;
                (new - 1, false)
            }
            false => {
                left += 1;
                (left - 1, true)
            }
        });
        Ok(Self {
            functions,
            globals: globals.collect(),
            fewer,
        })
    }

    pub(crate) fn function(&self, old: u32) -> Result<u32, NotRewritten> {
        let imported = self.functions.get(old as usize).copied();
        let missing = NotRewritten::Missing {
            what: "function",
            index: old,
        };
        imported
            .or_else(|| old.checked_sub(self.fewer))
            .ok_or(missing)
    }

    /// A global, to be read.
    pub(crate) fn global(&self, old: u32) -> Result<u32, NotRewritten> {
        let imported = self.globals.get(old as usize);
        Ok(imported.map_or(old, |(new, _)| *new))
    }

    /// A global, to be written, or to be passed on.
    pub(crate) fn variable(&self, old: u32) -> Result<u32, NotRewritten> {
        match self.globals.get(old as usize) {
            Some((_, false)) => Err(NotRewritten::Shared { global: old }),
            Some((new, true)) => Ok(*new),
            None => Ok(old),
        }
    }
}

struct Writer<'a> {
    rewrite: &'a Rewrite,
    layout: &'a Layout,
    indices: Indices,
    /// The section of globals was written.
    has_globals: bool,
}

type Written<T = ()> = Result<T, reencode::Error<NotRewritten>>;

impl Writer<'_> {
    /// The globals that take the place of imports.
    fn new_globals(&self, globals: &mut GlobalSection) -> Result<(), NotRewritten> {
        for at in &self.layout.globals {
            let base = |base: Option<u32>, offset: u32| {
                let base = base.ok_or(NotRewritten::Unknown("no base"))?;
                let base = self.indices.global(base)?;
                let sum = ConstExpr::global_get(base).with_i32_const(offset.cast_signed());
                Ok::<_, NotRewritten>(sum.with_i32_add())
            };
            let value = match self.rewrite.imports.get(at) {
                None => continue,
                Some(Replacement::Number(number)) => ConstExpr::i32_const(number.cast_signed()),
                Some(Replacement::Memory(offset)) => base(self.layout.memory_base, *offset)?,
                Some(Replacement::Table(offset)) => base(self.layout.table_base, *offset)?,
                Some(Replacement::Own(_)) => {
                    return Err(NotRewritten::Unknown("a global in place of a function"));
                }
            };
            let constant = GlobalType {
                val_type: ValType::I32,
                mutable: false,
                shared: false,
            };
            globals.global(constant, &value);
        }
        Ok(())
    }
}

impl Reencode for Writer<'_> {
    type Error = NotRewritten;

    fn function_index(&mut self, function: u32) -> Written<u32> {
        Ok(self.indices.function(function)?)
    }

    fn global_index(&mut self, global: u32) -> Written<u32> {
        Ok(self.indices.global(global)?)
    }

    fn parse_import_section(
        &mut self,
        imports: &mut ImportSection,
        section: ImportSectionReader<'_>,
    ) -> Written {
        for (at, import) in (0..).zip(section.into_imports()) {
            if !self.rewrite.imports.contains_key(&at) {
                self.parse_import(imports, import?)?;
            }
        }
        Ok(())
    }

    fn parse_global_section(
        &mut self,
        globals: &mut GlobalSection,
        section: GlobalSectionReader<'_>,
    ) -> Written {
        self.has_globals = true;
        self.new_globals(globals)?;
        reencode::utils::parse_global_section(self, globals, section)
    }

    fn intersperse_section_hook(
        &mut self,
        module: &mut Module,
        _after: Option<SectionId>,
        before: Option<SectionId>,
    ) -> Written {
        use SectionId::*;
        // A module without globals of its own gets the section where it belongs.
        let comes_before = matches!(
            before,
            Some(Type | Import | Function | Table | Memory | Tag | Global)
        );
        if !comes_before && !self.has_globals {
            self.has_globals = true;
            let mut globals = GlobalSection::new();
            self.new_globals(&mut globals)?;
            if !globals.is_empty() {
                module.section(&globals);
            }
        }
        Ok(())
    }

    fn parse_export(&mut self, exports: &mut ExportSection, export: Export<'_>) -> Written {
        if self.rewrite.exports.contains(export.name) {
            return Ok(());
        }
        if export.kind == ExternalKind::Global {
            self.indices.variable(export.index)?;
        }
        reencode::utils::parse_export(self, exports, export)
    }

    fn parse_function_body(&mut self, code: &mut CodeSection, body: FunctionBody<'_>) -> Written {
        code.raw(&body::patched(&body, &self.indices)?);
        Ok(())
    }

    fn parse_custom_name_subsection(
        &mut self,
        names: &mut NameSection,
        section: Name<'_>,
    ) -> Written {
        // What was imported has no name of its own any more, and functions and globals have changed places.
        match section {
            Name::Function(map) => {
                let mut functions = BTreeMap::new();
                for naming in map {
                    let naming = naming?;
                    let own = naming.index as usize >= self.indices.functions.len();
                    let new = self.indices.function(naming.index)?;
                    if own || !functions.contains_key(&new) {
                        functions.insert(new, naming.name);
                    }
                }
                names.functions(&in_order(functions));
            }
            Name::Global(map) => {
                let mut globals = BTreeMap::new();
                for naming in map {
                    let naming = naming?;
                    globals.insert(self.indices.global(naming.index)?, naming.name);
                }
                names.globals(&in_order(globals));
            }
            Name::Local(map) => {
                let mut locals = IndirectNameMap::new();
                for naming in map {
                    let naming = naming?;
                    // Only functions of the module itself have any, and these keep their order.
                    if naming.index as usize >= self.indices.functions.len() {
                        let mut inner = NameMap::new();
                        for naming in naming.names {
                            let naming = naming?;
                            inner.append(naming.index, naming.name);
                        }
                        locals.append(self.indices.function(naming.index)?, &inner);
                    }
                }
                names.locals(&locals);
            }
            other => reencode::utils::parse_custom_name_subsection(self, names, other)?,
        }
        Ok(())
    }
}

fn in_order(names: BTreeMap<u32, &str>) -> NameMap {
    let mut map = NameMap::new();
    for (index, name) in names {
        map.append(index, name);
    }
    map
}

#[cfg(test)]
mod tests;
