//! The reference model: the rules in their simplest form. Modules are numbers; main defines none of the names.

use std::collections::{BTreeMap, BTreeSet};

use crate::generate::{DATA, Datum, Defined, FUNCTIONS, Side, Tag, Wanted};

/// The definitions of a module's imports. `None` is a weak one that no module defines.
#[derive(Debug, Clone, Default)]
pub(crate) struct Bound {
    pub(crate) calls: BTreeMap<usize, Option<usize>>,
    pub(crate) points: BTreeMap<usize, Option<usize>>,
    pub(crate) reads: BTreeMap<usize, Option<usize>>,
    /// Those of them whose address is known only when the module exists already.
    pub(crate) late: BTreeSet<usize>,
    /// Whose tag its own code throws and catches; `None` in it: the process's.
    pub(crate) tag: Option<Option<usize>>,
}

/// The loaded modules.
#[derive(Debug)]
pub(crate) struct Model<'a> {
    sides: &'a [Side],
    pub(crate) loaded: BTreeMap<usize, Loaded>,
    global: Vec<usize>,
    /// Dependencies of modules whose constructors failed. They stay, because pointers to their code may exist.
    kept: BTreeSet<usize>,
    /// Somebody was given the process's own tag: from then on it is everybody's.
    process_tag: bool,
    /// A constructor has opened a module.
    pub(crate) is_reentered: bool,
}

#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) opens: u32,
    pub(crate) bound: Bound,
    uses: BTreeSet<usize>,
    /// Its group is being constructed: nothing of it goes.
    is_initializing: bool,
    /// It is to enter the global scope when that is done.
    is_global: bool,
}

/// The result of a `dlopen`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Opened {
    Well,
    Refused,
    /// A constructor traps: guest code has run.
    Trapped,
}

impl<'a> Model<'a> {
    pub(crate) fn new(sides: &'a [Side]) -> Self {
        Self {
            sides,
            loaded: BTreeMap::new(),
            global: Vec::new(),
            kept: BTreeSet::new(),
            process_tag: false,
            is_reentered: false,
        }
    }

    /// A module and all it needs, breadth first.
    pub(crate) fn tree(&self, root: usize) -> Vec<usize> {
        let mut order = vec![root];
        let mut next = 0;
        while let Some(module) = order.get(next) {
            for need in self.sides[*module].needs.clone() {
                if !order.contains(&need) {
                    order.push(need);
                }
            }
            next += 1;
        }
        order
    }

    pub(crate) fn open(&mut self, root: usize, global: bool) -> Opened {
        if !self.loaded.contains_key(&root) {
            let scope: Vec<usize> = self.global.iter().copied().chain(self.tree(root)).collect();
            // What is loaded brings what it needs; only from there on it is another group's affair.
            let group: Vec<usize> = self.group(root);
            let mut bound = Vec::new();
            for module in &group {
                match self.bind(*module, &scope) {
                    Some(all) => bound.push(all),
                    None => return Opened::Refused,
                }
            }
            let order = self.order(&group);
            if ties_a_knot(&order, &group, &bound) {
                return Opened::Refused;
            }
            let place = |module: usize| order.iter().position(|other| *other == module);
            for (module, bound) in group.iter().zip(&mut bound) {
                for (d, definer) in &bound.reads {
                    let Some(definer) = definer.filter(|definer| group.contains(definer)) else {
                        continue;
                    };
                    let datum = self.sides[definer].data[*d];
                    if datum == Datum::ThreadLocal && place(definer) >= place(*module) {
                        bound.late.insert(*d);
                    }
                }
            }
            let traps = group.iter().any(|module| self.sides[*module].traps);
            for (module, bound) in group.iter().copied().zip(bound) {
                let lists = [&bound.calls, &bound.points, &bound.reads];
                let definers = lists.into_iter().flat_map(BTreeMap::values).flatten();
                let definers = definers.chain(bound.tag.iter().flatten());
                let needs = &self.sides[module].needs;
                let uses: BTreeSet<usize> = definers.chain(needs).copied().collect();
                if traps {
                    let there = uses
                        .into_iter()
                        .filter(|use_| self.loaded.contains_key(use_));
                    self.kept.extend(there);
                    continue;
                }
                self.process_tag |= bound.tag == Some(None);
                let loaded = Loaded {
                    opens: 0,
                    bound,
                    uses,
                    is_initializing: true,
                    is_global: false,
                };
                self.loaded.insert(module, loaded);
            }
            if traps {
                return Opened::Trapped;
            }
            for module in order {
                self.construct(module);
            }
            for module in group {
                let Some(loaded) = self.loaded.get_mut(&module) else {
                    continue;
                };
                loaded.is_initializing = false;
                if loaded.is_global {
                    self.enter_global(module);
                }
            }
        }
        if global {
            for module in self.tree(root) {
                self.enter_global(module);
            }
        }
        if let Some(loaded) = self.loaded.get_mut(&root) {
            loaded.opens += 1;
        }
        Opened::Well
    }

