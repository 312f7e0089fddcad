//! The program's rules: what is visible to whom, what a handle reaches, when a module enters the global scope.

use alloc::vec::Vec;

use crate::error::HandleError;
use crate::find::group::{Group, Node, Scope, Visible, breadth_first};
use crate::module::ModuleInfo;
use crate::program::flags::OpenFlags;
use crate::program::ids::{Address, Handle, ModuleId};
use crate::program::{Module, Program, State};

impl<Instance, Extern> Program<Instance, Extern> {
    /// Where the members of `group` look for symbols.
    pub(crate) fn scope<'a>(&'a self, group: &'a Group) -> Scope<'a> {
        let local = breadth_first(Node::New(0), |node| match node {
            Node::New(member) => group.members[member].needs.clone(),
            Node::Loaded(id) => self.needs(id).map(Node::Loaded).collect(),
        });
        let fresh = |node: &Node| !self.is_global(*node);
        let local = local.into_iter().filter(fresh);
        Scope {
            global: &self.global,
            local: local.map(|node| self.visible(group, node)).collect(),
            elsewhere: Vec::new(),
            tags: self.tags.keys().map(|name| &**name).collect(),
        }
    }

    /// Loaded modules that are not in scope: for hints, so only once something is missing. To look at all of them each time would
    /// make each load dearer than the one before.
    pub(crate) fn elsewhere<'a>(&'a self, group: &'a Group, scope: &Scope<'_>) -> Vec<Visible<'a>> {
        let seen: hashbrown::HashSet<Node> = scope.local.iter().map(|seen| seen.node).collect();
        let mut elsewhere: Vec<Node> = self
            .modules
            .iter()
            .filter(|(_, module)| module.state == State::Ready)
            .map(|(id, _)| Node::Loaded(*id))
            .filter(|node| !seen.contains(node) && !self.is_global(*node))
            .collect();
        elsewhere.sort_unstable();
        let elsewhere = elsewhere.into_iter();
        elsewhere.map(|node| self.visible(group, node)).collect()
    }

    fn is_global(&self, node: Node) -> bool {
        matches!(node, Node::Loaded(id) if self.global.contains(id))
    }

    fn visible<'a>(&'a self, group: &'a Group, node: Node) -> Visible<'a> {
        let path = match node {
            Node::New(member) => &group.members[member].path,
            Node::Loaded(id) => &self.modules[&id].path,
        };
        Visible {
            node,
            path,
            info: self.info(group, node),
        }
    }

    /// What a node says of itself.
    pub(crate) fn info<'a>(&'a self, group: &'a Group, node: Node) -> &'a ModuleInfo {
        match node {
            Node::New(member) => &group.members[member].info,
            Node::Loaded(id) => &self.modules[&id].info,
        }
    }

    fn needs(&self, id: ModuleId) -> impl Iterator<Item = ModuleId> {
        let module = self.modules.get(&id);
        module
            .into_iter()
            .flat_map(|module| module.needs.iter().copied())
    }

    /// A module and all it needs, breadth first.
    pub(crate) fn tree(&self, root: ModuleId) -> Vec<ModuleId> {
        breadth_first(root, |id| self.needs(id).collect())
    }

    /// What a module was loaded with, breadth first from what was opened then. When that is gone, the module is alone with what
    /// it needs.
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
            module.state = State::Ready;
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
        if module.state == State::Ready {
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
