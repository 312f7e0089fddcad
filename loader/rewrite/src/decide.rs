//! Decides the rewrites of each module.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use pymode_dylink::{DataBase, Datum, ExportKind, FunctionId, Import, ImportKind, ModuleInfo};

/// A main module and all side modules that it may ever load. One that is not among them must not be loaded later.
#[expect(missing_debug_implementations, reason = "it holds a function")]
pub struct ClosedSet<'a> {
    /// The main module, not position independent.
    pub main: &'a ModuleInfo,
    /// The side modules, one for each file: two files with the same content are two libraries.
    pub sides: &'a [&'a ModuleInfo],
    /// `true` for a symbol that the program may look up by name (`dlsym`), or whose name it may look up (`dladdr`).
    pub asks: &'a dyn Fn(&str) -> bool,
    /// Kinds of rewrites.
    pub kinds: Kinds,
}

/// Kinds of rewriting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kinds {
    /// Globals with addresses that are known.
    pub addresses: bool,
    /// A module's own weak functions.
    pub functions: bool,
    /// Exports that nothing can look up.
    pub exports: bool,
}

impl Kinds {
    /// Everything.
    pub const ALL: Self = Self {
        addresses: true,
        functions: true,
        exports: true,
    };
}

/// The rewrites of one module. Equal values do the same to the same module.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rewrite {
    /// Imports that go, by their places, and what takes their place.
    pub imports: BTreeMap<u32, Replacement>,
    /// Exports that go.
    pub exports: BTreeSet<Box<str>>,
}

/// The replacement of an import.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replacement {
    /// A global with this number.
    Number(u32),
    /// A global with so much more than `__memory_base`.
    Memory(u32),
    /// A global with so much more than `__table_base`.
    Table(u32),
    /// A function of the module.
    Own(FunctionId),
}

/// Exports that the linker itself looks for, by their beginnings: `__wasm_call_ctors`, `__tls_base`, ….
const LINKERS: [&str; 3] = ["__wasm_", "__tls_", "_initialize"];

/// The definition of a name.
#[derive(Clone, Copy)]
enum Defined {
    /// Main: it comes first in every scope, so no other definition is used.
    Main,
    /// One side module, by its place.
    Once(usize),
    /// Several: which one it is may depend on what is loaded.
    Often,
}

impl ClosedSet<'_> {
    /// Returns the rewrites of each side module, in order.
    #[must_use]
    pub fn rewrites(&self) -> Vec<Rewrite> {
        let defined = self.definitions();
        let mut all: Vec<Rewrite> = (0..self.sides.len())
            .map(|at| self.imports(at, &defined))
            .collect();
        if self.kinds.exports {
            let wanted = self.wanted(&all);
            for (rewrite, side) in all.iter_mut().zip(self.sides) {
                let names = side.exports.iter().map(|export| &export.name);
                let surplus = names.filter(|name| {
                    !wanted.contains(&***name)
                        && !LINKERS.iter().any(|start| name.starts_with(start))
                        && !(self.asks)(name)
                });
                rewrite.exports = surplus.cloned().collect();
            }
        }
        all
    }

    fn definitions(&self) -> HashMap<&str, Defined> {
        let mut defined = HashMap::new();
        for export in self.main.definitions() {
            defined.insert(&*export.name, Defined::Main);
        }
        for (at, side) in self.sides.iter().enumerate() {
            for export in side.definitions() {
                defined
                    .entry(&*export.name)
                    .and_modify(|known| {
                        if let Defined::Once(_) = known {
                            *known = Defined::Often;
                        }
                    })
                    .or_insert(Defined::Once(at));
            }
        }
        defined
    }

    fn imports(&self, at: usize, defined: &HashMap<&str, Defined>) -> Rewrite {
        let info = self.sides[at];
        let has = |wanted: &ImportKind| info.imports.iter().any(|import| import.kind == *wanted);
        let importer = Importer {
            info,
            main: self.main,
            at,
            defined,
            has_memory_base: has(&ImportKind::MemoryBase),
            has_table_base: has(&ImportKind::TableBase),
        };
        let imports = (0..).zip(&info.imports).filter_map(|(at, import)| {
            let instead = match import.kind {
                ImportKind::DataAddress { weak } if self.kinds.addresses => {
                    importer.data(import, weak)
                }
                ImportKind::FunctionAddress { weak } if self.kinds.addresses => {
                    importer.slot(import, weak)
                }
                ImportKind::Function { .. } if self.kinds.functions => importer.function(import),
                _ => None,
            };
            Some((at, instead?))
        });
        Rewrite {
            imports: imports.collect(),
            exports: BTreeSet::new(),
        }
    }

    /// Names that are still imported from other modules.
    fn wanted(&self, rewrites: &[Rewrite]) -> BTreeSet<&str> {
        // Main looks for what it has a substitute for.
        let substitutes = &self.main.substitutes;
        let stubs = substitutes.stubs.iter().map(|(name, _)| &**name);
        let copies = substitutes.copies.iter().map(|copied| &*copied.name);
        let mut wanted: BTreeSet<&str> = stubs.chain(copies).collect();
        for (side, rewrite) in self.sides.iter().zip(rewrites) {
            let left = (0..).zip(&side.imports);
            let left = left.filter(|(at, import)| {
                import.kind != ImportKind::Host && !rewrite.imports.contains_key(at)
            });
            wanted.extend(left.map(|(_, import)| &*import.name));
        }
        wanted
    }
}

