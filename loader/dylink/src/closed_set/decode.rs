//! A plan from bytes. They are hostile: every number is checked before it is used, and nothing is allocated on the word of a
//! count alone. Where the parts lie is read at once, what they say when it is asked for.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use hashbrown::HashMap;
use once_cell::race::OnceBox;

use super::reader::Reader;
use super::{
    CommonThunks, Described, FORMAT, MAGIC, Part, Plan, PlanError, PlannedGroup, PlannedMember,
    SetExport, SetIndex,
};
use crate::decide::binding::Binding;
use crate::module::ids::{ExportId, FunctionId};
use crate::module::{
    Copied, DataBase, Datum, Export, ExportKind, Exports, Import, ImportKind, ModuleInfo,
    Signature, Substitutes,
};

impl Plan {
    /// Reads a plan: which parts it has. Each is checked when it is first used; [`check`](Self::check) does so at once.
    ///
    /// # Errors
    /// When the bytes are no plan, or one of another format, or cut short.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, PlanError> {
        if !bytes.starts_with(MAGIC) {
            return Err(PlanError::NotAPlan);
        }
        let mut reader = Reader {
            bytes,
            at: MAGIC.len(),
        };
        let found = reader.number()?;
        if found != FORMAT {
            return Err(PlanError::Version {
                found,
                wanted: FORMAT,
            });
        }
        let strings = reader.list(|reader| {
            let range = reader.part()?;
            match str::from_utf8(&bytes[range.start as usize..range.end as usize]) {
                Ok(_) => Ok(range),
                Err(_) => Err(reader.damaged("a text is not UTF-8")),
            }
        })?;
        let signatures = reader.list(|reader| {
            Ok(Arc::new(Signature {
                params: reader.types()?,
                results: reader.types()?,
            }))
        })?;
        let remake = reader.number()?;
        let common_thunks = reader.part()?;
        let modules = reader.list(|reader| {
            let part = reader.part()?;
            let mut reader = Reader {
                bytes: &bytes[..part.end as usize],
                at: part.start as usize,
            };
            let hash = reader.hash()?;
            let code = if reader.flag()? { reader.hash()? } else { hash };
            let info = Part::at(reader.at as u32);
            Ok(Described { hash, code, info })
        })?;
        let start = |reader: &mut Reader<'_>| Ok(reader.part()?.start);
        let groups = reader.list(|reader| Ok(Part::at(start(reader)?)))?;
        let bindings = reader.list(start)?;
        let roots = reader.list(|reader| match (reader.number()?, reader.number()?) {
            (_, group) if group as usize >= groups.len() => {
                Err(reader.damaged("a path leads to no group"))
            }
            root => Ok(root),
        })?;
        if reader.at != bytes.len() {
            return Err(reader.damaged("trailing bytes after the last part"));
        }
        if modules.is_empty() {
            return Err(reader.damaged("it has no main module"));
        }
        let hashes = (0..).zip(&modules).map(|(at, module)| (module.hash, at));
        let by_hash = hashes.collect();
        let mut plan = Self {
            bytes: bytes.into(),
            strings,
            signatures,
            remake,
            common_thunks: None,
            modules,
            by_hash,
            roots,
            groups,
            bindings,
        };
        plan.text(remake, MAGIC.len())?;
        if !common_thunks.is_empty() {
            plan.common_thunks = Some(plan.read_thunks(common_thunks.start)?);
        }
        Ok(plan)
    }

    /// The plan as bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.bytes.to_vec()
    }

    /// Reads and checks all of it.
    ///
    /// # Errors
    /// When a part is damaged.
    pub fn check(&self) -> Result<(), PlanError> {
        for module in 0..self.modules.len() as SetIndex {
            self.described(module)?;
        }
        (0..self.groups.len() as u32).try_for_each(|group| self.group(group).map(drop))
    }

    /// The group that a path leads to.
    pub(super) fn root(&self, path: &str) -> Option<u32> {
        let text = |at: u32| self.text(at, 0).unwrap_or_default();
        let found = self.roots.binary_search_by(|(at, _)| text(*at).cmp(path));
        Some(self.roots[found.ok()?].1)
    }

    /// Returns the description of a module.
    pub(super) fn described(&self, module: SetIndex) -> Result<&Arc<ModuleInfo>, PlanError> {
        let part = &self
            .modules
            .get(module as usize)
            .ok_or_else(|| self.nothing())?
            .info;
        part.read(|at| Ok(Arc::new(self.read_description(at)?)))
    }

    /// A load group.
    pub(super) fn group(&self, group: u32) -> Result<&PlannedGroup, PlanError> {
        let part = self
            .groups
            .get(group as usize)
            .ok_or_else(|| self.nothing())?;
        part.read(|at| self.read_group(at))
    }

    fn read_thunks(&self, at: u32) -> Result<CommonThunks, PlanError> {
        let mut reader = self.reader(at);
        let hash = reader.hash()?;
        let signatures = reader.list(|reader| {
            let signature = self.maybe_signature(reader)?;
            signature.ok_or_else(|| reader.damaged("a thunk has no type"))
        })?;
        Ok(CommonThunks { hash, signatures })
    }

    fn read_description(&self, at: u32) -> Result<ModuleInfo, PlanError> {
        let mut reader = self.reader(at);
        let (memory, table) = (reader.region()?, reader.region()?);
        let text = |reader: &mut Reader<'_>| -> Result<Box<str>, PlanError> {
            let at = reader.number()?;
            Ok(self.text(at, reader.at)?.into())
        };
        let (needed, runtime_path) = (reader.list(text)?, reader.list(text)?);
        let starts = reader.flag()?;
        let mut module_name: Arc<str> = "".into();
        let imports = reader.list(|reader| {
            let module = reader.number()?;
            let module = self.text(module, reader.at)?;
            if *module_name != *module {
                module_name = module.into();
            }
            let name = text(reader)?;
            let is_function = reader.flag()?;
            Ok(Import {
                module: Arc::clone(&module_name),
                name,
                is_function,
                kind: self.import_kind(reader)?,
            })
        })?;
        let exports = reader.list(|reader| {
            Ok(Export {
                name: text(reader)?,
                kind: self.export_kind(reader)?,
            })
        })?;
        let count = exports.len() as u32;
        let places = reader.list(|reader| match reader.number()? {
            at if at <= count => Ok(at),
            _ => Err(reader.damaged("an export is not there")),
        })?;
        let imported_functions = reader.number()?;
        if imports.iter().filter(|import| import.is_function).count() != imported_functions as usize
        {
            return Err(reader.damaged("it counts its imported functions differently"));
        }
        let types = reader.list(|reader| self.maybe_signature(reader))?;
        let functions = reader.list(Reader::number)?;
        let mut last = 0u32;
        let slots = reader.list(|reader| {
            last = last.wrapping_add(reader.number()?);
            Ok((FunctionId(last), reader.number()?))
        })?;
        let stamps = reader.list(|reader| Ok((text(reader)?, reader.number()?)))?;
        let data = reader.number()?..reader.number()?;
        let stubs = reader.list(|reader| Ok((text(reader)?, FunctionId(reader.number()?))))?;
        let copies = reader.list(|reader| {
            let (name, size, address) = (text(reader)?, reader.number()?, reader.number()?);
            Ok(Copied {
                name,
                size,
                address,
            })
        })?;
        Ok(ModuleInfo {
            memory,
            table,
            needed,
            runtime_path,
            imports,
            exports: Exports::placed(exports, places),
            starts,
            types,
            functions,
            imported_functions,
            slots,
            stamps,
            data,
            substitutes: Substitutes { stubs, copies },
        })
    }

    fn import_kind(&self, reader: &mut Reader<'_>) -> Result<ImportKind, PlanError> {
        Ok(match reader.byte()? {
            0 => ImportKind::Memory,
            1 => ImportKind::Table,
            2 => ImportKind::StackPointer,
            3 => ImportKind::MemoryBase,
            4 => ImportKind::TableBase,
            kind @ (5 | 6) => ImportKind::Function {
                signature: self.maybe_signature(reader)?,
                weak: kind == 6,
            },
            7 => ImportKind::Tag {
                signature: self.maybe_signature(reader)?,
            },
            kind @ (8 | 9) => ImportKind::DataAddress { weak: kind == 9 },
            kind @ (10 | 11) => ImportKind::FunctionAddress { weak: kind == 11 },
            12 => ImportKind::Global,
            13 => ImportKind::Host,
            _ => return Err(reader.damaged("an import is of an unknown kind")),
        })
    }

    fn export_kind(&self, reader: &mut Reader<'_>) -> Result<ExportKind, PlanError> {
        let base = |kind| match kind % 3 {
            1 => DataBase::Absolute,
            2 => DataBase::Memory,
            _ => DataBase::ThreadLocal,
        };
        Ok(match reader.byte()? {
            0 => ExportKind::Function(FunctionId(reader.number()?)),
            kind @ 1..=3 => ExportKind::Data(Datum {
                base: base(kind),
                offset: None,
            }),
            kind @ 4..=6 => ExportKind::Data(Datum {
                base: base(kind),
                offset: Some(reader.number()?),
            }),
            7 => ExportKind::Global,
            8 => ExportKind::Tag(self.maybe_signature(reader)?),
            9 => ExportKind::ImportedTag,
            10 => ExportKind::Memory,
            11 => ExportKind::Table,
            _ => return Err(reader.damaged("an export is something unknown")),
        })
    }

    fn read_group(&self, at: u32) -> Result<PlannedGroup, PlanError> {
        let mut reader = self.reader(at);
        let members = reader.list(|reader| {
            let path = reader.number()?;
            let path = self.text(path, reader.at)?.into();
            // Main is in no load group.
            let side = |reader: &mut Reader<'_>| match reader.number()? {
                module if module != 0 && (module as usize) < self.modules.len() => Ok(module),
                _ => Err(reader.damaged("a group has a module that is not there")),
            };
            Ok(PlannedMember {
                path,
                module: side(reader)?,
                needs: reader.list(side)?,
                bindings: self.read_bindings(reader.number()?)?,
            })
        })?;
        let mut infos = HashMap::from([(0, &**self.described(0)?)]);
        for member in &members {
            let known = infos.insert(member.module, self.described(member.module)?);
            if known.is_some() {
                return Err(reader.damaged("a module is in a group twice"));
            }
        }
        for member in &members {
            if !member.needs.iter().all(|need| infos.contains_key(need)) {
                return Err(reader.damaged("a group is not whole"));
            }
            if member.bindings.len() != infos[&member.module].imports.len() {
                return Err(reader.damaged("a module has more or fewer bindings than imports"));
            }
            if !member.bindings.iter().all(|bound| fits(bound, &infos)) {
                return Err(reader.damaged("it binds to what is not there"));
            }
        }
        if members.is_empty() {
            return Err(reader.damaged("a group is empty"));
        }
        Ok(PlannedGroup { members })
    }

    /// Returns the bindings of a member's imports.
    fn read_bindings(&self, bindings: u32) -> Result<Vec<Binding<SetExport>>, PlanError> {
        let at = self.bindings.get(bindings as usize);
        let mut reader = self.reader(*at.ok_or_else(|| self.nothing())?);
        reader.list(|reader| {
            let kind = reader.byte()?;
            let mut definition = || -> Result<SetExport, PlanError> {
                Ok((reader.number()?, ExportId(reader.number()?)))
            };
            Ok(match kind {
                0 => Binding::Memory,
                1 => Binding::Table,
                2 => Binding::StackPointer,
                3 => Binding::MemoryBase,
                4 => Binding::TableBase,
                5 => Binding::Function(Some(definition()?)),
                6 => Binding::Function(None),
                7 => Binding::DataAddress(definition()?),
                8 => Binding::FunctionAddress(definition()?),
                9 => Binding::NullAddress,
                10 => Binding::Tag(definition()?),
                11 => Binding::ProcessTag,
                12 => Binding::MainGlobal(definition()?.1),
                13 => Binding::Host,
                _ => return Err(reader.damaged("an import is bound to something unknown")),
            })
        })
    }

    fn reader(&self, at: u32) -> Reader<'_> {
        Reader {
            bytes: &self.bytes,
            at: at as usize,
        }
    }

    pub(super) fn text(&self, string: u32, at: usize) -> Result<&str, PlanError> {
        let range = self.strings.get(string as usize);
        let bytes =
            range.and_then(|range| self.bytes.get(range.start as usize..range.end as usize));
        let text = bytes.and_then(|bytes| str::from_utf8(bytes).ok());
        let reason = "a text is not there";
        text.ok_or(PlanError::Damaged { at, reason })
    }

    fn maybe_signature(
        &self,
        reader: &mut Reader<'_>,
    ) -> Result<Option<Arc<Signature>>, PlanError> {
        let Some(at) = reader.number()?.checked_sub(1) else {
            return Ok(None);
        };
        match self.signatures.get(at as usize) {
            Some(signature) => Ok(Some(Arc::clone(signature))),
            None => Err(reader.damaged("a type is not there")),
        }
    }

    fn nothing(&self) -> PlanError {
        PlanError::Damaged {
            at: self.bytes.len(),
            reason: "it refers to something that is not there",
        }
    }
}

