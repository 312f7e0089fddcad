//! Inspections of modules, made before and kept as notes for where there are no bytes to inspect.
//!
//! An engine that never has the bytes of its modules (V8 in a Worker) cannot [inspect](Inspection::from_bytes) them when a symbol
//! is missing. The symbols that can be missing are known when the modules are put together, and usually there are none; so
//! those are explained then, and most sets have no notes.
//!
//! Notes are text. A line `= KEY` names a module; below it stand `d NAME` for a function that it has and does not export, and
//! `e MODULE NAME EXPORT`, `p MODULE NAME`, `n MODULE NAME` for an import that is reached from an export, through pointers, or not at all.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write;

use hashbrown::HashSet;

use crate::module::inspect::{Inspection, Reach};
use crate::module::{Import, ImportKind, ModuleInfo};

/// A module of a set.
pub struct NotedModule<'a> {
    /// The key by which [`Inspection::from_notes`] finds it.
    pub key: &'a str,
    /// Its description.
    pub info: &'a ModuleInfo,
    /// Its bytes, with a name section if there is one; asked for only if there is something to note of it.
    pub bytes: &'a dyn Fn() -> Option<Vec<u8>>,
}

/// The symbols that are noted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UndefinedIn {
    /// All that main does not define.
    Main,
    /// Those that are missing unless a library is forgotten: not what a module imports from libraries that it needs, if one of the
    /// set defines it.
    Set,
}

/// Returns the notes of a set: its main module, and its side modules. `offered` tells of a function of the host, by module and name, that
/// there is one.
#[must_use]
pub fn notes(
    main: &NotedModule<'_>,
    sides: &[NotedModule<'_>],
    symbols: UndefinedIn,
    offered: &dyn Fn(&str, &str) -> bool,
) -> String {
    let mut text = String::new();
    let mut nobodys: HashSet<&str> = HashSet::new();
    let mut lines: Vec<(&str, String)> = Vec::new();
    for side in sides {
        let can_be = |import: &&Import| match symbols {
            _ if !can_be_missing(import, side, main, offered) => false,
            UndefinedIn::Main => true,
            UndefinedIn::Set => {
                side.info.needed.is_empty() || !sides.iter().any(|other| other.info.defines(import))
            }
        };
        let missing: Vec<&Import> = side.info.imports.iter().filter(can_be).collect();
        if missing.is_empty() {
            continue;
        }
        let inspection = (side.bytes)().and_then(|bytes| Inspection::from_bytes(&bytes));
        let mut own = String::new();
        for import in missing {
            let (module, name) = (&*import.module, &*import.name);
            let exported = |noted: &NotedModule<'_>| noted.info.exports.find(name).is_some();
            if import.kind != ImportKind::Host && !exported(main) && !sides.iter().any(exported) {
                nobodys.insert(name);
            }
            let reach = inspection.as_ref().and_then(|it| it.reach(module, name));
            // Skips names that would break the line format.
            let _ = match reach {
                Some(Reach::Export(export)) if plain(&[module, name, export]) => {
                    writeln!(own, "e {module} {name} {export}")
                }
                Some(Reach::Pointer) if plain(&[module, name]) => {
                    writeln!(own, "p {module} {name}")
                }
                Some(Reach::Nowhere) if plain(&[module, name]) => {
                    writeln!(own, "n {module} {name}")
                }
                _ => continue,
            };
        }
        lines.push((side.key, own));
    }
    if nobodys.is_empty() && lines.is_empty() {
        return text;
    }
    for noted in sides.iter().chain([main]) {
        let mut own = String::new();
        if !nobodys.is_empty()
            && let Some(inspection) = (noted.bytes)().and_then(|it| Inspection::from_bytes(&it))
        {
            let mut hidden: Vec<&&str> = nobodys
                .iter()
                .filter(|name| inspection.defines(name) && plain(&[name]))
                .collect();
            hidden.sort_unstable();
            for name in hidden {
                let _ = writeln!(own, "d {name}");
            }
        }
        if let Some((_, reached)) = lines.iter().find(|(key, _)| *key == noted.key) {
            own.push_str(reached);
        }
        if !own.is_empty() {
            let _ = write!(text, "= {}\n{own}", noted.key);
        }
    }
    text
}

/// Reports whether neither main nor the module itself defines an import.
fn can_be_missing(
    import: &Import,
    side: &NotedModule<'_>,
    main: &NotedModule<'_>,
    offered: &dyn Fn(&str, &str) -> bool,
) -> bool {
    match &import.kind {
        ImportKind::Host => !offered(&import.module, &import.name),
        ImportKind::Function { weak: false, .. }
        | ImportKind::DataAddress { weak: false }
        | ImportKind::FunctionAddress { weak: false } => {
            !main.info.defines(import) && !side.info.defines(import)
        }
        _ => false,
    }
}

fn plain(words: &[&str]) -> bool {
    let good = |word: &&str| !word.is_empty() && !word.contains(|c: char| c.is_whitespace());
    words.iter().all(good)
}
