//! How a plan is made: each library of the set is opened on paper, by the code that opens it at run time.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use hashbrown::HashMap;

use super::encode::Writer;
use super::{Bound, ContentHash, Place, Plan, PlannedGroup, PlannedMember};
use crate::act::engine::{Engine, Fault, Mutability};
use crate::calls::attach::attach;
use crate::calls::open::resolution;
use crate::calls::process::{FetchError, Fetched, Main, Process};
use crate::decide::resolve::Target;
use crate::decide::thunk::Bridge;
use crate::error::OpenError;
use crate::find::gather::{Found, gather};
use crate::find::group::{Definition, Group, Node};
use crate::find::search::normal_path;
use crate::module::{ModuleInfo, ValType};
use crate::program::Program;
use crate::program::config::Config;
use crate::program::flags::OpenFlags;
use crate::program::ids::{Address, FileId, Slot};

/// A file of a closed set.
#[derive(Debug, Clone)]
pub struct SetFile {
    /// Where the guest sees it, without `.` and `..`. Of main, its name in messages.
    pub path: String,
    /// Other paths of the same file: it is one library under all of them.
    pub aliases: Vec<String>,
    /// The hash of its content.
    pub hash: ContentHash,
    /// The hash of the module that is loaded for it: its own, unless another was made of it for this set.
    pub code: ContentHash,
    /// What that module says of itself.
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

/// A library of a set that cannot be opened, and why; the plan leaves it to the run time to say so.
#[derive(Debug)]
pub struct Refused {
    /// Its path.
    pub path: String,
    /// What `dlopen` would say.
    pub reason: OpenError,
}

/// What a plan is made for.
#[expect(missing_debug_implementations, reason = "it holds functions")]
pub struct ClosedSet<'a> {
    /// The main module.
    pub main: SetFile,
    /// The side modules that it may load.
    pub sides: Vec<SetFile>,
    /// That of the process that will use the plan.
    pub config: Config,
    /// Whether the host offers a function, by module and name.
    pub has_host: &'a dyn Fn(&str, &str) -> bool,
    /// The hash of a content, of the same function as the files' own: for [`Plan::forwarders`].
    pub hash: &'a dyn Fn(&[u8]) -> ContentHash,
    /// What makes the plan anew, as a sentence for whoever has a stale one: "run `make` again".
    pub remake: &'a str,
}

impl Plan {
    /// A plan for a main module and the side modules that it may load, and those of them that cannot be opened.
    #[must_use]
    pub fn for_set(set: ClosedSet<'_>) -> (Self, Vec<Refused>) {
        let mut writer = Writer::default();
        writer.remake(set.remake);
        let sides = set.sides.iter().map(|side| &side.info);
        if let Some(bridge) = Bridge::common(&set.main.info, sides) {
            writer.forwarders((set.hash)(&bridge.to_wasm()), &bridge);
        }
        writer.module(set.main.hash, set.main.code, &set.main.info);
        for side in &set.sides {
            writer.module(side.hash, side.code, &side.info);
        }
        let mut paper = Paper {
            program: Program::new(set.config),
            main: (set.main.path.as_str().into(), Arc::new(set.main.info)),
            places: HashMap::new(),
            sides: set.sides,
            has_host: set.has_host,
        };
        let paths = paper.sides.iter().map(|side| side.path.clone());
        let paths: Vec<String> = paths.collect();
        paper.places = (1..)
            .zip(&paper.sides)
            .flat_map(|(at, side)| {
                let names = core::iter::once(&side.path).chain(&side.aliases);
                names.map(move |name| (name.clone(), at))
            })
            .collect();
        let mut refused = Vec::new();
        for path in paths {
            match paper.group(&path) {
                Ok((group, bindings)) => writer.group(&path, &planned(&group, &bindings)),
                Err(reason) => refused.push(Refused { path, reason }),
            }
        }
        let plan = Plan::from_bytes(&writer.finish());
        (plan.expect("what was just written can be read"), refused)
    }
}

fn place(group: &Group, node: Node) -> Place {
    match node {
        // Nothing but main is loaded on paper.
        Node::Loaded(_) => 0,
        Node::New(member) => group.members[member].file.file as Place,
    }
}

fn planned(group: &Group, targets: &[Vec<Target>]) -> PlannedGroup {
    let members = group.members.iter().zip(targets);
    let members = members.map(|(member, targets)| PlannedMember {
        path: Arc::clone(&member.path),
        module: member.file.file as Place,
        needs: member
            .needs
            .iter()
            .map(|need| place(group, *need))
            .collect(),
        bindings: targets.iter().map(|target| bound(group, target)).collect(),
    });
    PlannedGroup {
        members: members.collect(),
    }
}