/// Reports whether the definition is there, and is what it is taken for.
fn fits(binding: &Binding<SetExport>, modules: &HashMap<SetIndex, &ModuleInfo>) -> bool {
    let kind = |module: SetIndex, export: ExportId| {
        let exports = &modules.get(&module)?.exports;
        ((export.0 as usize) < exports.iter().len()).then(|| &exports.get(export).kind)
    };
    match *binding {
        Binding::Function(Some((module, export))) | Binding::FunctionAddress((module, export)) => {
            matches!(kind(module, export), Some(ExportKind::Function(_)))
        }
        Binding::DataAddress((module, export)) => {
            matches!(kind(module, export), Some(ExportKind::Data(_)))
        }
        Binding::Tag((module, export)) => matches!(kind(module, export), Some(ExportKind::Tag(_))),
        Binding::MainGlobal(export) => matches!(
            kind(0, export),
            Some(ExportKind::Global | ExportKind::Data(_))
        ),
        _ => true,
    }
}

impl<T> Part<T> {
    fn at(at: u32) -> Self {
        Self {
            at,
            read: OnceBox::new(),
        }
    }

    /// Returns the value. The first call parses it with `read`.
    fn read(&self, read: impl FnOnce(u32) -> Result<T, PlanError>) -> Result<&T, PlanError> {
        self.read.get_or_try_init(|| read(self.at).map(Box::new))
    }
}