/// One side module, and what is known of the names that it imports.
struct Importer<'a> {
    info: &'a ModuleInfo,
    main: &'a ModuleInfo,
    at: usize,
    defined: &'a HashMap<&'a str, Defined>,
    has_memory_base: bool,
    has_table_base: bool,
}

impl Importer<'_> {
    fn data(&self, import: &Import, weak: bool) -> Option<Replacement> {
        match self.defined.get(&*import.name) {
            None => weak.then_some(Replacement::Number(0)),
            Some(Defined::Main) => match datum(self.main, &import.name)? {
                // Of a main module that is not position independent: an address.
                (DataBase::Absolute, address) => Some(Replacement::Number(address)),
                _ => None,
            },
            Some(Defined::Once(at)) if *at == self.at => match datum(self.info, &import.name)? {
                (DataBase::Absolute, address) => Some(Replacement::Number(address)),
                (DataBase::Memory, offset) if self.has_memory_base => {
                    Some(Replacement::Memory(offset))
                }
                _ => None,
            },
            Some(_) => None,
        }
    }

    fn slot(&self, import: &Import, weak: bool) -> Option<Replacement> {
        match self.defined.get(&*import.name) {
            None => weak.then_some(Replacement::Number(0)),
            Some(Defined::Main) => {
                let slot = self.main.slot(function(self.main, &import.name)?)?;
                Some(Replacement::Number(slot))
            }
            // A slot that main has for it comes first.
            Some(Defined::Once(at)) if *at == self.at && !self.main_has_slot(&import.name) => {
                let slot = self.info.slot(function(self.info, &import.name)?)?;
                self.has_table_base.then_some(Replacement::Table(slot))
            }
            Some(_) => None,
        }
    }

    fn main_has_slot(&self, name: &str) -> bool {
        let mut stubs = self.main.substitutes.stubs.iter();
        stubs.any(|(stub, _)| **stub == *name)
    }

    /// A weak function of its own that it imports, so that another module's may stand before it. None does.
    fn function(&self, import: &Import) -> Option<Replacement> {
        let Some(Defined::Once(at)) = self.defined.get(&*import.name) else {
            return None;
        };
        let own = function(self.info, &import.name).filter(|_| *at == self.at)?;
        let ImportKind::Function { signature, .. } = &import.kind else {
            return None;
        };
        let same = signature.as_ref().is_some() && signature.as_ref() == self.info.signature(own);
        same.then_some(Replacement::Own(own))
    }
}

/// A function that a module defines.
fn function(info: &ModuleInfo, name: &str) -> Option<FunctionId> {
    match info.exports.find(name)?.1.kind {
        ExportKind::Function(function) if info.imported(function).is_none() => Some(function),
        _ => None,
    }
}

/// Returns the location of an exported datum, if the module's bytes have it.
fn datum(info: &ModuleInfo, name: &str) -> Option<(DataBase, u32)> {
    match info.exports.find(name)?.1.kind {
        ExportKind::Data(Datum { base, offset }) => Some((base, offset?)),
        _ => None,
    }
}
