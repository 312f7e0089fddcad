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
pub(crate) enum Gathered<Source> {
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
) -> Result<Gathered<P::Source>, FindError> {
    let root = locate(process, path, None)?;
    if let Some(id) = loaded(process, &root)? {
        return Ok(Gathered::Loaded(id));
    }
    if flags.noload {
        return Err(FindError::NotLoaded { path: path.into() });
    }

    let mut gathering = Gathering::default();
    gathering.numbers.insert(root.file, 0);
    gathering.take(process, root, None).await?;
    gathering.take_all_needed(process).await?;
    Ok(Gathered::New(gathering.group, gathering.sources))
}

/// Finds what main was linked with, and all that it needs.
pub(crate) async fn gather_for_main<P: Files + Diagnostics + State>(
    process: &mut P,
) -> Result<(Group, Vec<P::Source>), FindError> {
    let (path, requester) = process.program(|program| {
        let main = &program.modules[&ModuleId::MAIN];
        let path = match &program.config.origin {
            // Of a path, only the directory matters.
            Some(origin) => search::within(origin, "main").into(),
            None => Arc::clone(&main.path),
        };
        let info = Arc::clone(&main.info);
        (Arc::clone(&main.path), Requester { path, info })
    });
    let mut gathering = Gathering::default();
    let needs = gathering.take_needed(process, &requester, &path).await?;
    gathering.group.needs_of_main = Some(needs);
    gathering.take_all_needed(process).await?;
    Ok((gathering.group, gathering.sources))
}

/// A load group that is being gathered.
struct Gathering<Source> {
    group: Group,
    sources: Vec<Source>,
    /// The number of a member is its place in the group.
    numbers: HashMap<FileId, usize>,
    /// Libraries that are not found.
    missing: Vec<FindError>,
}

impl<Source> Default for Gathering<Source> {
    fn default() -> Self {
        Self {
            group: Group::default(),
            sources: Vec::new(),
            numbers: HashMap::new(),
            missing: Vec::new(),
        }
    }
}

impl<Source> Gathering<Source> {
    /// Takes what the members need, and what that needs. All that is not found is reported at once.
    async fn take_all_needed<P: Files<Source = Source> + Diagnostics + State>(
        &mut self,
        process: &mut P,
    ) -> Result<(), FindError> {
        let mut next = 0;
        while next < self.group.members.len() {
            let path = Arc::clone(&self.group.members[next].path);
            let requester = Requester {
                path: Arc::clone(&path),
                info: Arc::clone(&self.group.members[next].info),
            };
            let needs = self.take_needed(process, &requester, &path).await?;
            self.group.members[next].needs = needs;
            next += 1;
        }
        match self.missing.len() {
            0 => Ok(()),
            1 => Err(self.missing.remove(0)),
            _ => Err(FindError::Several {
                errors: core::mem::take(&mut self.missing),
            }),
        }
    }

    /// Takes what one module needs, which messages call `name`.
    async fn take_needed<P: Files<Source = Source> + Diagnostics + State>(
        &mut self,
        process: &mut P,
        requester: &Requester,
        name: &Arc<str>,
    ) -> Result<Vec<Node>, FindError> {
        let mut needs = Vec::new();
        for needed in &requester.info.needed {
            let library = match locate(process, needed, Some(requester)) {
                Ok(library) => library,
                Err(mut error) => {
                    if let FindError::NotFound { needed_by, .. } = &mut error {
                        *needed_by = Some(Arc::clone(name));
                    }
                    self.missing.push(error);
                    continue;
                }
            };
            let node = if let Some(member) = self.numbers.get(&library.file) {
                Node::New(*member)
            } else if let Some(id) = loaded(process, &library)? {
                Node::Loaded(id)
            } else {
                let member = self.group.members.len();
                self.numbers.insert(library.file, member);
                self.take(process, library, Some(name)).await?;
                Node::New(member)
            };
            if !needs.contains(&node) {
                needs.push(node);
            }
        }
        Ok(needs)
    }

    /// Reads a file into the group.
    async fn take<P: Files<Source = Source> + State>(
        &mut self,
        process: &mut P,
        library: Library,
        needed_by: Option<&Arc<str>>,
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
        self.group.members.push(Member {
            path: library.path,
            file: library.file,
            info,
            needs: Vec::new(),
            planned: None,
        });
        self.sources.push(source);
        Ok(())
    }
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
