//! Modules that are loaded together, and the order in which symbols are looked for.

use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::hash::Hash;

use hashbrown::HashSet;

use crate::module::{Export, ExportKind, ModuleInfo, Wants};
use crate::program::global::GlobalScope;
use crate::program::ids::{ExportId, FileId, ModuleId};

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
}

/// One module of a load group.
#[derive(Debug)]
pub struct Member {
    /// Where it was found.
    pub path: Arc<str>,
    /// Which file that is.
    pub file: FileId,
    /// What it says of itself.
    pub info: Arc<ModuleInfo>,
    /// Its direct dependencies, in the order of its `needed`.
    pub needs: Vec<Node>,
    /// Its place in the plan that it was loaded by.
    pub(crate) planned: Option<u32>,
}

/// All that can be reached from `roots`, each after what it needs, as far as cycles allow; without those that were `seen`.
pub(crate) fn after_what_they_need<N: Copy + Eq + Hash>(
    roots: impl Iterator<Item = N>,
    seen: &mut HashSet<N>,
    needs: impl Fn(N) -> Vec<N>,
) -> Vec<N> {
    let mut order = Vec::new();
    // Depth first with a stack of its own: a long chain of libraries must not overflow the host's.
    let mut stack = Vec::new();
    for root in roots {
        if seen.insert(root) {
            stack.push((root, needs(root).into_iter()));
        }
        while let Some((node, left)) = stack.last_mut() {
            match left.next() {
                Some(need) if seen.insert(need) => {
                    stack.push((need, needs(need).into_iter()));
                }
                Some(_) => {}
                None => {
                    order.push(*node);
                    stack.pop();
                }
            }
        }
    }
    order
}

/// Where a symbol is defined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Definition {
    /// The module.
    pub node: Node,
    /// Its export.
    pub export: ExportId,
}

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
    /// Names of the tags that the process made for want of a definition: from then on they are the ones.
    pub tags: Vec<&'a str>,
}

/// A module that can be looked into.
#[derive(Debug, Clone, Copy)]
pub struct Visible<'a> {
    /// Which one.
    pub node: Node,
    /// Its path, for messages.
    pub path: &'a Arc<str>,
    /// What it says of itself.
    pub info: &'a ModuleInfo,
}

impl<'a> Scope<'a> {
    /// The first definition of `name`.
    pub(crate) fn find(&self, name: &str) -> Option<(Visible<'a>, ExportId, &'a Export)> {
        let global = self.global.find(name);
        global.or_else(|| find(&self.local, name))
    }
}

/// The first definition of `name` in `order`.
pub(crate) fn find<'a>(
    order: &[Visible<'a>],
    name: &str,
) -> Option<(Visible<'a>, ExportId, &'a Export)> {
    order.iter().find_map(|visible| {
        let (id, export) = visible.info.exports.find(name)?;
        defines(visible.info, export).then_some((*visible, id, export))
    })
}

/// Whether an export is a definition. One that only passes on what its module imports from a third is none: the third is
/// in scope too. What it passes on from the host is.
pub(crate) fn defines(info: &ModuleInfo, export: &Export) -> bool {
    match &export.kind {
        ExportKind::Function(function) => info
            .imported(*function)
            .is_none_or(|import| import.wants == Wants::Host),
        ExportKind::Data(_) | ExportKind::Global | ExportKind::Tag(_) => true,
        ExportKind::ImportedTag | ExportKind::Memory | ExportKind::Table => false,
    }
}

/// `root` and all it needs, breadth first, each once.
pub(crate) fn breadth_first<N: Copy + Eq + core::hash::Hash>(
    root: N,
    mut needs: impl FnMut(N) -> Vec<N>,
) -> Vec<N> {
    let mut seen: HashSet<N> = HashSet::from_iter([root]);
    let mut queue = VecDeque::from([root]);
    let mut order = Vec::new();
    while let Some(node) = queue.pop_front() {
        order.push(node);
        queue.extend(needs(node).into_iter().filter(|need| seen.insert(*need)));
    }
    order
}

impl Group {
    /// The order in which members are instantiated and initialised: each after what it needs, as far as cycles allow; what
    /// does not need each other, last come first, as glibc has it. What was asked for is the last of all: a circle is cut
    /// there.
    #[must_use]
    pub fn dependencies_first(&self) -> Vec<usize> {
        if self.members.is_empty() {
            return Vec::new();
        }
        let mut order = after_what_they_need(
            (1..self.members.len()).rev(),
            &mut HashSet::from_iter([0]),
            |member| {
                let needs = self.members[member].needs.iter();
                let new = needs.filter_map(|need| match need {
                    Node::New(need) => Some(*need),
                    Node::Loaded(_) => None,
                });
                new.collect()
            },
        );
        order.push(0);
        order
    }

    /// Whether a member needs another, by whatever way.
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
