//! Libraries that nobody asked for, and that have what is missing.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use hashbrown::{HashMap, HashSet};

use crate::calls::process::Process;
use crate::decide::unresolved::{Problem, Unresolved};
use crate::find::group::{Group, Member};
use crate::find::search::{self, directories, directory, within};
use crate::module::ModuleInfo;
use crate::program::ids::FileId;

/// How many files are read for one message.
const LOOKED_INTO: usize = 64;
/// How many directories of one module are looked into. A run-time path may be of any length.
const DIRECTORIES: usize = 16;

/// Tells of each symbol that is missing whether a library on disk defines it that its module does not name.
pub(crate) fn nearby<P: Process>(process: &mut P, group: &Group, symbols: &mut [Unresolved]) {
    let (library_path, loaded) = process.program(|program| {
        let loaded = program.files.keys().copied();
        let loaded: HashSet<FileId> = loaded.collect();
        (program.config.library_path.clone(), loaded)
    });
    let members = group.members.iter().map(|member| member.file);
    let mut shelf = Shelf {
        // What is loaded or about to be was asked before.
        asked: members.chain(loaded).collect(),
        read: HashMap::new(),
        listed: HashMap::new(),
    };
    for symbol in symbols {
        let mut members = group.members.iter();
        let importer = members.find(|member| member.path == symbol.needed_by);
        if let (Problem::Missing, Some(importer)) = (&symbol.problem, importer)
            && let Some(problem) = found(process, &mut shelf, symbol, importer, &library_path)
        {
            symbol.problem = problem;
        }
    }
}

fn found<P: Process>(
    process: &mut P,
    shelf: &mut Shelf,
    symbol: &Unresolved,
    importer: &Member,
    library_path: &[String],
) -> Option<Problem> {
    let requester = search::Requester {
        path: &importer.path,
        runtime_path: &importer.info.runtime_path,
    };
    // Of imports of one name, the one that was refused: a definition of another type would be another mistake.
    let imports = importer.info.imports.iter();
    let import = { imports }.find(|import| *import.name == *symbol.name && symbol.is(import))?;
    let searched = directories(Some(requester), library_path).take(DIRECTORIES);
    let searched = searched.map(|directory| (directory, true));
    let beside = (String::from(directory(&importer.path)), false);
    for (directory, searched) in searched.chain([beside]) {
        for (path, info) in shelf.libraries(process, &directory) {
            if info.defines(import) {
                return Some(Problem::NotNeeded {
                    defined_in: Arc::clone(path),
                    searched,
                });
            }
        }
    }
    None
}

type Library = (Arc<str>, Arc<ModuleInfo>);

/// What was found so far: each directory is listed once, each file read once.
struct Shelf {
    asked: HashSet<FileId>,
    read: HashMap<FileId, Option<Arc<ModuleInfo>>>,
    listed: HashMap<String, Vec<Library>>,
}

impl Shelf {
    /// The side modules in a directory that this process could load.
    fn libraries<P: Process>(&mut self, process: &mut P, directory: &str) -> &[Library] {
        if !self.listed.contains_key(directory) {
            let mut names = process.list(directory);
            names.retain(|name| name.ends_with(".so") || name.ends_with(".wasm"));
            names.sort_unstable();
            let paths = names.iter().map(|name| within(directory, name));
            let libraries =
                paths.filter_map(|path| Some((path.as_str().into(), self.read(process, &path)?)));
            let libraries = libraries.collect();
            self.listed.insert(directory.into(), libraries);
        }
        &self.listed[directory]
    }

    fn read<P: Process>(&mut self, process: &mut P, path: &str) -> Option<Arc<ModuleInfo>> {
        if self.read.len() >= LOOKED_INTO {
            return None;
        }
        let file = process.identify(path)?;
        if self.asked.contains(&file) {
            return None;
        }
        if let Some(info) = self.read.get(&file) {
            return info.clone();
        }
        let info = process.fetch(path).ok().map(|fetched| fetched.info);
        let info = info
            .filter(|info| process.program(|program| program.check_contract(path, info).is_ok()));
        self.read.insert(file, info.clone());
        info
    }
}
