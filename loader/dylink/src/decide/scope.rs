//! The order in which symbols are looked for.

use alloc::sync::Arc;
use alloc::vec::Vec;

use hashbrown::HashSet;

use crate::find::group::{Group, Node};
use crate::module::{Export, ExportId, ModuleInfo};
use crate::program::global::{GlobalDefinition, GlobalScope};
use crate::program::ids::ModuleId;
use crate::program::order::breadth_first;
use crate::program::{Phase, Program};

/// The modules that a load group may take symbols from, in search order: main, the other modules of the global scope in
/// the order in which they entered it, then the group and its dependencies, breadth first from what was asked for. The
/// first definition wins, as with ELF.
#[derive(Debug)]
pub struct Scope<'a> {
    /// Main and the other modules of the global scope.
    pub(crate) global: &'a GlobalScope,
    /// The modules that are searched after them.
    pub local: Vec<Visible<'a>>,
    /// Loaded modules that must not be searched; only for hints.
    pub elsewhere: Vec<Visible<'a>>,
    /// PlanNames of the tags that the process made for want of a definition: from then on they are the ones.
    pub tags: Vec<&'a str>,
}

/// A module that can be looked into.
#[derive(Debug, Clone, Copy)]
pub struct Visible<'a> {
    /// Which one.
    pub node: Node,
    /// Its path, for messages.
    pub path: &'a Arc<str>,
    /// Description.
    pub info: &'a ModuleInfo,
}

impl<'a> Scope<'a> {
    /// The first definition of `name`.
    pub(crate) fn find(&self, name: &str) -> Option<(Visible<'a>, ExportId, &'a Export)> {
        let global = self.global.find(name).map(visible);
        global.or_else(|| find(&self.local, name))
    }

    /// The first definition of `name` that is not main's.
    pub(crate) fn find_behind_main(
        &self,
        name: &str,
    ) -> Option<(Visible<'a>, ExportId, &'a Export)> {
        let global = self.global.find_behind_main(name).map(visible);
        global.or_else(|| find(&self.local, name))
    }
}

/// A definition in the global scope, as a load group sees it.
fn visible(found: GlobalDefinition<'_>) -> (Visible<'_>, ExportId, &Export) {
    let visible = Visible {
        node: Node::Loaded(found.module),
        path: found.path,
        info: found.info,
    };
    (visible, found.id, found.export)
}

/// The first definition of `name` in `order`.
pub(crate) fn find<'a>(
    order: &[Visible<'a>],
    name: &str,
) -> Option<(Visible<'a>, ExportId, &'a Export)> {
    order.iter().find_map(|visible| {
        let (id, export) = visible.info.exports.find(name)?;
        visible
            .info
            .defines_export(export)
            .then_some((*visible, id, export))
    })
}

impl<Instance, Extern> Program<Instance, Extern> {
    /// Returns the scope of the members of `group`.
    pub(crate) fn scope<'a>(&'a self, group: &'a Group) -> Scope<'a> {
        let local = breadth_first(group.root(), |node| match node {
            Node::Loaded(ModuleId::MAIN) if let Some(needs) = &group.needs_of_main => needs.clone(),
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
        let seen: HashSet<Node> = scope.local.iter().map(|seen| seen.node).collect();
        let mut elsewhere: Vec<Node> = self
            .modules
            .iter()
            .filter(|(_, module)| module.phase == Phase::Ready)
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

    /// Returns the description of a node.
    pub(crate) fn info<'a>(&'a self, group: &'a Group, node: Node) -> &'a ModuleInfo {
        match node {
            Node::New(member) => &group.members[member].info,
            Node::Loaded(id) => &self.modules[&id].info,
        }
    }
}