fn bound(group: &Group, target: &Target) -> Bound {
    let at = |definition: Definition| (place(group, definition.node), definition.export);
    match *target {
        Target::Memory => Bound::Memory,
        Target::Table => Bound::Table,
        Target::StackPointer => Bound::StackPointer,
        Target::MemoryBase => Bound::MemoryBase,
        Target::TableBase => Bound::TableBase,
        Target::Function(definition) => {
            let (module, export) = at(definition);
            Bound::Function(module, export)
        }
        Target::AbsentFunction => Bound::AbsentFunction,
        Target::DataAddress(definition) => {
            let (module, export) = at(definition);
            Bound::DataAddress(module, export)
        }
        Target::FunctionAddress(definition) => {
            let (module, export) = at(definition);
            Bound::FunctionAddress(module, export)
        }
        Target::NullAddress => Bound::NullAddress,
        Target::Tag(definition) => {
            let (module, export) = at(definition);
            Bound::Tag(module, export)
        }
        Target::ProcessTag => Bound::ProcessTag,
        Target::MainGlobal(export) => Bound::MainGlobal(export),
        Target::Host => Bound::Host,
    }
}

/// A process that has a main module and files, and in which nothing can happen.
struct Paper<'a> {
    program: Program<(), ()>,
    main: (Arc<str>, Arc<ModuleInfo>),
    places: HashMap<String, Place>,
    sides: Vec<SetFile>,
    has_host: &'a dyn Fn(&str, &str) -> bool,
}

impl Paper<'_> {
    fn group(&mut self, path: &str) -> Result<(Group, Vec<Vec<Target>>), OpenError> {
        attach(self)?;
        let found = gather(self, path, OpenFlags::default())?;
        let Found::New(group, _) = found else {
            unreachable!("nothing is ever loaded on paper");
        };
        let resolution = resolution(self, path, &group)?;
        Ok((group, resolution.members))
    }
}

fn nothing_happens<T>() -> Result<T, Fault> {
    Err(Fault::new("a plan is made on paper"))
}

impl Engine for Paper<'_> {
    type Source = ();
    type Code = ();
    type Instance = ();
    type Extern = ();

    fn compile(&mut self, (): &()) -> Result<(), Fault> {
        nothing_happens()
    }

    fn bridge(&mut self, _bridge: &Bridge) -> Result<(), Fault> {
        nothing_happens()
    }

    async fn instantiate(&mut self, (): &(), _imports: &[()]) -> Result<(), Fault> {
        nothing_happens()
    }

    fn export(&mut self, (): &(), name: &str) -> Option<()> {
        self.main.1.exports.find(name).map(drop)
    }

    fn host(&mut self, module: &str, name: &str) -> Option<()> {
        (self.has_host)(module, name).then_some(())
    }

    fn zero(&mut self, (): &(), _at: Address, _len: u32) -> Result<(), Fault> {
        nothing_happens()
    }

    fn grow(&mut self, (): &(), _slots: u32) -> Result<Slot, Fault> {
        nothing_happens()
    }

    fn set(&mut self, (): &(), _slot: Slot, _function: Option<&()>) -> Result<(), Fault> {
        nothing_happens()
    }

    fn global(&mut self, _mutability: Mutability, _value: u32) -> Result<(), Fault> {
        nothing_happens()
    }

    fn read(&mut self, (): &()) -> Result<u32, Fault> {
        nothing_happens()
    }

    fn write(&mut self, (): &(), _value: u32) -> Result<(), Fault> {
        nothing_happens()
    }

    fn tag(&mut self, _params: &[ValType]) -> Result<(), Fault> {
        nothing_happens()
    }

    async fn call(&mut self, (): &(), _args: &[u32]) -> Result<Option<u32>, Fault> {
        nothing_happens()
    }
}

impl Process for Paper<'_> {
    fn program<R>(&mut self, visit: impl FnOnce(&mut Program<(), ()>) -> R) -> R {
        visit(&mut self.program)
    }

    fn main(&mut self) -> Result<Main<()>, Fault> {
        Ok(Main {
            name: Arc::clone(&self.main.0),
            info: Arc::clone(&self.main.1),
            instance: (),
        })
    }

    fn list(&mut self, directory: &str) -> Vec<String> {
        let folder = normal_path(directory);
        let inside = |path: &String| {
            let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
            (parent == folder).then(|| String::from(name))
        };
        self.places.keys().filter_map(inside).collect()
    }

    fn identify(&mut self, path: &str) -> Option<FileId> {
        let place = self.places.get(&normal_path(path))?;
        Some(FileId {
            volume: 0,
            file: u64::from(*place),
        })
    }

    fn fetch(&mut self, path: &str) -> Result<Fetched<()>, FetchError> {
        let side = self
            .places
            .get(&normal_path(path))
            .and_then(|place| self.sides.get(*place as usize - 1));
        match side {
            Some(side) => Ok(Fetched {
                info: Arc::new(side.info.clone()),
                source: (),
            }),
            None => Err(FetchError::Unreadable {
                reason: "it is not in the set".into(),
            }),
        }
    }
}
