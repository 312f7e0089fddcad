//! From a path to the load group: find, read and check the file and everything it needs.

use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;

use hashbrown::HashMap;

use crate::find::error::FindError;
use crate::find::files::Files;
use crate::find::group::{Group, Member, Node};
use crate::find::search;
use crate::module::ModuleInfo;
use crate::program::Phase;
use crate::program::diagnostics::{Diagnostics, Event};
use crate::program::flags::OpenFlags;
use crate::program::ids::{FileId, ModuleId};
use crate::program::state::State;

/// The outcome of a search.
pub(crate) enum Found<Source> {
    /// A module that is loaded.
    Loaded(ModuleId),
    /// Files that are not. One source for each member.
    New(Group, Vec<Source>),
}

/// A module that needs a library.
struct Requester {
    path: Arc<str>,
    info: Arc<ModuleInfo>,
}

/// A library that was found.
struct Library {
    path: Arc<str>,
    file: FileId,
}

/// Finds the library at `path`, and all that it needs and that is not loaded.
pub(crate) async fn gather<P: Files + Diagnostics + State>(
    process: &mut P,
    path: &str,
    flags: OpenFlags,
) -> Result<Found<P::Source>, FindError> {
    let root = locate(process, path, None)?;
    if let Some(id) = loaded(process, &root)? {
        return Ok(Found::Loaded(id));
    }
    if flags.noload {
        return Err(FindError::NotLoaded { path: path.into() });
    }

    let mut group = Group::default();
    let mut sources = Vec::new();
    // The number of a member is its place in the group.
    let mut numbers: HashMap<FileId, usize> = HashMap::from_iter([(root.file, 0)]);
    take(process, root, None, &mut group, &mut sources).await?;
    let mut next = 0;
    while next < group.members.len() {
        let requester = Requester {
            path: Arc::clone(&group.members[next].path),
            info: Arc::clone(&group.members[next].info),
        };
        for name in &requester.info.needed {
            let library = locate(process, name, Some(&requester))?;
            let node = if let Some(member) = numbers.get(&library.file) {
                Node::New(*member)
            } else if let Some(id) = loaded(process, &library)? {
                Node::Loaded(id)
            } else {
                let member = group.members.len();
                numbers.insert(library.file, member);
                let needed_by = Some(&requester.path);
                take(process, library, needed_by, &mut group, &mut sources).await?;
                Node::New(member)
            };
            let needs = &mut group.members[next].needs;
            if !needs.contains(&node) {
                needs.push(node);
            }
        }
        next += 1;
    }
    Ok(Found::New(group, sources))
}

/// Returns the first candidate that leads to a file.
fn locate<P: Files + Diagnostics + State>(
    process: &mut P,
    name: &str,
    requester: Option<&Requester>,
) -> Result<Library, FindError> {
    let library_path = process.program(|program| program.config.library_path.clone());
    let candidates = search::candidates(
        name,
        requester.map(|requester| search::Requester {
            path: &requester.path,
            runtime_path: &requester.info.runtime_path,
        }),
        &library_path,
    );
    let traces = process.traces();
    if traces {
        let needed_by = requester.map(|by| &*by.path);
        process.trace(Event::Find { name, needed_by });
    }
    for path in &candidates {
        let file = process.identify(path);
        if traces {
            let found = file.is_some();
            process.trace(Event::Try { path, found });
        }
        if let Some(file) = file {
            let path = path.as_str().into();
            return Ok(Library { path, file });
        }
    }
    Err(FindError::NotFound {
        name: name.into(),
        needed_by: requester.map(|requester| Arc::clone(&requester.path)),
        searched: if name.contains('/') {
            Vec::from([name.to_string()])
        } else {
            candidates
        },
    })
}

/// Returns the loaded module that a file is.
fn loaded<P: State>(process: &mut P, library: &Library) -> Result<Option<ModuleId>, FindError> {
    process.program(|program| {
        let Some(id) = program.files.get(&library.file) else {
            return Ok(None);
        };
        match program.modules.get(id).map(|module| module.phase) {
            Some(Phase::Linking) => Err(FindError::Busy {
                path: String::from(&*library.path),
            }),
            _ => Ok(Some(*id)),
        }
    })
}

/// Reads a file into the group.
async fn take<P: Files + State>(
    process: &mut P,
    library: Library,
    needed_by: Option<&Arc<str>>,
    group: &mut Group,
    sources: &mut Vec<P::Source>,
) -> Result<(), FindError> {
    let unusable = |reason| FindError::Unusable {
        path: library.path.to_string(),
        needed_by: needed_by.cloned(),
        reason,
    };
    let source = process.fetch(&library.path).await.map_err(unusable)?;
    let info = process.describe(&source);
    let info = info.map_err(|reason| unusable(reason.into()))?;
    process.program(|program| program.config.check_contract(&library.path, &info))?;
    group.members.push(Member {
        path: library.path,
        file: library.file,
        info,
        needs: Vec::new(),
        planned: None,
    });
    sources.push(source);
    Ok(())
}
