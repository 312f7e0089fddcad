//! From a path to the load group: find, read and check the file and everything it needs.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;

use hashbrown::HashMap;

use crate::calls::process::Process;
use crate::error::OpenError;
use crate::find::group::{Group, Member, Node};
use crate::find::search;
use crate::module::ModuleInfo;
use crate::program::State;
use crate::program::flags::OpenFlags;
use crate::program::ids::{FileId, ModuleId};

/// What a path leads to.
pub(crate) enum Found<Source> {
    /// A module that is loaded.
    Loaded(ModuleId),
    /// Files that are not. One source for each member.
    New(Group, Vec<Source>),
}

/// Who asks for a library.
struct Requester {
    path: Arc<str>,
    info: Arc<ModuleInfo>,
}

/// Where a library was found.
struct Located {
    path: Arc<str>,
    file: FileId,
}

pub(crate) fn gather<P: Process>(
    process: &mut P,
    path: &str,
    flags: OpenFlags,
) -> Result<Found<P::Source>, OpenError> {
    let root = locate(process, path, None)?;
    if let Some(id) = loaded(process, &root)? {
        return Ok(Found::Loaded(id));
    }
    if flags.noload {
        return Err(OpenError::NotLoaded { path: path.into() });
    }

    let mut group = Group::default();
    let mut sources = Vec::new();
    let mut members: HashMap<FileId, usize> = HashMap::from_iter([(root.file, 0)]);
    take(process, root, None, &mut group, &mut sources)?;
    let mut next = 0;
    while next < group.members.len() {
        let requester = Requester {
            path: Arc::clone(&group.members[next].path),
            info: Arc::clone(&group.members[next].info),
        };
        for name in &requester.info.needed {
            let library = locate(process, name, Some(&requester))?;
            let node = if let Some(member) = members.get(&library.file) {
                Node::New(*member)
            } else if let Some(id) = loaded(process, &library)? {
                Node::Loaded(id)
            } else {
                let member = group.members.len();
                members.insert(library.file, member);
                take(process, library, Some(&requester), &mut group, &mut sources)?;
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

/// The first place where there is a file.
fn locate<P: Process>(
    process: &mut P,
    name: &str,
    requester: Option<&Requester>,
) -> Result<Located, OpenError> {
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
        let by = requester.map_or(String::new(), |by| format!(", needed by {}", by.path));
        process.trace(&format!("find {name}{by}"));
    }
    for candidate in &candidates {
        let found = process.identify(candidate);
        if traces {
            let outcome = if found.is_some() { "found" } else { "nothing" };
            process.trace(&format!("  try {candidate}: {outcome}"));
        }
        if let Some(file) = found {
            return Ok(Located {
                path: candidate.as_str().into(),
                file,
            });
        }
    }
    Err(OpenError::NotFound {
        name: name.into(),
        needed_by: requester.map(|requester| Arc::clone(&requester.path)),
        searched: if name.contains('/') {
            Vec::from([name.to_string()])
        } else {
            candidates
        },
    })
}

/// The loaded module that a file is.
fn loaded<P: Process>(process: &mut P, library: &Located) -> Result<Option<ModuleId>, OpenError> {
    process.program(|program| {
        let Some(id) = program.files.get(&library.file) else {
            return Ok(None);
        };
        match program.modules.get(id).map(|module| module.state) {
            Some(State::Linking) => Err(OpenError::Busy {
                path: String::from(&*library.path),
            }),
            _ => Ok(Some(*id)),
        }
    })
}

/// Reads a file into the group.
fn take<P: Process>(
    process: &mut P,
    library: Located,
    requester: Option<&Requester>,
    group: &mut Group,
    sources: &mut Vec<P::Source>,
) -> Result<(), OpenError> {
    let fetched = process
        .fetch(&library.path)
        .map_err(|reason| OpenError::Unusable {
            path: library.path.to_string(),
            needed_by: requester.map(|requester| Arc::clone(&requester.path)),
            reason,
        })?;
    process.program(|program| program.check_contract(&library.path, &fetched.info))?;
    group.members.push(Member {
        path: library.path,
        file: library.file,
        info: fetched.info,
        needs: Vec::new(),
        planned: None,
    });
    sources.push(fetched.source);
    Ok(())
}
