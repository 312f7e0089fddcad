//! `dlsym`.

use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::act::engine::Engine;
use crate::act::error::Cause;
use crate::act::memory;
use crate::calls::attach::attach;
use crate::calls::error::SymError;
use crate::module::ExportKind;
use crate::module::ids::Align;
use crate::program::Program;
use crate::program::ids::{Address, Handle, ModuleId, Slot, Symbol};
use crate::program::registry::HandleError;
use crate::program::state::State;

/// The scope of a `dlsym`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lookup {
    /// In the module of a handle, then in what it needs, breadth first.
    Handle(Handle),
    /// `RTLD_DEFAULT`: in the global scope; then, if it is known who asks, in the load group of that module. WebAssembly has no
    /// return addresses, so an address in a module's data, such as its `__dso_handle`, identifies it.
    Default(Option<Address>),
    /// `RTLD_NEXT`: in what follows the calling module, identified as above. For main that is the rest of the global scope. For
    /// another module it is the rest of its load group, breadth first from what was opened, and then main: main holds libc,
    /// which elsewhere is the last that every library needs.
    Next(Address),
}

/// Finds a symbol. A function that has no slot yet gets one, the same for everyone who asks.
///
/// # Errors
/// When the handle is not open, no module defines the symbol, or it has no address.
pub fn sym<P: Engine + State>(
    process: &mut P,
    lookup: Lookup,
    name: &str,
) -> Result<Symbol, SymError<P::Error>> {
    let shared = attach(process)?;
    let (id, kind, path) = process.program(|program| {
        let (places, text) = program.places(lookup)?;
        let found = match places.global {
            Global::All => program.global.find(name),
            Global::BehindMain => program.global.find_behind_main(name),
            Global::Nothing => None,
        };
        if let Some(found) = found {
            let kind = found.export.kind.clone();
            return Ok((found.module, kind, Arc::clone(found.path)));
        }
        for id in places.then {
            let module = &program.modules[&id];
            if let Some((_, export)) = module.info.exports.find(name)
                && module.info.defines_export(export)
            {
                return Ok((id, export.kind.clone(), Arc::clone(&module.path)));
            }
        }
        Err(SymError::Undefined {
            name: name.into(),
            place: text,
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
            let missing = || failed(Cause::NotInstantiated);
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
    /// Returns the scope of a lookup, and its name.
    fn places(&self, lookup: Lookup) -> Result<(Places, String), HandleError> {
        let path = |id| &self.modules[&id].path;
        let global = |global| Places {
            global,
            then: Vec::new(),
        };
        let then = |then| Places {
            global: Global::Nothing,
            then,
        };
        Ok(match lookup {
            Lookup::Handle(Handle::MAIN) | Lookup::Default(None) => {
                (global(Global::All), GLOBAL_SCOPE.into())
            }
            Lookup::Handle(handle) => {
                let id = self.opened(handle)?;
                let text = format!("`{}` and what it needs", path(id));
                (then(self.tree(id)), text)
            }
            Lookup::Default(Some(asks)) => {
                let places = Places {
                    global: Global::All,
                    then: self.load_group(self.owner(asks)),
                };
                (places, GLOBAL_SCOPE.into())
            }
            Lookup::Next(asks) => {
                let asks = self.owner(asks);
                let places = match asks {
                    ModuleId::MAIN => global(Global::BehindMain),
                    side => {
                        let mut order = self.load_group(side);
                        let position = order.iter().position(|id| *id == asks);
                        order.drain(..=position.unwrap_or(0));
                        order.push(ModuleId::MAIN);
                        then(order)
                    }
                };
                (places, format!("what follows `{}`", path(asks)))
            }
        })
    }
}

/// The modules that a lookup asks.
struct Places {
    global: Global,
    /// These, one after the other.
    then: Vec<ModuleId>,
}

/// The part of the global scope that is searched first.
enum Global {
    All,
    BehindMain,
    Nothing,
}

/// Name in messages.
const GLOBAL_SCOPE: &str = "the global scope";

fn new_slot<P: Engine + State>(
    process: &mut P,
    table: &P::Extern,
    id: ModuleId,
    name: &str,
) -> Result<Slot, Cause<P::Error>> {
    let instance = process.program(|program| program.modules.get(&id)?.instance.clone());
    let instance = instance.ok_or(Cause::NotInstantiated)?;
    let function = process.export(&instance, name);
    let function = function.ok_or_else(|| Cause::NotExported { name: name.into() })?;
    let slot = memory::take_slots(process, table, 1, Align::ONE)?;
    if let Err(error) = process.set(table, slot, Some(&function)) {
        process.program(|program| program.slots.give(slot, 1));
        return Err(error.into());
    }
    Ok(slot)
}
