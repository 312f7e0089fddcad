//! The global scope: main, then what was opened with `RTLD_GLOBAL`, in that order; and who of them is the first to define a name.
//!
//! A name is found by its hash, however many modules are in the scope: to ask one after the other would make each library that
//! enters dearer for all that are loaded after it. Entering and leaving cost what the module itself exports.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::hash::BuildHasher;

use hashbrown::hash_table::Entry;
use hashbrown::{DefaultHashBuilder, HashMap, HashTable};

use crate::module::{Export, ExportId, ModuleInfo};
use crate::program::ids::ModuleId;

/// Modules whose symbols everybody sees.
#[derive(Debug, Default)]
pub(crate) struct GlobalScope {
    members: HashMap<ModuleId, Member>,
    /// Modules in the order of their entry.
    order: Vec<(u32, ModuleId)>,
    next: u32,
    /// PlanNames that modules other than main define. Main is searched first, with its own index.
    names: HashTable<Name>,
    hasher: DefaultHashBuilder,
}

#[derive(Debug)]
struct Member {
    entered: u32,
    path: Arc<str>,
    info: Arc<ModuleInfo>,
}

/// The definitions of one name, in the order in which their modules entered; at least one.
#[derive(Debug)]
struct Name(Vec<(ModuleId, ExportId)>);

/// A definition in the global scope.
pub(crate) struct GlobalDefinition<'a> {
    pub(crate) module: ModuleId,
    pub(crate) path: &'a Arc<str>,
    pub(crate) info: &'a ModuleInfo,
    pub(crate) id: ExportId,
    pub(crate) export: &'a Export,
}

impl GlobalScope {
    /// A module enters; one that is there keeps its place.
    pub(crate) fn enter(&mut self, id: ModuleId, path: &Arc<str>, info: &Arc<ModuleInfo>) {
        if self.members.contains_key(&id) {
            return;
        }
        let member = Member {
            entered: self.next,
            path: Arc::clone(path),
            info: Arc::clone(info),
        };
        self.order.push((self.next, id));
        self.next += 1;
        self.members.insert(id, member);
        for (export, name) in definitions(id, info) {
            let hash = self.hasher.hash_one(name);
            let members = &self.members;
            let same = |other: &Name| text(members, other) == name;
            let again = |other: &Name| self.hasher.hash_one(text(members, other));
            match self.names.entry(hash, same, again) {
                Entry::Occupied(known) => known.into_mut().0.push((id, export)),
                Entry::Vacant(new) => drop(new.insert(Name(Vec::from([(id, export)])))),
            }
        }
    }

    /// A module leaves; one that is not there does not matter.
    pub(crate) fn leave(&mut self, id: ModuleId) {
        let Some(member) = self.members.get(&id) else {
            return;
        };
        let place = |(entered, _): &(u32, ModuleId)| *entered;
        if let Ok(at) = self.order.binary_search_by_key(&member.entered, place) {
            self.order.remove(at);
        }
        for (_, name) in definitions(id, &member.info) {
            let hash = self.hasher.hash_one(name);
            let same = |other: &Name| text(&self.members, other) == name;
            if let Ok(mut known) = self.names.find_entry(hash, same) {
                let definitions = &mut known.get_mut().0;
                definitions.retain(|(other, _)| *other != id);
                if definitions.is_empty() {
                    known.remove();
                }
            }
        }
        self.members.remove(&id);
    }

    pub(crate) fn contains(&self, id: ModuleId) -> bool {
        self.members.contains_key(&id)
    }

    /// All members, in the order in which they entered.
    pub(crate) fn iter(&self) -> impl Iterator<Item = ModuleId> {
        self.order.iter().map(|(_, id)| *id)
    }

    /// Returns `true` if main is the only module in it.
    pub(crate) fn is_only_main(&self) -> bool {
        self.members.len() == 1 && self.contains(ModuleId::MAIN)
    }

    /// The first definition of a name.
    pub(crate) fn find(&self, name: &str) -> Option<GlobalDefinition<'_>> {
        let main = self.members.get(&ModuleId::MAIN);
        let of_main = main.and_then(|main| {
            let (id, export) = main.info.exports.find(name)?;
            let is_defined = main.info.defines_export(export);
            is_defined.then(|| main.definition(ModuleId::MAIN, id))
        });
        of_main.or_else(|| self.find_behind_main(name))
    }

    /// The first definition of a name in another module than main.
    pub(crate) fn find_behind_main(&self, name: &str) -> Option<GlobalDefinition<'_>> {
        if self.names.is_empty() {
            return None;
        }
        let hash = self.hasher.hash_one(name);
        let known = self
            .names
            .find(hash, |other| text(&self.members, other) == name)?;
        let (id, export) = *known.0.first()?;
        let member = self.members.get(&id)?;
        Some(member.definition(id, export))
    }
}

