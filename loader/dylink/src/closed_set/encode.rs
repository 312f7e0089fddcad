//! A plan as bytes: numbers as LEB128, texts and signatures once each, every part with its length.

use alloc::sync::Arc;
use alloc::vec::Vec;

use hashbrown::HashMap;

use super::{FORMAT, MAGIC, PlannedGroup, SetExport};
use crate::decide::binding::Binding;
use crate::decide::thunk::ThunkModule;
use crate::module::{
    ContentHash, DataBase, Export, ExportKind, Import, ImportKind, ModuleInfo, Region, Signature,
    leb128, places,
};

/// Values that are written once and referenced by number.
#[derive(Default)]
pub(super) struct Writer {
    strings: Vec<Arc<str>>,
    by_text: HashMap<Arc<str>, u32>,
    signatures: Vec<Arc<Signature>>,
    by_type: HashMap<Arc<Signature>, u32>,
    modules: Vec<Vec<u8>>,
    groups: Vec<Vec<u8>>,
    bindings: Vec<Vec<u8>>,
    by_bindings: HashMap<Vec<u8>, u32>,
    roots: Vec<(Arc<str>, u32)>,
    remake: u32,
    common_thunks: Vec<u8>,
}

impl Writer {
    /// Writes the hint for a stale plan.
    pub(super) fn remake(&mut self, text: &str) {
        self.remake = self.string(text);
    }

    /// The module of common thunks, by its hash and the types of its functions.
    pub(super) fn common_thunks(&mut self, hash: ContentHash, thunks: &ThunkModule) {
        let mut out = hash.0.to_vec();
        number(&mut out, thunks.functions.len() as u32);
        for function in &thunks.functions {
            self.maybe_signature(&mut out, Some(&function.signature));
        }
        self.common_thunks = out;
    }

    /// A file, the module that is loaded for it, and the description of that module.
    pub(super) fn module(&mut self, hash: ContentHash, code: ContentHash, info: &ModuleInfo) {
        let mut out = hash.0.to_vec();
        out.push((code != hash).into());
        if code != hash {
            out.extend(code.0);
        }
        region(&mut out, info.memory);
        region(&mut out, info.table);
        for list in [&info.needed, &info.runtime_path] {
            number(&mut out, list.len() as u32);
            for text in list {
                self.text(&mut out, text);
            }
        }
        out.push(info.starts.into());
        number(&mut out, info.imports.len() as u32);
        for import in &info.imports {
            self.import(&mut out, import);
        }
        let exports: Vec<&Export> = info.exports.iter().collect();
        number(&mut out, exports.len() as u32);
        for export in &exports {
            self.export(&mut out, export);
        }
        // So that a reader can search names at once.
        let places = places(&exports);
        number(&mut out, places.len() as u32);
        for at in places {
            number(&mut out, at);
        }
        self.functions(&mut out, info);
        number(&mut out, info.stamps.len() as u32);
        for (name, value) in &info.stamps {
            self.text(&mut out, name);
            number(&mut out, *value);
        }
        number(&mut out, info.data.start);
        number(&mut out, info.data.end);
        number(&mut out, info.substitutes.stubs.len() as u32);
        for (name, stub) in &info.substitutes.stubs {
            self.text(&mut out, name);
            number(&mut out, stub.0);
        }
        number(&mut out, info.substitutes.copies.len() as u32);
        for copied in &info.substitutes.copies {
            self.text(&mut out, &copied.name);
            number(&mut out, copied.size);
            number(&mut out, copied.address);
        }
        self.modules.push(out);
    }

    /// Types and slots of functions. Numbers that grow are written as differences.
    fn functions(&mut self, out: &mut Vec<u8>, info: &ModuleInfo) {
        number(out, info.imported_functions);
        number(out, info.types.len() as u32);
        for ty in &info.types {
            self.maybe_signature(out, ty.as_ref());
        }
        number(out, info.functions.len() as u32);
        for ty in &info.functions {
            number(out, *ty);
        }
        number(out, info.slots.len() as u32);
        let mut last = 0;
        for (function, slot) in &info.slots {
            number(out, function.0.wrapping_sub(last));
            last = function.0;
            number(out, *slot);
        }
    }

    fn import(&mut self, out: &mut Vec<u8>, import: &Import) {
        self.text(out, &import.module);
        self.text(out, &import.name);
        out.push(import.is_function.into());
        match &import.kind {
            ImportKind::Memory => out.push(0),
            ImportKind::Table => out.push(1),
            ImportKind::StackPointer => out.push(2),
            ImportKind::MemoryBase => out.push(3),
            ImportKind::TableBase => out.push(4),
            ImportKind::Function { signature, weak } => {
                out.push(5 + u8::from(*weak));
                self.maybe_signature(out, signature.as_ref());
            }
            ImportKind::Tag { signature } => {
                out.push(7);
                self.maybe_signature(out, signature.as_ref());
            }
            ImportKind::DataAddress { weak } => out.push(8 + u8::from(*weak)),
            ImportKind::FunctionAddress { weak } => out.push(10 + u8::from(*weak)),
            ImportKind::Global => out.push(12),
            ImportKind::Host => out.push(13),
        }
    }

