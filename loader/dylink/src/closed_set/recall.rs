//! A `dlopen` by the plan: the group and what it is bound to, remembered instead of found.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::{Bound, ContentHash, Place, Plan, PlanError};
use crate::calls::process::Process;
use crate::decide::resolve::{Resolution, Target};
use crate::decide::thunk::Bridge;
use crate::error::OpenError;
use crate::find::gather::Found;
use crate::find::group::{Definition, Group, Member, Node};
use crate::module::ModuleInfo;
use crate::program::flags::OpenFlags;
use crate::program::ids::ModuleId;

/// A load group that the plan knows.
pub(crate) struct Recalled<Source> {
    pub(crate) group: Group,
    pub(crate) sources: Vec<Source>,
    pub(crate) resolution: Resolution,
}

/// What the plan says of `path`; `None` when it says nothing that holds now, and the `dlopen` has to be decided.
pub(crate) fn recall<P: Process>(
    process: &mut P,
    path: &str,
    flags: OpenFlags,
) -> Result<Option<Recalled<P::Source>>, OpenError> {
    let Some(plan) = process.plan() else {
        return Ok(None);
    };
    let Some(group) = plan.root(path) else {
        return Ok(None);
    };
    if flags.noload {
        return Ok(None);
    }
    let failed = |reason| OpenError::Plan {
        path: String::from(path),
        reason,
    };
    check_main(process, &plan).map_err(failed)?;
    let planned = plan.group(group).map_err(failed)?;

    let mut nodes: Vec<(Place, Node)> = Vec::new();
    let mut members = Vec::new();
    for member in &planned.members {
        let Some(file) = process.identify(&member.path) else {
            return Ok(None);
        };
        let loaded = process.program(|program| {
            let id = program.files.get(&file)?;
            Some((*id, program.modules.get(id)?.planned))
        });
        match loaded {
            Some((id, Some(place))) if place == member.module && !members.is_empty() => {
                nodes.push((place, Node::Loaded(id)));
            }
            // Loaded by itself, or something else at its place: let it be looked at.
            Some(_) => return Ok(None),
            None => {
                nodes.push((member.module, Node::New(members.len())));
                members.push((member, file));
            }
        }
    }
    let node = |place: Place| match place {
        0 => Some(Node::Loaded(ModuleId::MAIN)),
        place => nodes
            .iter()
            .find_map(|(known, node)| (*known == place).then_some(*node)),
    };
    let nowhere = || failed(plan_damaged());

    let mut recalled = Recalled {
        group: Group::default(),
        sources: Vec::new(),
        resolution: Resolution {
            members: Vec::new(),
        },
    };
    // All are asked for, even if one cannot be had: a host that has to fetch them can fetch them together.
    let fetched: Vec<_> = members
        .iter()
        .map(|(member, _)| process.fetch_hashed(&member.path))
        .collect();
    for ((member, file), fetched) in members.into_iter().zip(fetched) {
        let (source, hash) = fetched.map_err(|reason| OpenError::Unusable {
            path: String::from(&*member.path),
            needed_by: None,
            reason,
        })?;
        if hash != plan.modules[member.module as usize].hash {
            return Err(failed(plan.stale(&member.path)));
        }
        let info = Arc::clone(plan.described(member.module).map_err(failed)?);
        process.program(|program| program.check_contract(&member.path, &info))?;
        let needs = member.needs.iter().map(|need| node(*need));
        recalled.group.members.push(Member {
            path: Arc::clone(&member.path),
            file,
            info,
            needs: needs.collect::<Option<_>>().ok_or_else(nowhere)?,
            planned: Some(member.module),
        });
        let targets = member.bindings.iter().map(|bound| target(*bound, &node));
        let targets: Option<Vec<Target>> = targets.collect();
        recalled
            .resolution
            .members
            .push(targets.ok_or_else(nowhere)?);
        recalled.sources.push(source);
    }
    Ok(Some(recalled))
}

/// Main is looked at once.
fn check_main<P: Process>(process: &mut P, plan: &Plan) -> Result<(), PlanError> {
    if process.program(|program| program.plan_fits) {
        return Ok(());
    }
    if process.main_hash() != Some(plan.modules[0].hash) {
        let path = process.program(|program| program.path(ModuleId::MAIN).map(String::from));
        return Err(plan.stale(&path.unwrap_or_default()));
    }
    process.program(|program| program.plan_fits = true);
    Ok(())
}

impl Plan {
    /// What main says of itself, for a host whose main has this hash and this name. [`Process::main`] may give it instead of
    /// reading main.
    ///
    /// # Errors
    /// When main is not the one that the plan was made for.
    pub fn main(&self, hash: ContentHash, name: &str) -> Result<Arc<ModuleInfo>, PlanError> {
        if self.modules[0].hash != hash {
            return Err(self.stale(name));
        }
        self.described(0).cloned()
    }

    /// What a module with this content says of itself; `None` if there is none in the set. [`Process::fetch`] may give it
    /// instead of reading the module.
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

    /// For a host that cannot compile when a library is opened: the module that has to be compiled with all others, of which
    /// its bridges are made, and the hash of [its bytes](Bridge::to_wasm). `None`: no bridge can be needed.
    #[must_use]
    pub fn forwarders(&self) -> Option<(ContentHash, Bridge)> {
        let forwarders = self.forwarders.as_ref()?;
        Some((
            forwarders.hash,
            Bridge::of_forwards(forwarders.signatures.iter().cloned()),
        ))
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

fn plan_damaged() -> PlanError {
    PlanError::Damaged {
        at: 0,
        reason: "it binds to a module that is not in the group",
    }
}

fn target(bound: Bound, node: &impl Fn(Place) -> Option<Node>) -> Option<Target> {
    let at = |(place, export)| {
        Some(Definition {
            node: node(place)?,
            export,
        })
    };
    Some(match bound {
        Bound::Memory => Target::Memory,
        Bound::Table => Target::Table,
        Bound::StackPointer => Target::StackPointer,
        Bound::MemoryBase => Target::MemoryBase,
        Bound::TableBase => Target::TableBase,
        Bound::Function(place, export) => Target::Function(at((place, export))?),
        Bound::AbsentFunction => Target::AbsentFunction,
        Bound::DataAddress(place, export) => Target::DataAddress(at((place, export))?),
        Bound::FunctionAddress(place, export) => Target::FunctionAddress(at((place, export))?),
        Bound::NullAddress => Target::NullAddress,
        Bound::Tag(place, export) => Target::Tag(at((place, export))?),
        Bound::ProcessTag => Target::ProcessTag,
        Bound::MainGlobal(export) => Target::MainGlobal(export),
        Bound::Host => Target::Host,
    })
}

/// What was found, and bound already if the plan said so.
pub(crate) fn found<P: Process>(
    process: &mut P,
    path: &str,
    flags: OpenFlags,
) -> Result<(Found<P::Source>, Option<Resolution>), OpenError> {
    if let Some(recalled) = recall(process, path, flags)? {
        let found = Found::New(recalled.group, recalled.sources);
        return Ok((found, Some(recalled.resolution)));
    }
    Ok((crate::find::gather::gather(process, path, flags)?, None))
}