impl Member {
    fn definition(&self, module: ModuleId, id: ExportId) -> GlobalDefinition<'_> {
        GlobalDefinition {
            module,
            path: &self.path,
            info: &self.info,
            id,
            export: self.info.exports.get(id),
        }
    }
}

/// Returns the names that a module adds.
fn definitions(id: ModuleId, info: &ModuleInfo) -> impl Iterator<Item = (ExportId, &str)> {
    let exports = (0..).zip(info.exports.iter());
    exports
        .filter(move |(_, export)| id != ModuleId::MAIN && info.defines_export(export))
        .map(|(at, export)| (ExportId(at), &*export.name))
}

fn text<'a>(members: &'a HashMap<ModuleId, Member>, name: &Name) -> &'a str {
    let first = name.0.first().and_then(|(id, export)| {
        let member = members.get(id)?;
        Some(&*member.info.exports.get(*export).name)
    });
    // A name is there as long as one of those who define it.
    first.unwrap_or_default()
}

#[cfg(all(test, feature = "parse"))]
mod tests {
    use super::*;
    use crate::module::{ExportType, ImportType, Parts};

    /// `dylink.0` with memory and table of no size.
    const DYLINK: &[u8] = &[1, 4, 0, 0, 0, 0];
    const NAMES: [&str; 12] = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"];

    fn module(names: u32) -> Arc<ModuleInfo> {
        let exported = (0..).zip(NAMES).filter(|(bit, _)| names & 1 << bit != 0);
        let exports: Vec<(&str, ExportType)> = exported
            .map(|(bit, name)| match bit % 4 {
                0 => (name, ExportType::Tag),
                1 => (name, ExportType::Global),
                _ => (name, ExportType::Function),
            })
            .collect();
        // Tags that are only passed on are no definitions.
        let imports = [("env", "e", ImportType::Tag(None))];
        let parts = Parts {
            dylink: Some(DYLINK),
            stamps: &[],
            imports: &imports,
            exports: &exports,
            starts: false,
        };
        Arc::new(ModuleInfo::from_parts(parts).expect("it is a side module"))
    }

    /// Modules come and go by chance; every name is found where one finds it who asks each in turn.
    #[test]
    fn the_hash_finds_what_asking_each_in_turn_finds() {
        let path: Arc<str> = "module".into();
        let mut random = 0x2545_f491_4f6c_dd1du64;
        let mut next = |below: u32| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            (random >> 33) as u32 % below
        };
        let mut scope = GlobalScope::default();
        let mut plain: Vec<(ModuleId, Arc<ModuleInfo>)> = Vec::new();
        let main = module(0b11);
        scope.enter(ModuleId::MAIN, &path, &main);
        plain.push((ModuleId::MAIN, main));
        let mut found = 0;
        for id in 2..3000 {
            let info = module(next(1 << 12) & next(1 << 12));
            scope.enter(ModuleId(id), &path, &info);
            plain.push((ModuleId(id), info));
            // Who is there enters once.
            let (again, info) = &plain[next(plain.len() as u32) as usize];
            scope.enter(*again, &path, info);
            while plain.len() > 1 && next(8) > 3 {
                let (gone, _) = plain.remove(1 + next(plain.len() as u32 - 1) as usize);
                scope.leave(gone);
                scope.leave(gone);
            }
            assert!(scope.iter().eq(plain.iter().map(|(id, _)| *id)));
            assert_eq!(scope.is_only_main(), plain.len() == 1);
            for name in NAMES {
                let find = |modules: &[(ModuleId, Arc<ModuleInfo>)]| {
                    modules.iter().find_map(|(module, info)| {
                        let (id, export) = info.exports.find(name)?;
                        info.defines_export(export).then_some((*module, id))
                    })
                };
                let place = |found: GlobalDefinition<'_>| (found.module, found.id);
                assert_eq!(scope.find(name).map(place), find(&plain), "{name}");
                let expected = find(&plain[1..]);
                assert_eq!(scope.find_behind_main(name).map(place), expected, "{name}");
                found += u32::from(expected.is_some());
            }
        }
        assert!(found > 1000, "only {found} were found");
        for (id, _) in plain.drain(1..) {
            scope.leave(id);
        }
        assert!(scope.names.is_empty() && scope.is_only_main());
    }
}
