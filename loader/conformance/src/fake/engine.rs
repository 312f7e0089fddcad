//! The engine's calls.

use std::sync::Arc;

use pymode_dylink::{
    self as dylink, Address, ContentHash, Diagnostics, Engine, Event, FetchError, FileId,
    ImportKind, Inspection, Main, ModuleError, ModuleInfo, Mutability, Objects, Plan, Process,
    Program, Slot, State, ThunkAction, ThunkModule, ValType,
};

use super::machine::FakeExtern;
use super::{Fake, FakeError, Source};
use crate::files::{MAIN, hash};

/// Returns `true` if the host offers a function.
pub(super) fn has_host(module: &str, name: &str) -> bool {
    module == "test" && !name.starts_with("no_")
}

impl Objects for Fake {
    type Instance = usize;
    type Extern = FakeExtern;
}

impl Engine for Fake {
    type Source = Source;
    type Code = Source;
    type Error = FakeError;

    fn main(&mut self) -> Result<Main<usize>, FakeError> {
        let hash = match self.plan {
            Some(_) => self.files.read(MAIN).ok().map(|bytes| hash(&bytes)),
            None => None,
        };
        Ok(Main {
            name: MAIN.into(),
            info: Arc::clone(&self.main),
            instance: 0,
            hash,
        })
    }

    fn compile(&mut self, source: &Source) -> Result<Source, FakeError> {
        self.tick()?;
        Ok(source.clone())
    }

    async fn thunks(&mut self, thunks: &ThunkModule) -> Result<Source, FakeError> {
        self.tick()?;
        let wasm = thunks.to_wasm();
        wasmparser::validate(&wasm).map_err(|error| FakeError::Refused(error.to_string()))?;
        let imports = 1 + thunks.forwards().count();
        debug_assert!(
            thunks
                .functions
                .iter()
                .all(|function| function.action == ThunkAction::Absent || imports > 1)
        );
        // Not a side module, but otherwise like any other.
        let info = ModuleInfo::main_from_bytes(&wasm)
            .map_err(|error| FakeError::Refused(error.to_string()))?;
        Ok(Source {
            path: "thunks".into(),
            info: Arc::new(info),
            hash: hash(&wasm),
        })
    }

    async fn instantiate(
        &mut self,
        code: &Source,
        imports: &[FakeExtern],
    ) -> Result<usize, FakeError> {
        // A start function may have run in part before the fault.
        self.guest_ran |= code.info.starts;
        self.tick()?;
        let info = &code.info;
        if imports.len() != info.imports.len() {
            return Err(FakeError::refused("wrong number of imports"));
        }
        let (mut memory_base, mut table_base) = (0, 0);
        let mut functions = Vec::new();
        for (import, bound) in info.imports.iter().zip(imports) {
            let wrong = || {
                FakeError::Refused(format!(
                    "`{}.{}` is bound to {bound:?}",
                    import.module, import.name
                ))
            };
            let global = |mutability| match bound {
                FakeExtern::Global(at) if self.machine.globals[*at].0 == mutability => {
                    Ok(self.machine.globals[*at].1)
                }
                _ => Err(wrong()),
            };
            match &import.kind {
                ImportKind::Memory if matches!(bound, FakeExtern::Memory) => {}
                ImportKind::Table if matches!(bound, FakeExtern::Table) => {}
                ImportKind::Tag { .. } if matches!(bound, FakeExtern::Tag(_)) => {}
                ImportKind::Global if matches!(bound, FakeExtern::Global(_)) => {}
                ImportKind::MemoryBase => memory_base = global(Mutability::Const)?,
                ImportKind::TableBase => table_base = global(Mutability::Const)?,
                ImportKind::StackPointer
                | ImportKind::DataAddress { .. }
                | ImportKind::FunctionAddress { .. } => {
                    global(Mutability::Var)?;
                }
                ImportKind::Function { signature, .. } => match bound {
                    FakeExtern::Function {
                        signature: there, ..
                    } if signature.is_none() || there.is_none() || signature == there => {
                        functions.push(bound.clone());
                    }
                    _ => return Err(wrong()),
                },
                ImportKind::Host if matches!(bound, FakeExtern::Function { .. }) => {
                    functions.push(bound.clone());
                }
                _ => return Err(wrong()),
            }
        }
        let instance =
            self.machine
                .add_instance(info, &code.path, memory_base, table_base, &functions);
        if info.starts {
            self.run(&format!("{}!(start)", code.path))?;
        }
        Ok(instance)
    }

    fn export(&mut self, instance: &usize, name: &str) -> Option<FakeExtern> {
        self.tick().ok()?;
        self.instance(*instance).exports.get(name).cloned()
    }

    fn host(&mut self, module: &str, name: &str) -> Option<FakeExtern> {
        self.tick().ok()?;
        has_host(module, name).then(|| FakeExtern::Function {
            content: None,
            name: format!("{module}.{name}").into(),
            signature: None,
        })
    }

    fn zero(&mut self, _memory: &FakeExtern, at: Address, len: u32) -> Result<(), FakeError> {
        self.tick()?;
        let inside = self
            .machine
            .allocations
            .range(..=at.0)
            .next_back()
            .is_some_and(|(start, size)| at.0 + len <= start + size);
        if inside {
            Ok(())
        } else {
            Err(FakeError::refused("zeroes what was not allocated"))
        }
    }

    fn grow(&mut self, _table: &FakeExtern, slots: u32) -> Result<Slot, FakeError> {
        self.tick()?;
        let table = &mut self.machine.table;
        let first = table.len();
        table.resize(first + slots as usize, None);
        Ok(Slot(first as u32))
    }

