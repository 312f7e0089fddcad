//! `dladdr`: what a pointer of the guest points into.

use alloc::boxed::Box;
use alloc::sync::Arc;

use crate::module::ids::FunctionId;
use crate::module::{DataBase, ExportKind, ModuleInfo};
use crate::program::ids::{Address, ModuleId, Slot, Symbol};
use crate::program::{Module, Phase, Program};

/// The target of a pointer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// The module's path.
    pub path: Arc<str>,
    /// Base address of the module's data.
    pub base: Address,
    /// The exported symbol that lies there: for a function the very one, for data the nearest at or before the pointer.
    pub symbol: Option<(Box<str>, Symbol)>,
}

impl<Instance, Extern> Program<Instance, Extern> {
    /// Returns the target of the guest's pointer. `None` if no side module and no export of main is there.
    ///
    /// Functions and data have number spaces of their own: one number can be both a slot and an address. As `dladdr` is asked
    /// for functions more often, a slot that a function is known to have comes first.
    #[must_use]
    pub fn addr(&self, pointer: u32) -> Option<Location> {
        self.function_at(Slot(pointer))
            .or_else(|| self.data_at(Address(pointer)))
    }

    fn function_at(&self, slot: Slot) -> Option<Location> {
        self.ordered().find_map(|(_, module)| {
            let (function, symbol) = (function_of(module, slot)?, Symbol::Function(slot));
            let name = exported_function(&module.info, function);
            Some(module.location(name.map(|name| (name, symbol))))
        })
    }

    fn data_at(&self, address: Address) -> Option<Location> {
        self.ordered().find_map(|(id, module)| {
            let size = module.info.memory.size;
            let inside = match id {
                ModuleId::MAIN => module.info.data.contains(&address.0),
                _ => address.0.wrapping_sub(module.memory_base.0) < size,
            };
            // Main may have more data than it tells of: then an exported symbol must begin exactly there.
            let symbol = nearest(module, address)
                .filter(|(_, at)| inside || (id == ModuleId::MAIN && *at == address));
            (inside || symbol.is_some())
                .then(|| module.location(symbol.map(|(name, at)| (name, Symbol::Data(at)))))
        })
    }

    /// Modules that the guest may point into; side modules before main, whose ranges are the widest.
    fn ordered(&self) -> impl Iterator<Item = (ModuleId, &Module<Instance>)> {
        let mut modules: alloc::vec::Vec<_> = self
            .modules
            .iter()
            .filter(|(_, module)| !matches!(module.phase, Phase::Linking))
            .map(|(id, module)| (*id, module))
            .collect();
        modules.sort_unstable_by_key(|(id, _)| core::cmp::Reverse(*id));
        modules.into_iter()
    }
}

impl<Instance> Module<Instance> {
    fn location(&self, symbol: Option<(Box<str>, Symbol)>) -> Location {
        Location {
            path: Arc::clone(&self.path),
            base: self.memory_base,
            symbol,
        }
    }
}

fn function_of<Instance>(module: &Module<Instance>, slot: Slot) -> Option<FunctionId> {
    let own = slot.0.checked_sub(module.table_base.0);
    let in_segment = own.and_then(|at| module.info.function_in_slot(at));
    let extra = || {
        let mut extra = module.extra_slots.iter();
        extra.find_map(|(function, at)| (*at == slot).then_some(*function))
    };
    in_segment.or_else(extra)
}

/// The first export that names the function.
fn exported_function(info: &ModuleInfo, function: FunctionId) -> Option<Box<str>> {
    let mut exports = info.exports.iter();
    exports
        .find(|export| export.kind == ExportKind::Function(function))
        .map(|export| export.name.clone())
}

/// Bounds of main's data, which are not symbols in it.
const BOUNDS: [&str; 2] = ["__global_base", "__data_end"];

/// The exported datum with the greatest address that is not beyond `address`; of several, the first.
fn nearest<Instance>(module: &Module<Instance>, address: Address) -> Option<(Box<str>, Address)> {
    let mut best: Option<(&str, u32)> = None;
    for export in module.info.exports.iter() {
        let ExportKind::Data(datum) = export.kind else {
            continue;
        };
        if BOUNDS.contains(&&*export.name) {
            continue;
        }
        let base = match datum.base {
            DataBase::Absolute => 0,
            DataBase::Memory => module.memory_base.0,
            DataBase::ThreadLocal => continue,
        };
        let Some(offset) = datum.offset else { continue };
        let at = base.wrapping_add(offset);
        if at <= address.0 && best.is_none_or(|(_, other)| at > other) {
            best = Some((&export.name, at));
        }
    }
    best.map(|(name, at)| (name.into(), Address(at)))
}
