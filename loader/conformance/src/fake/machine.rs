//! The state of an engine, without code.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;

use pymode_dylink::{
    ContentHash, DataBase, ExportKind, FunctionId, ModuleInfo, Mutability, Signature,
};

/// Memory, table, globals and instances.
#[derive(Debug)]
pub(super) struct Machine {
    pub(super) allocations: BTreeMap<u32, u32>,
    pub(super) heap_end: u32,
    pub(super) table: Vec<Option<Content>>,
    pub(super) globals: Vec<(Mutability, u32)>,
    pub(super) tags: usize,
    pub(super) instances: Vec<FakeInstance>,
    pub(super) stack_pointer: usize,
}

/// The content of a table slot.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Content {
    /// The instance that defines the function.
    pub instance: usize,
    /// Which of its functions.
    pub function: FunctionId,
}

/// A side module that was read.
#[derive(Debug, Clone)]
pub struct Source {
    pub(super) path: Arc<str>,
    pub(super) info: Arc<ModuleInfo>,
    pub(super) hash: ContentHash,
}

/// Something that can be imported.
#[derive(Debug, Clone)]
pub enum FakeExtern {
    /// Main's memory.
    Memory,
    /// Main's table.
    Table,
    /// A global, by number.
    Global(usize),
    /// A tag, by number.
    Tag(usize),
    /// A function.
    Function {
        /// Module that defines it; `None` is the host.
        content: Option<Content>,
        /// The module it is an export of, and the export's name.
        name: Arc<str>,
        /// Its type, if it is known.
        signature: Option<Arc<Signature>>,
    },
}

#[derive(Debug)]
pub(super) struct FakeInstance {
    pub(super) exports: HashMap<Box<str>, FakeExtern>,
}

impl Machine {
    pub(super) fn new(main: &ModuleInfo) -> Self {
        let mut machine = Self {
            allocations: BTreeMap::new(),
            heap_end: 1 << 16,
            table: vec![None; 16],
            globals: vec![(Mutability::Var, 1 << 16)],
            tags: 0,
            instances: Vec::new(),
            stack_pointer: 0,
        };
        let id = machine.add_instance(main, "main", 0, 0, &[]);
        debug_assert_eq!(id, 0, "main is the first instance");
        machine
    }

    /// `imports` are the functions that the module imports, in order.
    pub(super) fn add_instance(
        &mut self,
        info: &ModuleInfo,
        label: &str,
        memory_base: u32,
        table_base: u32,
        imports: &[FakeExtern],
    ) -> usize {
        let id = self.instances.len();
        let mut exports = HashMap::new();
        for export in info.exports.iter() {
            let value = match &export.kind {
                ExportKind::Function(function) => match imports.get(function.0 as usize) {
                    Some(passed_on) => passed_on.clone(),
                    None => {
                        let content = Content {
                            instance: id,
                            function: *function,
                        };
                        if let Some(slot) = info.slot(*function) {
                            let slot = (table_base + slot) as usize;
                            if slot >= self.table.len() {
                                self.table.resize(slot + 1, None);
                            }
                            self.table[slot] = Some(content.clone());
                        }
                        FakeExtern::Function {
                            content: Some(content),
                            name: format!("{label}!{}", export.name).into(),
                            signature: info.signature(*function).cloned(),
                        }
                    }
                },
                ExportKind::Data(datum) => {
                    debug_assert!(matches!(
                        datum.base,
                        DataBase::Absolute | DataBase::Memory | DataBase::ThreadLocal
                    ));
                    // The exported global holds the offset; adding the base is the linker's work.
                    let _ = memory_base;
                    self.global(Mutability::Const, datum.offset.unwrap_or(0x40))
                }
                ExportKind::Global if &*export.name == "__stack_pointer" => {
                    FakeExtern::Global(self.stack_pointer)
                }
                ExportKind::Global => self.global(Mutability::Var, 0),
                ExportKind::Tag(_) | ExportKind::ImportedTag => self.tag(),
                ExportKind::Memory => FakeExtern::Memory,
                ExportKind::Table => FakeExtern::Table,
            };
            exports.insert(export.name.clone(), value);
        }
        self.instances.push(FakeInstance { exports });
        id
    }

    pub(super) fn global(&mut self, mutability: Mutability, value: u32) -> FakeExtern {
        self.globals.push((mutability, value));
        FakeExtern::Global(self.globals.len() - 1)
    }

    pub(super) fn tag(&mut self) -> FakeExtern {
        self.tags += 1;
        FakeExtern::Tag(self.tags)
    }

    /// An allocation whose memory is dirty, as a real one is.
    pub(super) fn allocate(&mut self, size: u32, align: u32) -> u32 {
        let start = self.heap_end.next_multiple_of(align.max(16));
        self.heap_end = start + size;
        self.allocations.insert(start, size);
        start
    }
}

impl fmt::Display for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "function {} of instance {}",
            self.function.0, self.instance
        )
    }
}