    fn set(
        &mut self,
        _table: &FakeExtern,
        slot: Slot,
        function: Option<&FakeExtern>,
    ) -> Result<(), FakeError> {
        self.tick()?;
        let content = match function {
            Some(FakeExtern::Function { content, .. }) => content.clone(),
            Some(_) => return Err(FakeError::refused("only functions have slots")),
            None => None,
        };
        let table = &mut self.machine.table;
        // The slot of a stub of main is the address of the library's function, whatever slot its own segment gives it.
        let mut stubs = self.main.substitutes.stubs.iter();
        let is_stubs = stubs.any(|(_, stub)| self.main.slot(*stub) == Some(slot.0));
        if let Some(content) = &content
            && !is_stubs
            && let Some(other) = table
                .iter()
                .position(|other| other.as_ref() == Some(content))
            && other != slot.0 as usize
        {
            return Err(FakeError::Refused(format!(
                "{content} has a second address"
            )));
        }
        let place = table.get_mut(slot.0 as usize);
        *place.ok_or_else(|| FakeError::refused("no such slot"))? = content;
        Ok(())
    }

    fn global(&mut self, mutability: Mutability, value: u32) -> Result<FakeExtern, FakeError> {
        self.tick()?;
        Ok(self.machine.global(mutability, value))
    }

    fn read(&mut self, global: &FakeExtern) -> Result<u32, FakeError> {
        self.tick()?;
        match global {
            FakeExtern::Global(at) => Ok(self.machine.globals[*at].1),
            _ => Err(FakeError::refused("not a global")),
        }
    }

    fn write(&mut self, global: &FakeExtern, value: u32) -> Result<(), FakeError> {
        self.tick()?;
        match global {
            FakeExtern::Global(at) if self.machine.globals[*at].0 == Mutability::Var => {
                self.machine.globals[*at].1 = value;
                Ok(())
            }
            _ => Err(FakeError::refused("not a mutable global")),
        }
    }

    fn tag(&mut self, _params: &[ValType]) -> Result<FakeExtern, FakeError> {
        self.tick()?;
        Ok(self.machine.tag())
    }

    async fn call(
        &mut self,
        function: &FakeExtern,
        args: &[u32],
    ) -> Result<Option<u32>, FakeError> {
        let allocator = ["main!malloc", "main!aligned_alloc", "main!free"];
        if let FakeExtern::Function { name, .. } = function
            && !allocator.contains(&&**name)
        {
            self.guest_ran = true;
        }
        self.tick()?;
        let FakeExtern::Function { name, .. } = function else {
            return Err(FakeError::refused("not a function"));
        };
        match (&**name, args) {
            ("main!malloc", [size]) => Ok(Some(self.machine.allocate(*size, 16))),
            ("main!aligned_alloc", [align, size]) => Ok(Some(self.machine.allocate(*size, *align))),
            ("main!free", [address]) => match self.machine.allocations.remove(address) {
                Some(_) => Ok(None),
                None => Err(FakeError::refused("frees what was not allocated")),
            },
            _ => {
                self.run(name)?;
                Ok(None)
            }
        }
    }
}

impl Fake {
    /// Runs what the test wants a guest function to do. As a function does, it leaves the stack as it was when it returns,
    /// and only then.
    fn run(&mut self, name: &str) -> Result<(), FakeError> {
        let Some(script) = self.scripts.get(name).cloned() else {
            return Ok(());
        };
        let stack = self.machine.stack_pointer;
        self.machine.globals[stack].1 -= 32;
        script(self)?;
        self.machine.globals[stack].1 += 32;
        Ok(())
    }
}

impl State for Fake {
    fn program<R>(&mut self, visit: impl FnOnce(&mut Program<usize, FakeExtern>) -> R) -> R {
        visit(&mut self.program)
    }
}

impl Diagnostics for Fake {
    fn traces(&mut self) -> bool {
        self.trace.is_some()
    }

    fn trace(&mut self, event: Event<'_>) {
        if let Some(trace) = &mut self.trace {
            trace.push_str(&format!("{event}\n"));
        }
    }

    fn inspect(&mut self, path: &str) -> Option<Inspection> {
        Inspection::from_bytes(&self.files.read(path).ok()?)
    }

    fn describe_file(&mut self, path: &str) -> Option<Arc<ModuleInfo>> {
        let bytes = self.files.read(path).ok()?;
        Some(Arc::new(ModuleInfo::from_bytes(&bytes).ok()?))
    }
}

impl dylink::Files for Fake {
    type Source = Source;

    fn identify(&mut self, path: &str) -> Option<FileId> {
        self.files.identify(path)
    }

    async fn fetch(&mut self, path: &str) -> Result<Source, FetchError> {
        let unreadable = |reason| FetchError::Unreadable { reason };
        self.tick().map_err(|error| unreadable(error.to_string()))?;
        let bytes = self.files.read(path).map_err(unreadable)?;
        Ok(Source {
            path: path.into(),
            info: Arc::new(ModuleInfo::from_bytes(&bytes)?),
            hash: hash(&bytes),
        })
    }

    fn describe(&mut self, source: &Source) -> Result<Arc<ModuleInfo>, ModuleError> {
        Ok(Arc::clone(&source.info))
    }

    fn hash(&mut self, source: &Source) -> ContentHash {
        self.recalled += 1;
        source.hash
    }

    fn list(&mut self, directory: &str) -> Vec<String> {
        self.files.list(directory)
    }
}

impl Process for Fake {
    fn plan(&mut self) -> Option<Arc<Plan>> {
        self.plan.clone()
    }
}