    fn enter_global(&mut self, module: usize) {
        let Some(loaded) = self.loaded.get_mut(&module) else {
            return;
        };
        loaded.is_global = true;
        if !loaded.is_initializing && !self.global.contains(&module) {
            self.global.push(module);
        }
    }

    /// The constructor of a module.
    fn construct(&mut self, module: usize) {
        let Some(opens) = self.sides[module].opens else {
            return;
        };
        self.is_reentered = true;
        if self.open(opens.module, opens.global) == Opened::Well && opens.closes {
            self.close(opens.module);
        }
    }

    /// Returns the load group of `root`: its dependencies that are not loaded.
    fn group(&self, root: usize) -> Vec<usize> {
        let mut group = vec![root];
        let mut next = 0;
        while let Some(module) = group.get(next) {
            for need in self.sides[*module].needs.clone() {
                if !group.contains(&need) && !self.loaded.contains_key(&need) {
                    group.push(need);
                }
            }
            next += 1;
        }
        group
    }

    fn bind(&self, module: usize, scope: &[usize]) -> Option<Bound> {
        let side = &self.sides[module];
        let function = |f: usize| {
            let defines = |other: &&usize| self.sides[**other].defines[f] != Defined::Not;
            scope.iter().find(defines).copied()
        };
        let mut bound = Bound::default();
        for f in 0..FUNCTIONS {
            let weak_definition = side.defines[f] == Defined::Weak;
            if side.calls[f] != Wanted::Not || weak_definition {
                let found = function(f);
                match found {
                    // Bound by name, so the type must fit.
                    Some(other) if self.sides[other].defines[f] == Defined::Other => return None,
                    None if side.calls[f] == Wanted::Strong => return None,
                    found => bound.calls.insert(f, found),
                };
            }
            if side.points[f] != Wanted::Not {
                let found = function(f);
                if found.is_none() && side.points[f] == Wanted::Strong {
                    return None;
                }
                bound.points.insert(f, found);
            }
        }
        for d in 0..DATA {
            if side.reads[d] != Wanted::Not {
                let defines = |other: &&usize| self.sides[**other].data[d] != Datum::Not;
                let found = scope.iter().find(defines);
                if found.is_none() && side.reads[d] == Wanted::Strong {
                    return None;
                }
                bound.reads.insert(d, found.copied());
            }
        }
        bound.tag = match side.tag {
            Tag::Not => None,
            Tag::Defined => Some(Some(module)),
            Tag::Imported | Tag::Weak if self.process_tag => Some(None),
            Tag::Imported | Tag::Weak => {
                let exports =
                    |other: &&usize| matches!(self.sides[**other].tag, Tag::Weak | Tag::Defined);
                let first = scope.iter().find(exports).copied();
                Some(first.filter(|other| self.sides[*other].tag == Tag::Defined))
            }
        };
        Some(bound)
    }

    /// The order in which a group comes into being.
    fn order(&self, group: &[usize]) -> Vec<usize> {
        let mut order = Vec::new();
        // The opened module comes last, whatever depends on it.
        let mut seen = BTreeSet::from([group[0]]);
        for root in group[1..].iter().rev() {
            self.dependencies_first(*root, group, &mut seen, &mut order);
        }
        order.push(group[0]);
        order
    }

    fn dependencies_first(
        &self,
        module: usize,
        group: &[usize],
        seen: &mut BTreeSet<usize>,
        order: &mut Vec<usize>,
    ) {
        if group.contains(&module) && seen.insert(module) {
            for need in &self.sides[module].needs {
                self.dependencies_first(*need, group, seen, order);
            }
            order.push(module);
        }
    }

    /// Undoes one `open`, and unloads the modules that nothing holds.
    pub(crate) fn close(&mut self, root: usize) {
        if let Some(loaded) = self.loaded.get_mut(&root) {
            loaded.opens -= 1;
        }
        let mut held = BTreeSet::new();
        let holds = |loaded: &Loaded| loaded.opens > 0 || loaded.is_initializing;
        let opened = self.loaded.iter().filter(|(_, loaded)| holds(loaded));
        let opened = opened.map(|(module, _)| *module);
        let mut queue: Vec<usize> = opened.chain(self.kept.iter().copied()).collect();
        while let Some(module) = queue.pop() {
            if held.insert(module) {
                queue.extend(&self.loaded[&module].uses);
            }
        }
        self.loaded.retain(|module, _| held.contains(module));
        self.global.retain(|module| held.contains(module));
    }
}

/// Returns `true` if a module is instantiated before the one whose tag it imports: a tag has no thunk.
fn ties_a_knot(order: &[usize], group: &[usize], bound: &[Bound]) -> bool {
    let place = |module: usize| order.iter().position(|other| *other == module);
    group.iter().zip(bound).any(|(module, bound)| {
        let definer = bound.tag.flatten();
        definer.is_some_and(|definer| place(definer) > place(*module))
    })
}
