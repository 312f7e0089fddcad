//! `dlsym`.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use crate::attach::attach;
use crate::engine::Fault;
use crate::error::SymError;
use crate::group::defines;
use crate::ids::{Address, Align, Handle, ModuleId, Slot};
use crate::info::ExportKind;
use crate::memory;
use crate::process::Process;
use crate::program::Program;

/// Where `dlsym` looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lookup {
    /// In the module of a handle, then in what it needs, breadth first.
    Handle(Handle),
    /// `RTLD_DEFAULT`: in the global scope; then, if it is known who asks, in the load group of that module. WebAssembly has no
    /// return addresses, so a module is told by an address in its data, such as its `__dso_handle`.
    Default(Option<Address>),
    /// `RTLD_NEXT`: in what follows the module that asks, told as above. For main that is the rest of the global scope. For
    /// another module it is the rest of its load group, breadth first from what was opened, and then main: main holds libc,
    /// which elsewhere is the last that every library needs.
    Next(Address),
}

/// What a symbol is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Symbol {
    /// A function: a slot of the table.
    Function(Slot),
    /// A datum.
    Data(Address),
}

impl Symbol {
    /// The pointer that `dlsym` returns. A symbol may lie at address 0: failure is told by `dlerror`, not by null.
    #[must_use]
    pub fn to_guest(self) -> u32 {
        match self {
            Self::Function(slot) => slot.0,
            Self::Data(address) => address.0,
        }
    }
}

impl fmt::Display for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Function(slot) => slot.fmt(f),
            Self::Data(address) => address.fmt(f),
        }
    }
}

/// Finds a symbol. A function that has no slot yet gets one, the same for everyone who asks.
pub fn sym<P: Process>(process: &mut P, lookup: Lookup, name: &str) -> Result<Symbol, SymError> {
    let shared = attach(process).map_err(|error| SymError::Main(error.to_string()))?;
    let (id, kind, path) = process.program(|program| {
        let (order, place) = program.order(lookup)?;
        for id in order {
            let module = &program.modules[&id];
            if let Some((_, export)) = module.info.exports.find(name)
                && defines(&module.info, export)
            {
                return Ok((id, export.kind.clone(), Arc::clone(&module.path)));
            }
        }
        Err(SymError::Undefined {
            name: name.into(),
            place,
        })
    })?;
    let failed = |reason| SymError::Engine {
        name: name.into(),
        reason,
    };
    match kind {
        ExportKind::Function(function) => {
            if let Some(slot) = process.program(|program| program.slot(id, function)) {
                return Ok(Symbol::Function(slot));
            }
            let slot = new_slot(process, &shared.table, id, name).map_err(failed)?;
            process.program(|program| {
                if let Some(module) = program.modules.get_mut(&id) {
                    module.extra_slots.insert(function, slot);
                }
            });
            Ok(Symbol::Function(slot))
        }
        ExportKind::Data(datum) => {
            let address = memory::address(process, id, name, datum).map_err(failed)?;
            let missing = || failed(Fault::new("its module is not instantiated yet"));
            Ok(Symbol::Data(Address(address.ok_or_else(missing)?)))
        }
        kind => Err(SymError::NoAddress {
            name: name.into(),
            path,
            kind: kind.name(),
        }),
    }
}

impl<Instance, Extern> Program<Instance, Extern> {
    /// Where a lookup looks, in order, and what to call that.
    fn order(&self, lookup: Lookup) -> Result<(Vec<ModuleId>, String), SymError> {
        let path = |id| &self.modules[&id].path;
        Ok(match lookup {
            Lookup::Handle(Handle::MAIN) => (self.global.clone(), GLOBAL_SCOPE.into()),
            Lookup::Handle(handle) => {
                let id = self.opened(handle)?;
                (self.tree(id), format!("`{}` and what it needs", path(id)))
            }
            Lookup::Default(asks) => {
                let mut order = self.global.clone();
                if let Some(asks) = asks {
                    let group = self.load_group(self.owner(asks));
                    let fresh = |id: &ModuleId| !self.global.contains(id);
                    order.extend(group.into_iter().filter(fresh));
                }
                (order, GLOBAL_SCOPE.into())
            }
            Lookup::Next(asks) => {
                let asks = self.owner(asks);
                let mut order = match asks {
                    ModuleId::MAIN => self.global.clone(),
                    side => self.load_group(side),
                };
                let position = order.iter().position(|id| *id == asks);
                order.drain(..=position.unwrap_or(0));
                if asks != ModuleId::MAIN {
                    order.push(ModuleId::MAIN);
                }
                (order, format!("what follows `{}`", path(asks)))
            }
        })
    }
}

/// What messages call it.
const GLOBAL_SCOPE: &str = "the global scope";

fn new_slot<P: Process>(
    process: &mut P,
    table: &P::Extern,
    id: ModuleId,
    name: &str,
) -> Result<Slot, Fault> {
    let instance = process.program(|program| program.modules.get(&id)?.instance.clone());
    let name: Box<str> = name.into();
    let function = instance
        .and_then(|instance| process.export(&instance, &name))
        .ok_or_else(|| Fault::new("its module is not instantiated yet"))?;
    let slot = memory::take_slots(process, table, 1, Align::ONE)?;
    if let Err(fault) = process.set(table, slot, Some(&function)) {
        process.program(|program| program.slots.give(slot, 1));
        return Err(fault);
    }
    Ok(slot)
}
