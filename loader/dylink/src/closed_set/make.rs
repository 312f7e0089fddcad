//! Plans, made by a dry run: each library of the set is found and bound by the code that does so at run time.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::convert::Infallible;

use hashbrown::HashMap;

use super::encode::Writer;
use super::{Plan, PlannedGroup, PlannedMember, SetIndex};
use crate::decide::binding::Binding;
use crate::decide::error::DecideError;
use crate::decide::thunk::ThunkModule;
use crate::explain::resolve_or_explain;
use crate::find::error::FindError;
use crate::find::files::{FetchError, Files};
use crate::find::gather::{Gathered, gather};
use crate::find::group::{Definition, Group, Node};
use crate::find::search::normal_path;
use crate::module::error::ModuleError;
use crate::module::{ContentHash, ModuleInfo};
use crate::program::config::Config;
use crate::program::diagnostics::Diagnostics;
use crate::program::flags::OpenFlags;
use crate::program::ids::FileId;
use crate::program::main_module::UnusableMain;
use crate::program::now::now;
use crate::program::state::{Objects, State};
use crate::program::{Allocator, Program, Shared};

/// A file of a closed set.
#[derive(Debug, Clone)]
pub struct SetFile {
    /// Normalised path in the guest, or main's name in messages.
    pub path: String,
    /// Other paths of the same file: it is one library under all of them.
    pub aliases: Vec<String>,
    /// The hash of its content.
    pub hash: ContentHash,
    /// The hash of the module that is loaded for it: its own, unless another was made of it for this set.
    pub code: ContentHash,
    /// Description of that module.
    pub info: ModuleInfo,
}

impl SetFile {
    /// A file that has one path.
    #[must_use]
    pub fn new(path: &str, hash: ContentHash, info: ModuleInfo) -> Self {
        Self {
            path: path.into(),
            aliases: Vec::new(),
            hash,
            code: hash,
            info,
        }
    }

    /// The same file, with a module to be loaded for it that was made of it.
    #[must_use]
    pub fn compiled_from(self, code: ContentHash, info: ModuleInfo) -> Self {
        Self { code, info, ..self }
    }
}

/// A library of a set that cannot be opened; the plan leaves it to the run time to report it.
#[derive(Debug)]
pub struct Refused {
    /// Its path.
    pub path: String,
    /// The reason, as `dlopen` would report it.
    pub reason: Refusal,
}

/// The reason why a library of a set cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The main module cannot carry it.
    #[error(transparent)]
    Main(#[from] UnusableMain),
    /// A file was not found, or is not a side module that can be loaded.
    #[error(transparent)]
    Find(#[from] FindError),
    /// The modules cannot be bound.
    #[error(transparent)]
    Decide(#[from] DecideError),
}

/// A set that a plan is made for.
#[expect(missing_debug_implementations, reason = "it holds functions")]
pub struct ClosedSet<'a> {
    /// The main module.
    pub main: SetFile,
    /// The side modules that it may load.
    pub sides: Vec<SetFile>,
    /// That of the process that will use the plan.
    pub config: Config,
    /// Returns `true` if the host offers a function, by module and name.
    pub has_host: &'a dyn Fn(&str, &str) -> bool,
    /// The hash of a content, of the same function as the files' own: for [`Plan::common_thunks`].
    pub hash: &'a dyn Fn(&[u8]) -> ContentHash,
    /// Hint for a stale plan: "run `make` again".
    pub remake: &'a str,
}

impl Plan {
    /// A plan for a main module and the side modules that it may load, and those of them that cannot be opened.
    #[must_use]
    pub fn for_set(set: ClosedSet<'_>) -> (Self, Vec<Refused>) {
        let mut writer = Writer::default();
        writer.remake(set.remake);
        let sides = set.sides.iter().map(|side| &side.info);
        if let Some(thunks) = ThunkModule::common(&set.main.info, sides) {
            writer.common_thunks((set.hash)(&thunks.to_wasm()), &thunks);
        }
        writer.module(set.main.hash, set.main.code, &set.main.info);
        for side in &set.sides {
            writer.module(side.hash, side.code, &side.info);
        }
        let main = (set.main.path.as_str().into(), Arc::new(set.main.info));
        let mut dry_run = DryRun::new(set.config, main, set.sides, set.has_host);
        let paths = dry_run.sides.iter().map(|side| side.path.clone());
        let paths: Vec<String> = paths.collect();
        let mut refused = Vec::new();
        for path in paths {
            match dry_run.group(&path) {
                Ok(group) => writer.group(&path, &group),
                Err(reason) => refused.push(Refused { path, reason }),
            }
        }
        let plan = Plan::from_bytes(&writer.finish());
        (plan.expect("what was just written can be read"), refused)
    }
}

/// A process that has a main module and files, and no engine.
struct DryRun<'a> {
    program: Program<(), ()>,
    main: Result<(), UnusableMain>,
    numbers: HashMap<String, SetIndex>,
    sides: Vec<SetFile>,
    has_host: &'a dyn Fn(&str, &str) -> bool,
}

