//! `dlsym`.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::ToString;
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::attach::attach;
use crate::engine::Fault;
use crate::error::SymError;
use crate::group::defines;
use crate::ids::{Address, Align, Handle, ModuleId, Slot};
use crate::info::ExportKind;
use crate::memory;
use crate::process::Process;

/// Where `dlsym` looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lookup {
    /// In the module of a handle, then in what it needs, breadth first.
    Handle(Handle),
    /// `RTLD_DEFAULT`: in the global scope.
    Default,
    /// `RTLD_NEXT`: in the global scope, after the module that asks. WebAssembly has no return addresses, so the module is
    /// told by an address in its data, such as its `__dso_handle`. One that is not in the global scope is followed by what it
    /// needs.
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

/// Finds a symbol. A function that has no slot yet gets one, the same for everyone who asks.
pub fn sym<P: Process>(process: &mut P, lookup: Lookup, name: &str) -> Result<Symbol, SymError> {
    let shared = attach(process).map_err(|error| SymError::Main(error.to_string()))?;
    let (id, kind, path) = process.program(|program| {
        let (order, place): (Vec<ModuleId>, _) = match lookup {
            Lookup::Default | Lookup::Handle(Handle::MAIN) => {
                (program.global.clone(), "the global scope".to_string())
            }
            Lookup::Next(caller) => {
                let asks = program.owner(caller);
                let position = program.global.iter().position(|id| *id == asks);
                let order = match position {
                    Some(at) => program.global[at + 1..].to_vec(),
                    None => program.tree(asks).split_off(1),
                };
                (
                    order,
                    format!("what follows `{}`", program.modules[&asks].path),
                )
            }
            Lookup::Handle(handle) => {
                let id = program.opened(handle)?;
                let path = &program.modules[&id].path;
                (program.tree(id), format!("`{path}` and what it needs"))
            }
        };
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
