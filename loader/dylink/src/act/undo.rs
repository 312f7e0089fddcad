//! The undo log of a failing `dlopen`.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::act::engine::Engine;
use crate::act::memory;
use crate::act::stack;
use crate::module::ids::FunctionId;
use crate::module::{Export, ExportKind};
use crate::program::GotKey;
use crate::program::ids::{Address, ModuleId, Slot};
use crate::program::state::State;

/// A log of what was done. It ends in exactly one of two ways: [`keep`](Self::keep) or [`roll_back`](Self::roll_back).
///
/// Once guest code of the group has run (a start function, relocations, a constructor), the guest may hold pointers into
/// the reserved memory and slots. Then they stay reserved for good, and only the registry forgets the modules.
#[derive(Debug, Default)]
#[must_use = "what was done is either kept or rolled back"]
pub(crate) struct Undo {
    pub(crate) guest_ran: bool,
    pub(crate) modules: Vec<ModuleId>,
    pub(crate) memory: Vec<Address>,
    pub(crate) slots: Vec<(Slot, u32)>,
    /// Main's slots that functions of libraries have taken.
    pub(crate) main_slots: Vec<Slot>,
    pub(crate) extra_slots: Vec<(ModuleId, FunctionId)>,
    pub(crate) tags: Vec<Box<str>>,
    pub(crate) got: Vec<GotKey>,
}

impl Undo {
    /// It happened.
    pub(crate) fn keep(self) {}

    /// It did not happen.
    pub(crate) async fn roll_back<P: Engine + State>(self, process: &mut P) {
        process.program(|program| {
            for key in &self.got {
                program.got.remove(key);
            }
        });
        if self.guest_ran {
            process.program(|program| {
                for id in &self.modules {
                    program.abandon(*id);
                }
            });
            return;
        }
        let shared = process.program(|program| {
            for id in &self.modules {
                program.remove(*id);
            }
            for (id, function) in &self.extra_slots {
                if let Some(module) = program.modules.get_mut(id) {
                    module.extra_slots.remove(function);
                }
            }
            for tag in &self.tags {
                program.tags.remove(tag);
            }
            program.shared.clone()
        });
        let Some(shared) = shared else { return };
        restore_stubs(process, &shared.table, &self.main_slots);
        for (first, count) in self.slots {
            memory::give_slots(process, &shared.table, first, count);
        }
        for address in self.memory {
            // If main's `free` traps, the memory is lost, and nothing reports it: the failure that led here is what the
            // guest must hear of.
            let _ = stack::call(process, &shared.allocator.free, &[address.0]).await;
        }
    }
}

/// Puts main's stubs back into their slots, where functions of libraries were.
fn restore_stubs<P: Engine + State>(process: &mut P, table: &P::Extern, slots: &[Slot]) {
    let (info, instance) = process.program(|program| {
        let main = &program.modules[&ModuleId::MAIN];
        (Arc::clone(&main.info), main.instance.clone())
    });
    let Some(instance) = instance else { return };
    for slot in slots {
        let is_stub = |export: &&Export| matches!(export.kind, ExportKind::Function(function) if info.slot(function) == Some(slot.0));
        let stub = info.exports.iter().find(is_stub);
        let stub = stub.and_then(|stub| process.export(&instance, &stub.name));
        if let Some(stub) = stub {
            // The failure that led here is what the guest must hear of.
            let _ = process.set(table, *slot, Some(&stub));
        }
    }
}
