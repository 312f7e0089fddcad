//! The engine's calls.

use std::sync::Arc;

use pymode_dylink::{
    Address, Bridge, BridgeAction, ContentHash, Engine, Fault, FetchError, Fetched, FileId,
    Inspection, Main, ModuleInfo, Mutability, Plan, Process, Program, Slot, ValType, Wants,
};

use super::machine::FakeExtern;
use super::{Fake, Source};
use crate::files::{MAIN, hash};

/// Whether the host offers a function.
pub(super) fn has_host(module: &str, name: &str) -> bool {
    module == "test" && !name.starts_with("no_")
}

impl Engine for Fake {
    type Source = Source;
    type Code = Source;
    type Instance = usize;
    type Extern = FakeExtern;

    fn compile(&mut self, source: &Source) -> Result<Source, Fault> {
        self.tick()?;
        Ok(source.clone())
    }

    fn bridge(&mut self, bridge: &Bridge) -> Result<Source, Fault> {
        self.tick()?;
        let wasm = bridge.to_wasm();
        wasmparser::validate(&wasm).map_err(|error| Fault(error.to_string()))?;
        let imports = 1 + bridge.forwards().count();
        debug_assert!(
            bridge
                .functions
                .iter()
                .all(|function| function.action == BridgeAction::Absent || imports > 1)
        );
        // It is no side module, but apart from that one like any other.
        let info = ModuleInfo::main_from_bytes(&wasm).map_err(|error| Fault(error.to_string()))?;
        Ok(Source {
            path: "bridge".into(),
            info: Arc::new(info),
        })
    }