impl<'a> DryRun<'a> {
    fn new(
        config: Config,
        (name, info): (Arc<str>, Arc<ModuleInfo>),
        sides: Vec<SetFile>,
        has_host: &'a dyn Fn(&str, &str) -> bool,
    ) -> Self {
        let mut program = Program::new(config);
        let main = program.check_main(&name, &info);
        let shared = Shared {
            memory: (),
            table: (),
            stack_pointer: (),
            allocator: Allocator {
                malloc: (),
                free: (),
                aligned_alloc: None,
            },
        };
        program.insert_main(name, info, (), None, shared);
        let numbers = (1..).zip(&sides).flat_map(|(number, side)| {
            let names = core::iter::once(&side.path).chain(&side.aliases);
            names.map(move |name| (name.clone(), number))
        });
        Self {
            program,
            main,
            numbers: numbers.collect(),
            sides,
            has_host,
        }
    }

    fn group(&mut self, path: &str) -> Result<PlannedGroup, Refusal> {
        self.main.clone()?;
        let found = now(gather(self, path, OpenFlags::default()))?;
        let Gathered::New(group, _) = found else {
            unreachable!("a dry run loads nothing");
        };
        let has_host = self.has_host;
        let mut has_host = |module: &str, name: &str| has_host(module, name);
        let resolution = resolve_or_explain(self, path, &group, &mut has_host)?;
        Ok(planned(&group, &resolution.members))
    }

    fn side(&self, path: &str) -> Option<&SetFile> {
        let number = *self.numbers.get(&normal_path(path))?;
        self.sides.get(number as usize - 1)
    }
}

fn number(group: &Group, node: Node) -> SetIndex {
    match node {
        // A dry run loads nothing but main.
        Node::Loaded(_) => 0,
        Node::New(member) => group.members[member].file.file as SetIndex,
    }
}

fn planned(group: &Group, bindings: &[Vec<Binding<Definition>>]) -> PlannedGroup {
    let export = |at: Definition| Ok::<_, Infallible>((number(group, at.node), at.export));
    let translated = |binding: &Binding<Definition>| {
        let function = |callee: Option<Definition>| callee.map(export).transpose();
        let Ok(binding) = binding.try_map(export, function);
        binding
    };
    let members = group.members.iter().zip(bindings);
    let members = members.map(|(member, bindings)| PlannedMember {
        path: Arc::clone(&member.path),
        module: member.file.file as SetIndex,
        needs: { member.needs.iter() }
            .map(|need| number(group, *need))
            .collect(),
        bindings: bindings.iter().map(translated).collect(),
    });
    PlannedGroup {
        members: members.collect(),
    }
}

impl Objects for DryRun<'_> {
    type Instance = ();
    type Extern = ();
}

impl State for DryRun<'_> {
    fn program<R>(&mut self, visit: impl FnOnce(&mut Program<(), ()>) -> R) -> R {
        visit(&mut self.program)
    }
}

impl Diagnostics for DryRun<'_> {
    fn describe_file(&mut self, path: &str) -> Option<Arc<ModuleInfo>> {
        Some(Arc::new(self.side(path)?.info.clone()))
    }
}

impl Files for DryRun<'_> {
    /// The number of the file.
    type Source = SetIndex;

    fn identify(&mut self, path: &str) -> Option<FileId> {
        let number = self.numbers.get(&normal_path(path))?;
        Some(FileId {
            volume: 0,
            file: u64::from(*number),
        })
    }

    async fn fetch(&mut self, path: &str) -> Result<SetIndex, FetchError> {
        let number = self.numbers.get(&normal_path(path)).copied();
        number.ok_or_else(|| FetchError::Unreadable {
            reason: "it is not in the set".into(),
        })
    }

    fn describe(&mut self, number: &SetIndex) -> Result<Arc<ModuleInfo>, ModuleError> {
        Ok(Arc::new(self.sides[*number as usize - 1].info.clone()))
    }

    fn hash(&mut self, number: &SetIndex) -> ContentHash {
        self.sides[*number as usize - 1].hash
    }

    fn list(&mut self, directory: &str) -> Vec<String> {
        let folder = normal_path(directory);
        let inside = |path: &String| {
            let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
            (parent == folder).then(|| String::from(name))
        };
        self.numbers.keys().filter_map(inside).collect()
    }
}
