//! A `dlopen` by the plan: the group and what it is bound to, recalled instead of found.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::{Plan, PlanError, PlannedMember, SetExport, SetIndex};
use crate::decide::binding::Binding;
use crate::decide::resolve::Resolution;
use crate::decide::thunk::ThunkModule;
use crate::find::error::FindError;
use crate::find::files::Files;
use crate::find::group::{Definition, Group, Member, Node};
use crate::module::{ContentHash, ModuleInfo};
use crate::program::ids::{FileId, ModuleId};
use crate::program::state::State;

/// A load group that the plan knows.
pub(crate) struct Recalled<Source> {
    pub(crate) group: Group,
    pub(crate) sources: Vec<Source>,
    pub(crate) resolution: Resolution,
}

/// The reason why a load group cannot be recalled.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RecallError {
    #[error(transparent)]
    Find(#[from] FindError),
    #[error("cannot load `{path}`: {reason}")]
    Plan {
        path: String,
        #[source]
        reason: PlanError,
    },
}

/// Returns the load group that the plan has for `path`; `None` when the plan has none that holds now, and the `dlopen` has to be
/// decided.
pub(crate) async fn recall<P: Files + State>(
    process: &mut P,
    plan: &Plan,
    path: &str,
) -> Result<Option<Recalled<P::Source>>, RecallError> {
    let Some(group) = plan.root(path) else {
        return Ok(None);
    };
    let failed = |reason| RecallError::Plan {
        path: String::from(path),
        reason,
    };
    check_main(process, plan).map_err(failed)?;
    let planned = plan.group(group).map_err(failed)?;
    let Some(missing) = Missing::of(process, &planned.members) else {
        return Ok(None);
    };
    let paths = missing.members.iter().map(|(member, _)| &member.path);
    let paths: Vec<Arc<str>> = paths.cloned().collect();
    process.prefetch(&paths).await;

    let mut recalled = Recalled {
        group: Group::default(),
        sources: Vec::new(),
        resolution: Resolution {
            members: Vec::new(),
        },
    };
    for (member, file) in &missing.members {
        let source = process.fetch(&member.path).await;
        let source = source.map_err(|reason| FindError::Unusable {
            path: String::from(&*member.path),
            needed_by: None,
            reason,
        })?;
        if process.hash(&source) != plan.modules[member.module as usize].hash {
            return Err(failed(plan.stale(&member.path)));
        }
        let info = Arc::clone(plan.described(member.module).map_err(failed)?);
        process
            .program(|program| program.config.check_contract(&member.path, &info))
            .map_err(FindError::from)?;
        let needs = member.needs.iter().map(|need| missing.node(*need));
        recalled.group.members.push(Member {
            path: Arc::clone(&member.path),
            file: *file,
            info,
            needs: needs.collect::<Result<_, _>>().map_err(failed)?,
            planned: Some(member.module),
        });
        let bindings = member
            .bindings
            .iter()
            .map(|binding| missing.binding(binding));
        let bindings: Result<_, _> = bindings.collect();
        recalled.resolution.members.push(bindings.map_err(failed)?);
        recalled.sources.push(source);
    }
    Ok(Some(recalled))
}

/// The members of a planned group that are not loaded.
struct Missing<'a> {
    members: Vec<(&'a PlannedMember, FileId)>,
    nodes: Vec<(SetIndex, Node)>,
}

impl<'a> Missing<'a> {
    /// `None` if one of the files is gone, or is loaded other than by the plan: then it has to be looked at.
    fn of<P: Files + State>(process: &mut P, planned: &'a [PlannedMember]) -> Option<Self> {
        let mut missing = Self {
            members: Vec::new(),
            nodes: Vec::new(),
        };
        for member in planned {
            let file = process.identify(&member.path)?;
            let loaded = process.program(|program| {
                let id = program.files.get(&file)?;
                Some((*id, program.modules.get(id)?.planned))
            });
            match loaded {
                Some((id, Some(number)))
                    if number == member.module && !missing.members.is_empty() =>
                {
                    missing.nodes.push((number, Node::Loaded(id)));
                }
                Some(_) => return None,
                None => {
                    let node = Node::New(missing.members.len());
                    missing.nodes.push((member.module, node));
                    missing.members.push((member, file));
                }
            }
        }
        Some(missing)
    }

    fn node(&self, number: SetIndex) -> Result<Node, PlanError> {
        if number == 0 {
            return Ok(Node::Loaded(ModuleId::MAIN));
        }
        let found = self.nodes.iter().find(|(known, _)| *known == number);
        found.map(|(_, node)| *node).ok_or(PlanError::Damaged {
            at: 0,
            reason: "it binds to a module that is not in the group",
        })
    }

    fn binding(&self, binding: &Binding<SetExport>) -> Result<Binding<Definition>, PlanError> {
        let definition = |(number, export): SetExport| {
            let node = self.node(number)?;
            Ok(Definition { node, export })
        };
        binding.try_map(definition, |callee| callee.map(definition).transpose())
    }
}

/// Checks that main is the one that the plan was made for.
fn check_main<P: State>(process: &mut P, plan: &Plan) -> Result<(), PlanError> {
    process.program(|program| {
        if program.main_hash == Some(plan.modules[0].hash) {
            return Ok(());
        }
        Err(plan.stale(program.path(ModuleId::MAIN).unwrap_or_default()))
    })
}

impl Plan {
    /// Returns the description of main, for a host whose main has this hash and this name. [`Engine::main`](crate::Engine::main)
    /// may
    /// return it instead of parsing main.
    ///
    /// # Errors
    /// When main is not the one that the plan was made for.
    pub fn main(&self, hash: ContentHash, name: &str) -> Result<Arc<ModuleInfo>, PlanError> {
        if self.modules[0].hash != hash {
            return Err(self.stale(name));
        }
        self.described(0).cloned()
    }

    /// Returns the description of the module with this content. `None` if it is not in the set.
    /// [`Files::describe`](crate::Files::describe) may return it instead of parsing the module.
    #[must_use]
    pub fn describe(&self, hash: ContentHash) -> Option<Result<Arc<ModuleInfo>, PlanError>> {
        let place = self.by_hash.get(&hash)?;
        Some(self.described(*place).cloned())
    }

    /// The hash of the module that is loaded for a file with this content; `None` if there is none in the set.
    #[must_use]
    pub fn code(&self, hash: ContentHash) -> Option<ContentHash> {
        let place = self.by_hash.get(&hash)?;
        Some(self.modules[*place as usize].code)
    }

    /// Returns, for a host that cannot compile when a library is opened, the module that has to be compiled with all others and
    /// that [gives thunks](ThunkModule::common), and the hash of [its bytes](ThunkModule::to_wasm). `None`: no thunk can be
    /// needed.
    #[must_use]
    pub fn common_thunks(&self) -> Option<(ContentHash, ThunkModule)> {
        let thunks = self.common_thunks.as_ref()?;
        let signatures = thunks.signatures.iter().cloned();
        Some((thunks.hash, ThunkModule::of_forwards(signatures)))
    }

    /// A file is not what it was.
    #[must_use]
    pub fn stale(&self, path: &str) -> PlanError {
        let remake = self.text(self.remake, 0).unwrap_or_default();
        PlanError::Stale {
            path: path.into(),
            remake: remake.into(),
        }
    }
}
