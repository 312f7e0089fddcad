//! Modules that are loaded together.

use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::module::{ExportId, ModuleInfo};
use crate::program::ids::{FileId, ModuleId};
use crate::program::order::after_what_they_need;

/// A module as one `dlopen` sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Node {
    /// Loaded before.
    Loaded(ModuleId),
    /// Loaded by this `dlopen`: an index into [`Group::members`].
    New(usize),
}

/// The load group: what was asked for, and what it needs that is not loaded yet. The first member is what was asked for.
#[derive(Debug, Default)]
pub struct Group {
    /// Breadth first from what was asked for.
    pub members: Vec<Member>,
    /// Dependencies of main, in the order of its `needed`, if main itself was opened. Main is loaded and so not a member.
    pub(crate) needs_of_main: Option<Vec<Node>>,
}

/// One module of a load group.
#[derive(Debug)]
pub struct Member {
    /// Path.
    pub path: Arc<str>,
    /// Which file that is.
    pub file: FileId,
    /// Description.
    pub info: Arc<ModuleInfo>,
    /// Its direct dependencies, in the order of its `needed`.
    pub needs: Vec<Node>,
    /// Its place in the plan that it was loaded by.
    pub(crate) planned: Option<u32>,
}

/// The place where a symbol is defined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Definition {
    /// The module.
    pub node: Node,
    /// Its export.
    pub export: ExportId,
}

impl Group {
    /// Returns the order in which members are instantiated and initialised: each after what it needs, as far as cycles allow; what
    /// does not need each other, last come first, as glibc has it. What was asked for is the last of all: a circle is cut
    /// there.
    #[must_use]
    pub fn dependencies_first(&self) -> Vec<usize> {
        if self.members.is_empty() {
            return Vec::new();
        }
        let first = usize::from(!self.is_mains());
        let mut order = after_what_they_need(
            (first..self.members.len()).rev(),
            &mut (0..first).collect(),
            |member| {
                let needs = self.members[member].needs.iter();
                let new = needs.filter_map(|need| match need {
                    Node::New(need) => Some(*need),
                    Node::Loaded(_) => None,
                });
                new.collect()
            },
        );
        order.extend(0..first);
        order
    }

    /// Reports whether it is what main was linked with.
    pub(crate) fn is_mains(&self) -> bool {
        self.needs_of_main.is_some()
    }

    /// Returns the node at which the search for symbols begins.
    pub(crate) fn root(&self) -> Node {
        match self.needs_of_main {
            Some(_) => Node::Loaded(ModuleId::MAIN),
            None => Node::New(0),
        }
    }

    /// Reports whether a member needs another, directly or not.
    pub(crate) fn reaches(&self, from: usize, to: usize) -> bool {
        let mut seen = alloc::vec![false; self.members.len()];
        let mut todo = Vec::from([from]);
        while let Some(member) = todo.pop() {
            if member == to {
                return true;
            }
            for need in &self.members[member].needs {
                if let Node::New(need) = *need
                    && !core::mem::replace(&mut seen[need], true)
                {
                    todo.push(need);
                }
            }
        }
        false
    }
}
