//! The program's rules: what is visible to whom, what a handle reaches, when a module enters the global scope.

use alloc::vec::Vec;

use crate::program::flags::OpenFlags;
use crate::program::ids::{Address, Handle, ModuleId};
use crate::program::order::breadth_first;
use crate::program::{Module, Phase, Program};

impl<Instance, Extern> Program<Instance, Extern> {
    pub(crate) fn needs(&self, id: ModuleId) -> impl Iterator<Item = ModuleId> {
        let module = self.modules.get(&id);
        module
            .into_iter()
            .flat_map(|module| module.needs.iter().copied())
    }

    /// A module and all it needs, breadth first.
    pub(crate) fn tree(&self, root: ModuleId) -> Vec<ModuleId> {
        breadth_first(root, |id| self.needs(id).collect())
    }

    /// Returns the load group of a module, breadth first from the module that was opened. When that one is gone, returns the
    /// module and its dependencies.
    pub(crate) fn load_group(&self, id: ModuleId) -> Vec<ModuleId> {
        let root = self.modules.get(&id).map_or(id, |module| module.root);
        let group = self.tree(root);
        match self.modules.contains_key(&root) && group.contains(&id) {
            true => group,
            false => self.tree(id),
        }
    }

    /// Makes a load group visible.
    pub(crate) fn commit(&mut self, ids: &[ModuleId]) {
        for id in ids {
            let Some(module) = self.modules.get_mut(id) else {
                continue;
            };
            module.phase = Phase::Ready;
            if module.global {
                self.enter_global(*id);
            }
        }
    }

    /// One more handle to a module.
    pub(crate) fn reopen(&mut self, id: ModuleId, flags: OpenFlags) -> Handle {
        if let Some(module) = self.modules.get_mut(&id) {
            module.opens = module.opens.saturating_add(1);
            module.nodelete |= flags.nodelete;
        }
        if flags.global {
            for id in self.tree(id) {
                self.enter_global(id);
            }
        }
        Handle(id)
    }

    /// A module that is not ready yet enters when it is: until then a failure must leave no trace of it.
    fn enter_global(&mut self, id: ModuleId) {
        let Some(module) = self.modules.get_mut(&id) else {
            return;
        };
        module.global = true;
        if module.phase == Phase::Ready {
            self.global.enter(id, &module.path, &module.info);
        }
    }

    /// The module whose data holds an address: main, if no side module's does.
    pub(crate) fn owner(&self, address: Address) -> ModuleId {
        let holds = |module: &Module<Instance>| {
            module.allocation.is_some()
                && address.0.wrapping_sub(module.memory_base.0) < module.info.memory.size.max(1)
        };
        let mut modules = self.modules.iter();
        modules
            .find(|(_, module)| holds(module))
            .map_or(ModuleId::MAIN, |(id, _)| *id)
    }

    /// The module of a handle that is open.
    pub(crate) fn opened(&self, handle: Handle) -> Result<ModuleId, HandleError> {
        let id = handle.0;
        match self.modules.get(&id) {
            Some(module) if module.opens > 0 => Ok(id),
            _ => Err(HandleError {
                handle: handle.to_guest(),
            }),
        }
    }
}

/// The number is no open handle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("0x{handle:x} is not an open handle")]
pub struct HandleError {
    /// The number that the guest passed.
    pub handle: u32,
}
