//! The undo log of a failing `dlopen`.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::act::engine::Engine;
use crate::act::memory;
use crate::act::stack;
use crate::module::ids::FunctionId;
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
