//! Libraries that a module was not linked with but that define its missing symbols.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::Path;

use pymode_dylink::{ModuleInfo, Unnamed};

/// Maximum number of files read for one module.
const MOST_FILES_READ: usize = 64;

/// Returns the files of a directory, each with its path and content.
pub(super) type List<'a> = &'a dyn Fn(&str) -> Vec<(String, Vec<u8>)>;

/// The directories around a module: those that are searched for its libraries, and its own.
pub(super) struct Nearby<'a> {
    list: List<'a>,
    path: &'a str,
    /// `true` for a directory that is searched for libraries.
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

    /// Describes the library that defines a symbol which nothing else defines.
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
                    .take(MOST_FILES_READ.saturating_sub(known))
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

/// Reads the files of a directory that may be libraries. Skips files that cannot be read.
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
        .take(MOST_FILES_READ)
        .filter_map(|path| Some((path.clone(), std::fs::read(path).ok()?)))
        .collect()
}
