//! Reads definitions and references of objects and archives.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use wasmparser::{KnownCustom, Linking, Parser, Payload, SymbolFlags, SymbolInfo, TypeRef};

use super::symbols::members;

/// The symbols of some objects, by their names.
#[derive(Debug, Default)]
pub(super) struct References {
    /// Symbols that an object defines for others.
    pub(super) defined: BTreeMap<String, Defined>,
    /// Symbols that an object needs, defined by another of them or not.
    pub(super) needed: BTreeSet<String>,
}

/// The definition of a symbol in an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Defined {
    /// The size of a datum.
    pub(super) size: Option<u32>,
    /// Other modules may see it, not only the objects that it is linked with.
    pub(super) is_visible: bool,
}

impl References {
    /// Adds the symbols of an object, or of each object in an archive. What is neither, or is damaged, is left out: the
    /// linker has the better words for it.
    pub(super) fn add(&mut self, file: &[u8]) {
        for Range { start, end } in members(file) {
            let _ = self.add_object(&file[start..end]);
        }
    }

    fn add_object(&mut self, object: &[u8]) -> wasmparser::Result<()> {
        // A function that is needed has the name of its import unless the symbol has one of its own.
        let mut imports = Vec::new();
        for payload in Parser::new(0).parse_all(object) {
            match payload? {
                Payload::ImportSection(section) => {
                    for import in section.into_imports() {
                        let import = import?;
                        if let TypeRef::Func(_) = import.ty {
                            imports.push(import.name);
                        }
                    }
                }
                Payload::CustomSection(section) => {
                    let KnownCustom::Linking(reader) = section.as_known() else {
                        continue;
                    };
                    for subsection in reader.subsections() {
                        let Linking::SymbolTable(symbols) = subsection? else {
                            continue;
                        };
                        for symbol in symbols {
                            self.add_symbol(&symbol?, &imports);
                        }
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn add_symbol(&mut self, symbol: &SymbolInfo<'_>, imports: &[&str]) {
        let (flags, name, size) = match symbol {
            SymbolInfo::Func { flags, index, name } => {
                let import = || imports.get(*index as usize).copied();
                (*flags, name.or_else(import), None)
            }
            SymbolInfo::Data {
                flags,
                name,
                symbol,
            } => (*flags, Some(*name), symbol.map(|datum| datum.size)),
            SymbolInfo::Event { flags, name, .. } => (*flags, *name, None),
            _ => return,
        };
        let Some(name) = name else { return };
        if flags.contains(SymbolFlags::UNDEFINED) {
            self.needed.insert(name.to_owned());
        } else if !flags.contains(SymbolFlags::BINDING_LOCAL) {
            let is_visible = !flags.contains(SymbolFlags::VISIBILITY_HIDDEN);
            let defined = Defined { size, is_visible };
            self.defined.entry(name.to_owned()).or_insert(defined);
        }
    }
}
