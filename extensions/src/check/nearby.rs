//! Libraries that a module was not linked with, and that have what it lacks.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::Path;

use pymode_dylink::{ModuleInfo, Unnamed};

/// How many files are read for one module.
const LOOKED_INTO: usize = 64;

/// The files that lie together, by the directory's path: each with its own path and content.
pub(super) type List<'a> = &'a dyn Fn(&str) -> Vec<(String, Vec<u8>)>;

/// The surroundings of a module: the directories in which its libraries are looked for, and the one in which it lies.
pub(super) struct Nearby<'a> {
    list: List<'a>,
    path: &'a str,
    /// And whether a library is looked for there.
    directories: Vec<(String, bool)>,
    module: Option<ModuleInfo>,
    read: RefCell<HashMap<String, Vec<(String, ModuleInfo)>>>,
}

impl<'a> Nearby<'a> {
    pub(super) fn new(
        path: &'a str,
        wasm: &[u8],
        searched: impl Iterator<Item = String>,
        own: &str,
        list: List<'a>,
    ) -> Nearby<'a> {
        let searched = searched.map(|directory| (directory, true));
        let own = (own.to_owned(), false);
        Nearby {
            list,
            path,
            directories: searched.chain([own]).collect(),
            module: ModuleInfo::from_bytes(wasm).ok(),
            read: RefCell::default(),
        }
    }

    /// What there is to say of a symbol that nobody has who was asked.
    pub(super) fn has(&self, symbol: &str) -> Option<String> {
        let imports = self.module.as_ref()?.imports.iter();
        let wanted: Vec<_> = imports.filter(|import| *import.name == *symbol).collect();
        self.directories.iter().find_map(|(directory, searched)| {
            let mut read = self.read.borrow_mut();
            let known: usize = read.values().map(Vec::len).sum();
            let libraries = read.entry(directory.clone()).or_insert_with(|| {
                let files = (self.list)(directory).into_iter();
                let libraries = files.filter(|(path, _)| path != self.path);
                libraries
                    .filter_map(|(path, bytes)| Some((path, ModuleInfo::from_bytes(&bytes).ok()?)))
                    .take(LOOKED_INTO.saturating_sub(known))
                    .collect()
            });
            let mut libraries = libraries.iter();
            let defines = |info: &ModuleInfo| wanted.iter().any(|import| info.defines(import));
            let (library, _) = libraries.find(|(_, info)| defines(info))?;
            let unnamed = Unnamed {
                importer: self.path,
                library,
                searched: *searched,
            };
            Some(unnamed.to_string())
        })
    }
}

/// Those of a directory of this machine that may be libraries. What cannot be read has nothing to say.
pub(super) fn on_disk(directory: &str) -> Vec<(String, Vec<u8>)> {
    let Ok(entries) = std::fs::read_dir(if directory.is_empty() { "." } else { directory }) else {
        return Vec::new();
    };
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut names: Vec<String> = names
        .filter(|name| name.ends_with(".so") || name.ends_with(".wasm"))
        .collect();
    names.sort();
    let paths = names.into_iter().map(|name| {
        let path = Path::new(directory).join(name);
        path.to_string_lossy().into_owned()
    });
    paths
        .take(LOOKED_INTO)
        .filter_map(|path| Some((path.clone(), std::fs::read(path).ok()?)))
        .collect()
}
