//! The uses of functions and data in a module's code.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;

use hashbrown::{HashMap, HashSet};
use wasmparser::{
    BinaryReaderError, ElementItems, ExternalKind, KnownCustom, Name, Operator, Parser, Payload,
    TypeRef,
};

use super::{Inspection, Reach};

impl Inspection {
    /// Looks at a module; `None` if it is damaged.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut graph = Graph::default();
        graph.read(bytes).ok()?;
        Some(graph.finish())
    }
}

/// Applies relocations: what it reads gets into data, which something points to.
const RELOCATES: &str = "__wasm_apply_data_relocs";

/// Uses by index.
#[derive(Default)]
struct Graph {
    imports: Vec<Import>,
    functions: u32,
    imported_functions: u32,
    globals: u32,
    exports: Vec<(Box<str>, u32)>,
    pointed: Vec<u32>,
    /// Functions, and imported globals, that each defined function names.
    uses: Vec<(Vec<u32>, Vec<u32>)>,
    names: HashMap<u32, Box<str>>,
}

struct Import {
    module: Box<str>,
    name: Box<str>,
    what: Item,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Item {
    Function(u32),
    Global(u32),
    Other,
}

impl Graph {
    fn read(&mut self, bytes: &[u8]) -> Result<(), BinaryReaderError> {
        for payload in Parser::new(0).parse_all(bytes) {
            match payload? {
                Payload::ImportSection(section) => {
                    for import in section.into_imports() {
                        self.import(&import?);
                    }
                }
                Payload::ExportSection(section) => {
                    for export in section {
                        let export = export?;
                        if matches!(export.kind, ExternalKind::Func | ExternalKind::FuncExact) {
                            self.exports.push((export.name.into(), export.index));
                        }
                    }
                }
                Payload::StartSection { func, .. } => {
                    self.exports.push(("its start function".into(), func));
                }
                Payload::ElementSection(section) => {
                    for element in section {
                        match element?.items {
                            ElementItems::Functions(functions) => {
                                for function in functions {
                                    self.pointed.push(function?);
                                }
                            }
                            ElementItems::Expressions(_, expressions) => {
                                for expression in expressions {
                                    for operator in expression?.get_operators_reader() {
                                        if let Operator::RefFunc { function_index } = operator? {
                                            self.pointed.push(function_index);
                                        }
                                    }
                                }
                            }
                        }
                    }
                }
                Payload::CodeSectionEntry(body) => {
                    let (mut functions, mut globals) = (Vec::new(), Vec::new());
                    for operator in body.get_operators_reader()? {
                        match operator? {
                            Operator::Call { function_index }
                            | Operator::ReturnCall { function_index }
                            | Operator::RefFunc { function_index } => {
                                functions.push(function_index);
                            }
                            Operator::GlobalGet { global_index } if global_index < self.globals => {
                                globals.push(global_index);
                            }
                            _ => {}
                        }
                    }
                    self.uses.push((functions, globals));
                }
                Payload::CustomSection(section) => {
                    if let KnownCustom::Name(names) = section.as_known() {
                        for part in names.into_iter().map_while(Result::ok) {
                            let Name::Function(map) = part else { continue };
                            let named = map.into_iter().map_while(Result::ok);
                            self.names
                                .extend(named.map(|naming| (naming.index, naming.name.into())));
                        }
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn import(&mut self, import: &wasmparser::Import<'_>) {
        let what = match import.ty {
            TypeRef::Func(_) | TypeRef::FuncExact(_) => {
                self.imported_functions += 1;
                Item::Function(self.imported_functions - 1)
            }
            TypeRef::Global(_) => {
                self.globals += 1;
                Item::Global(self.globals - 1)
            }
            _ => Item::Other,
        };
        self.imports.push(Import {
            module: import.module.into(),
            name: import.name.into(),
            what,
        });
    }

    fn finish(mut self) -> Inspection {
        self.functions = self.imported_functions + self.uses.len() as u32;
        let mut found: HashMap<ItemKey, Reach> = HashMap::new();
        let mut seen = HashSet::new();
        let exports = core::mem::take(&mut self.exports);
        let (relocating, calling): (Vec<_>, Vec<_>) = exports
            .into_iter()
            .partition(|(name, _)| &**name == RELOCATES);
        for (name, function) in calling {
            self.walk(function, &Reach::Export(name), &mut seen, &mut found);
        }
        let relocating = relocating.into_iter().map(|(_, function)| function);
        for function in core::mem::take(&mut self.pointed)
            .into_iter()
            .chain(relocating)
        {
            self.walk(function, &Reach::Pointer, &mut seen, &mut found);
        }
        let mut reach = HashMap::new();
        for import in self.imports {
            let key = match import.what {
                Item::Function(at) => ItemKey::Function(at),
                Item::Global(at) => ItemKey::Global(at),
                Item::Other => continue,
            };
            let how = found.get(&key).cloned().unwrap_or(Reach::Nowhere);
            reach.insert((import.module, import.name), how);
        }
        let defined = self.imported_functions..self.functions;
        let functions = self.names.into_iter();
        Inspection {
            functions: functions
                .filter_map(|(at, name)| defined.contains(&at).then_some(name))
                .collect(),
            reach,
        }
    }

    /// Everything that is reached from a function by calls, and was not before.
    fn walk(
        &self,
        from: u32,
        how: &Reach,
        seen: &mut HashSet<u32>,
        found: &mut HashMap<ItemKey, Reach>,
    ) {
        let mut queue = VecDeque::from([from]);
        while let Some(function) = queue.pop_front() {
            if !seen.insert(function) {
                continue;
            }
            let Some(defined) = function.checked_sub(self.imported_functions) else {
                found
                    .entry(ItemKey::Function(function))
                    .or_insert_with(|| how.clone());
                continue;
            };
            let Some((functions, globals)) = self.uses.get(defined as usize) else {
                continue;
            };
            queue.extend(functions);
            for global in globals {
                found
                    .entry(ItemKey::Global(*global))
                    .or_insert_with(|| how.clone());
            }
        }
    }
}

#[derive(PartialEq, Eq, Hash)]
enum ItemKey {
    Function(u32),
    Global(u32),
}
