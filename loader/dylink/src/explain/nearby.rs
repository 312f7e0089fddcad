//! Libraries on disk that define what is missing.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use hashbrown::{HashMap, HashSet};

use crate::decide::unresolved::{Problem, Unresolved};
use crate::find::files::Files;
use crate::find::group::{Group, Member};
use crate::find::search::{self, directories, directory};
use crate::module::ModuleInfo;
use crate::program::diagnostics::Diagnostics;
use crate::program::ids::FileId;
use crate::program::state::State;

/// The number of files that are read for one message.
const FILES: usize = 64;
/// The number of directories of one module that are looked into. A run-time path may be of any length.
const DIRECTORIES: usize = 16;

/// Adds to each symbol that is missing the library on disk that defines it, and that its module does not name.
pub(crate) fn nearby<P: Files + Diagnostics + State>(
    process: &mut P,
    group: &Group,
    symbols: &mut [Unresolved],
) {
    let (library_path, loaded) = process.program(|program| {
        let loaded = program.files.keys().copied();
        let loaded: HashSet<FileId> = loaded.collect();
        (program.config.library_path.clone(), loaded)
    });
    let members = group.members.iter().map(|member| member.file);
    let mut libraries = Libraries {
        // What is loaded or about to be was asked before.
        asked: members.chain(loaded).collect(),
        read: HashMap::new(),
        listed: HashMap::new(),
    };
    for symbol in symbols {
        let mut members = group.members.iter();
        let importer = members.find(|member| member.path == symbol.needed_by);
        if let (Problem::Missing, Some(importer)) = (&symbol.problem, importer)
            && let Some(problem) = found(process, &mut libraries, symbol, importer, &library_path)
        {
            symbol.problem = problem;
        }
    }
}

fn found<P: Files + Diagnostics + State>(
    process: &mut P,
    libraries: &mut Libraries,
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
        for (path, info) in libraries.within(process, &directory) {
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

/// The libraries that were found so far: each directory is listed once, each file read once.
struct Libraries {
    asked: HashSet<FileId>,
    read: HashMap<FileId, Option<Arc<ModuleInfo>>>,
    listed: HashMap<String, Vec<Library>>,
}

impl Libraries {
    /// Returns the side modules in a directory that this process could load.
    fn within<P: Files + Diagnostics + State>(
        &mut self,
        process: &mut P,
        directory: &str,
    ) -> &[Library] {
        if !self.listed.contains_key(directory) {
            let mut names = process.list(directory);
            names.retain(|name| name.ends_with(".so") || name.ends_with(".wasm"));
            names.sort_unstable();
            let paths = names.iter().map(|name| search::within(directory, name));
            let libraries =
                paths.filter_map(|path| Some((path.as_str().into(), self.read(process, &path)?)));
            let libraries = libraries.collect();
            self.listed.insert(directory.into(), libraries);
        }
        &self.listed[directory]
    }

    fn read<P: Files + Diagnostics + State>(
        &mut self,
        process: &mut P,
        path: &str,
    ) -> Option<Arc<ModuleInfo>> {
        if self.read.len() >= FILES {
            return None;
        }
        let file = process.identify(path)?;
        if self.asked.contains(&file) {
            return None;
        }
        if let Some(info) = self.read.get(&file) {
            return info.clone();
        }
        let info = process.describe_file(path).filter(|info| {
            process.program(|program| program.config.check_contract(path, info).is_ok())
        });
        self.read.insert(file, info.clone());
        info
    }
}