    fn export(&mut self, out: &mut Vec<u8>, export: &Export) {
        self.text(out, &export.name);
        match &export.kind {
            ExportKind::Function(function) => {
                out.push(0);
                number(out, function.0);
            }
            ExportKind::Data(datum) => {
                let base = match datum.base {
                    DataBase::Absolute => 0,
                    DataBase::Memory => 1,
                    DataBase::ThreadLocal => 2,
                };
                out.push(1 + base + if datum.offset.is_some() { 3 } else { 0 });
                if let Some(offset) = datum.offset {
                    number(out, offset);
                }
            }
            ExportKind::Global => out.push(7),
            ExportKind::Tag(signature) => {
                out.push(8);
                self.maybe_signature(out, signature.as_ref());
            }
            ExportKind::ImportedTag => out.push(9),
            ExportKind::Memory => out.push(10),
            ExportKind::Table => out.push(11),
        }
    }

    /// Writes the load group of `path`.
    pub(super) fn group(&mut self, path: &str, group: &PlannedGroup) {
        let mut out = Vec::new();
        number(&mut out, group.members.len() as u32);
        for member in &group.members {
            self.text(&mut out, &member.path);
            number(&mut out, member.module);
            number(&mut out, member.needs.len() as u32);
            for need in &member.needs {
                number(&mut out, *need);
            }
            let bindings = self.bindings(&member.bindings);
            number(&mut out, bindings);
        }
        self.roots.push((path.into(), self.groups.len() as u32));
        self.groups.push(out);
    }

    /// The number of a list of bindings: a library has one for itself, and mostly the same in the groups of others.
    fn bindings(&mut self, list: &[Binding<SetExport>]) -> u32 {
        let mut out = Vec::new();
        number(&mut out, list.len() as u32);
        for bound in list {
            let (kind, definition) = match *bound {
                Binding::Memory => (0, None),
                Binding::Table => (1, None),
                Binding::StackPointer => (2, None),
                Binding::MemoryBase => (3, None),
                Binding::TableBase => (4, None),
                Binding::Function(Some(definition)) => (5, Some(definition)),
                Binding::Function(None) => (6, None),
                Binding::DataAddress(definition) => (7, Some(definition)),
                Binding::FunctionAddress(definition) => (8, Some(definition)),
                Binding::NullAddress => (9, None),
                Binding::Tag(definition) => (10, Some(definition)),
                Binding::ProcessTag => (11, None),
                Binding::MainGlobal(export) => (12, Some((0, export))),
                Binding::Host => (13, None),
            };
            out.push(kind);
            if let Some((module, export)) = definition {
                number(&mut out, module);
                number(&mut out, export.0);
            }
        }
        if let Some(known) = self.by_bindings.get(&out) {
            return *known;
        }
        let at = self.bindings.len() as u32;
        self.by_bindings.insert(out.clone(), at);
        self.bindings.push(out);
        at
    }

    pub(super) fn finish(mut self) -> Vec<u8> {
        self.roots.sort();
        let roots: Vec<(u32, u32)> = core::mem::take(&mut self.roots)
            .iter()
            .map(|(path, group)| (self.string(path), *group))
            .collect();
        let mut out = MAGIC.to_vec();
        number(&mut out, FORMAT);
        number(&mut out, self.strings.len() as u32);
        for text in &self.strings {
            number(&mut out, text.len() as u32);
            out.extend(text.as_bytes());
        }
        number(&mut out, self.signatures.len() as u32);
        for signature in &self.signatures {
            for list in [&signature.params, &signature.results] {
                number(&mut out, list.len() as u32);
                out.extend(list.iter().map(|ty| ty.to_byte()));
            }
        }
        number(&mut out, self.remake);
        number(&mut out, self.common_thunks.len() as u32);
        out.extend(&self.common_thunks);
        for parts in [&self.modules, &self.groups, &self.bindings] {
            number(&mut out, parts.len() as u32);
            for part in parts {
                number(&mut out, part.len() as u32);
                out.extend(part);
            }
        }
        number(&mut out, roots.len() as u32);
        for (path, group) in &roots {
            number(&mut out, *path);
            number(&mut out, *group);
        }
        out
    }

    fn text(&mut self, out: &mut Vec<u8>, text: &str) {
        let at = self.string(text);
        number(out, at);
    }

    fn string(&mut self, text: &str) -> u32 {
        if let Some(at) = self.by_text.get(text) {
            return *at;
        }
        let at = self.strings.len() as u32;
        let text: Arc<str> = text.into();
        self.strings.push(Arc::clone(&text));
        self.by_text.insert(text, at);
        at
    }

    /// 0 for one that is not known, else its number and one.
    fn maybe_signature(&mut self, out: &mut Vec<u8>, signature: Option<&Arc<Signature>>) {
        let at = signature.map_or(0, |signature| {
            if let Some(at) = self.by_type.get(signature) {
                return *at + 1;
            }
            let at = self.signatures.len() as u32;
            self.signatures.push(Arc::clone(signature));
            self.by_type.insert(Arc::clone(signature), at);
            at + 1
        });
        number(out, at);
    }
}

fn region(out: &mut Vec<u8>, region: Region) {
    number(out, region.size);
    number(out, region.align.get().trailing_zeros());
}

fn number(out: &mut Vec<u8>, value: u32) {
    leb128::write(out, value as usize);
}