    async fn instantiate(&mut self, code: &Source, imports: &[FakeExtern]) -> Result<usize, Fault> {
        // A fault may come in the middle of a start function: nobody can tell.
        self.guest_ran |= code.info.starts;
        self.tick()?;
        let info = &code.info;
        if imports.len() != info.imports.len() {
            return Err(Fault::new("wrong number of imports"));
        }
        let (mut memory_base, mut table_base) = (0, 0);
        let mut functions = Vec::new();
        for (import, bound) in info.imports.iter().zip(imports) {
            let wrong = || {
                Fault(format!(
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
            match &import.wants {
                Wants::Memory if matches!(bound, FakeExtern::Memory) => {}
                Wants::Table if matches!(bound, FakeExtern::Table) => {}
                Wants::Tag { .. } if matches!(bound, FakeExtern::Tag(_)) => {}
                Wants::Global if matches!(bound, FakeExtern::Global(_)) => {}
                Wants::MemoryBase => memory_base = global(Mutability::Const)?,
                Wants::TableBase => table_base = global(Mutability::Const)?,
                Wants::StackPointer | Wants::DataAddress { .. } | Wants::FunctionAddress { .. } => {
                    global(Mutability::Var)?;
                }
                Wants::Function { signature, .. } => match bound {
                    FakeExtern::Function {
                        signature: there, ..
                    } if signature.is_none() || there.is_none() || signature == there => {
                        functions.push(bound.clone());
                    }
                    _ => return Err(wrong()),
                },
                Wants::Host if matches!(bound, FakeExtern::Function { .. }) => {
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

    fn zero(&mut self, _memory: &FakeExtern, at: Address, len: u32) -> Result<(), Fault> {
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
            Err(Fault::new("zeroes what was not allocated"))
        }
    }

    fn grow(&mut self, _table: &FakeExtern, slots: u32) -> Result<Slot, Fault> {
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
    ) -> Result<(), Fault> {
        self.tick()?;
        let content = match function {
            Some(FakeExtern::Function { content, .. }) => content.clone(),
            Some(_) => return Err(Fault::new("only functions have slots")),
            None => None,
        };
        let table = &mut self.machine.table;
        if let Some(content) = &content
            && let Some(other) = table
                .iter()
                .position(|other| other.as_ref() == Some(content))
            && other != slot.0 as usize
        {
            return Err(Fault(format!("{content} has a second address")));
        }
        let place = table.get_mut(slot.0 as usize);
        *place.ok_or_else(|| Fault::new("no such slot"))? = content;
        Ok(())
    }

    fn global(&mut self, mutability: Mutability, value: u32) -> Result<FakeExtern, Fault> {
        self.tick()?;
        Ok(self.machine.global(mutability, value))
    }

    fn read(&mut self, global: &FakeExtern) -> Result<u32, Fault> {
        self.tick()?;
        match global {
            FakeExtern::Global(at) => Ok(self.machine.globals[*at].1),
            _ => Err(Fault::new("not a global")),
        }
    }

    fn write(&mut self, global: &FakeExtern, value: u32) -> Result<(), Fault> {
        self.tick()?;
        match global {
            FakeExtern::Global(at) if self.machine.globals[*at].0 == Mutability::Var => {
                self.machine.globals[*at].1 = value;
                Ok(())
            }
            _ => Err(Fault::new("not a mutable global")),
        }
    }

    fn tag(&mut self, _params: &[ValType]) -> Result<FakeExtern, Fault> {
        self.tick()?;
        Ok(self.machine.tag())
    }

    async fn call(&mut self, function: &FakeExtern, args: &[u32]) -> Result<Option<u32>, Fault> {
        let allocator = ["main!malloc", "main!aligned_alloc", "main!free"];
        if let FakeExtern::Function { name, .. } = function
            && !allocator.contains(&&**name)
        {
            self.guest_ran = true;
        }
        self.tick()?;
        let FakeExtern::Function { name, .. } = function else {
            return Err(Fault::new("not a function"));
        };
        match (&**name, args) {
            ("main!malloc", [size]) => Ok(Some(self.machine.allocate(*size, 16))),
            ("main!aligned_alloc", [align, size]) => Ok(Some(self.machine.allocate(*size, *align))),
            ("main!free", [address]) => match self.machine.allocations.remove(address) {
                Some(_) => Ok(None),
                None => Err(Fault::new("frees what was not allocated")),
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
    fn run(&mut self, name: &str) -> Result<(), Fault> {
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

impl Process for Fake {
    fn program<R>(&mut self, visit: impl FnOnce(&mut Program<usize, FakeExtern>) -> R) -> R {
        visit(&mut self.program)
    }

    fn main(&mut self) -> Result<Main<usize>, Fault> {
        Ok(Main {
            name: MAIN.into(),
            info: Arc::clone(&self.main),
            instance: 0,
        })
    }

    fn traces(&mut self) -> bool {
        self.trace.is_some()
    }

    fn trace(&mut self, text: &str) {
        if let Some(trace) = &mut self.trace {
            trace.push_str(text);
            trace.push('\n');
        }
    }

    fn plan(&mut self) -> Option<Arc<Plan>> {
        self.plan.clone()
    }

    fn main_hash(&mut self) -> Option<ContentHash> {
        Some(hash(&self.files.read(MAIN).ok()?))
    }

    fn fetch_hashed(&mut self, path: &str) -> Result<(Source, ContentHash), FetchError> {
        let fetched = self.fetch(path)?;
        self.recalled += 1;
        let bytes = self.files.read(path);
        let bytes = bytes.map_err(|reason| FetchError::Unreadable { reason })?;
        Ok((fetched.source, hash(&bytes)))
    }

    fn inspect(&mut self, path: &str) -> Option<Inspection> {
        Inspection::from_bytes(&self.files.read(path).ok()?)
    }

    fn list(&mut self, directory: &str) -> Vec<String> {
        self.files.list(directory)
    }

    fn identify(&mut self, path: &str) -> Option<FileId> {
        self.files.identify(path)
    }

    fn fetch(&mut self, path: &str) -> Result<Fetched<Source>, FetchError> {
        if let Err(Fault(reason)) = self.tick() {
            return Err(FetchError::Unreadable { reason });
        }
        let bytes = self
            .files
            .read(path)
            .map_err(|reason| FetchError::Unreadable { reason })?;
        let info = Arc::new(ModuleInfo::from_bytes(&bytes)?);
        Ok(Fetched {
            source: Source {
                path: path.into(),
                info: Arc::clone(&info),
            },
            info,
        })
    }
}
