//! What to reserve, what to bind, in which order: all decided, nothing done yet.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use hashbrown::{HashMap, HashSet};

use crate::decide::resolve::{Resolution, Target};
use crate::decide::thunk::{Bridge, BridgeAction, BridgeFunction};
use crate::error::OpenError;
use crate::find::group::{Definition, Group, Node};
use crate::module::{ExportKind, ModuleInfo, Region, Signature, Wants};
use crate::program::ids::{FunctionId, ModuleId};

/// A decided `dlopen`: symbolic, so it can be printed and compared; [`apply`](crate::open) turns it into instances.
#[derive(Debug, Clone)]
pub struct LinkPlan {
    /// Parallel to [`Group::members`].
    pub modules: Vec<PlannedModule>,
    /// The order in which modules are instantiated and initialised: indices into [`modules`](Self::modules).
    pub order: Vec<usize>,
    /// Functions that are not bound directly.
    pub bridge: Bridge,
    /// What each forward of the bridge leads to, in the order of the forwards.
    pub forwards: Vec<FunctionRef>,
    /// Functions that get a slot of their own, since no element segment holds them and they have none yet.
    pub fresh: Vec<FunctionRef>,
}

/// One module of a [`LinkPlan`].
#[derive(Debug, Clone)]
pub struct PlannedModule {
    /// The file.
    pub path: Arc<str>,
    /// Memory to reserve for its data.
    pub memory: Region,
    /// Slots to reserve for its element segments.
    pub table: Region,
    /// One for each import, in the module's order.
    pub bindings: Vec<Binding>,
    /// It exports `__wasm_apply_data_relocs`.
    pub relocates: bool,
    /// What to call once everything is relocated.
    pub constructor: Option<Constructor>,
    /// Every module that it binds to or needs: they must stay as long as it does.
    pub uses: Vec<Node>,
}

/// What one import is bound to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Binding {
    /// Main's memory.
    Memory,
    /// Main's table.
    Table,
    /// Main's stack pointer.
    StackPointer,
    /// The module's own memory base.
    MemoryBase,
    /// The module's own table base.
    TableBase,
    /// The raw export of another module.
    Export(Definition),
    /// A function of the plan's bridge.
    Bridge(u32),
    /// A global that holds an address.
    Got(Got),
    /// The process's own tag of this name.
    ProcessTag,
    /// What the host offers under this module and name.
    Host,
}

/// What a GOT global holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Got {
    /// 0.
    Null,
    /// The address of a datum.
    Data(Definition),
    /// The slot of a function.
    Function(FunctionRef),
}

/// A function of one module, with an export that names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FunctionRef {
    /// Where it is defined.
    pub definition: Definition,
    /// Which function it is there: two exports of one function have one slot.
    pub function: FunctionId,
}

/// The exported function that constructs a module. A module with both is a reactor whose `_initialize` calls the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Constructor {
    /// `_initialize`
    Initialize,
    /// `__wasm_call_ctors`
    CallCtors,
}

impl Constructor {
    /// The name of the export.
    #[must_use]
    pub fn export(self) -> &'static str {
        match self {
            Self::Initialize => "_initialize",
            Self::CallCtors => "__wasm_call_ctors",
        }
    }

    fn of(info: &ModuleInfo) -> Option<Self> {
        [Self::Initialize, Self::CallCtors]
            .into_iter()
            .find(|constructor| is_function(info, constructor.export()))
    }
}

/// The export that applies a module's data relocations.
pub(crate) const RELOCATE: &str = "__wasm_apply_data_relocs";

/// Decides how `group` is loaded. `info` gives what any node says of itself; `has_slot` tells whether a function of a loaded
/// module has a slot of the table.
pub fn plan<'a>(
    group: &Group,
    resolution: &Resolution,
    info: &dyn Fn(Node) -> &'a ModuleInfo,
    has_slot: &dyn Fn(ModuleId, FunctionId) -> bool,
) -> Result<LinkPlan, OpenError> {
    let order = group.dependencies_first();
    let mut planner = Planner {
        info,
        has_slot,
        instantiated: HashSet::new(),
        bridge: Bridge::default(),
        bridged: HashMap::new(),
        forwards: Vec::new(),
        fresh: Vec::new(),
        fresh_seen: HashSet::new(),
    };
    let mut modules: Vec<Option<PlannedModule>> = group.members.iter().map(|_| None).collect();
    for at in &order {
        modules[*at] = Some(planner.module(group, *at, &resolution.members[*at])?);
        planner.instantiated.insert(*at);
    }
    Ok(LinkPlan {
        modules: modules.into_iter().flatten().collect(),
        order,
        bridge: planner.bridge,
        forwards: planner.forwards,
        fresh: planner.fresh,
    })
}

struct Planner<'p, 'a> {
    info: &'p dyn Fn(Node) -> &'a ModuleInfo,
    has_slot: &'p dyn Fn(ModuleId, FunctionId) -> bool,
    /// Members that exist by the time the current one is instantiated.
    instantiated: HashSet<usize>,
    bridge: Bridge,
    bridged: HashMap<Bridged, u32>,
    forwards: Vec<FunctionRef>,
    fresh: Vec<FunctionRef>,
    fresh_seen: HashSet<(Node, FunctionId)>,
}

/// What a function of the bridge stands for.
#[derive(PartialEq, Eq, Hash)]
enum Bridged {
    Forward(Node, FunctionId),
    /// Two modules may need one absent symbol with different types.
    Absent(Box<str>, Arc<Signature>),
}

impl Planner<'_, '_> {
    fn module(
        &mut self,
        group: &Group,
        at: usize,
        targets: &[Target],
    ) -> Result<PlannedModule, OpenError> {
        let member = &group.members[at];
        let info = &*member.info;
        let mut uses = member.needs.clone();
        let mut bindings = Vec::with_capacity(targets.len());
        for (import, target) in info.imports.iter().zip(targets) {
            let needs_type = || OpenError::UnknownType {
                path: Arc::clone(&member.path),
                symbol: (&*import.name).into(),
            };
            let binding = match *target {
                Target::Memory => Binding::Memory,
                Target::Table => Binding::Table,
                Target::StackPointer => Binding::StackPointer,
                Target::MemoryBase => Binding::MemoryBase,
                Target::TableBase => Binding::TableBase,
                Target::Function(definition) => self
                    .function(definition, &import.name)
                    .ok_or_else(needs_type)?,
                Target::AbsentFunction => {
                    let Wants::Function {
                        signature: Some(signature),
                        ..
                    } = &import.wants
                    else {
                        return Err(needs_type());
                    };
                    self.absent(&import.name, signature)
                }
                Target::DataAddress(definition) => Binding::Got(Got::Data(definition)),
                Target::FunctionAddress(definition) => {
                    Binding::Got(Got::Function(self.address_of(definition)))
                }
                Target::NullAddress => Binding::Got(Got::Null),
                Target::Tag(definition) => match definition.node {
                    Node::New(later) if !self.instantiated.contains(&later) => {
                        return Err(OpenError::LaterTag {
                            path: Arc::clone(&member.path),
                            tag: (&*import.name).into(),
                            defined_in: Arc::clone(&group.members[later].path),
                            in_cycle: group.reaches(later, at),
                        });
                    }
                    Node::New(_) | Node::Loaded(_) => Binding::Export(definition),
                },
                Target::ProcessTag => Binding::ProcessTag,
                Target::MainGlobal(export) => Binding::Export(Definition {
                    node: Node::Loaded(ModuleId::MAIN),
                    export,
                }),
                Target::Host => Binding::Host,
            };
            if let Target::Function(definition)
            | Target::DataAddress(definition)
            | Target::FunctionAddress(definition)
            | Target::Tag(definition) = *target
                && definition.node != Node::Loaded(ModuleId::MAIN)
                && !uses.contains(&definition.node)
            {
                uses.push(definition.node);
            }
            bindings.push(binding);
        }
        Ok(PlannedModule {
            path: Arc::clone(&member.path),
            memory: memory(info),
            table: info.table,
            bindings,
            relocates: is_function(info, RELOCATE),
            constructor: Constructor::of(info),
            uses,
        })
    }

    fn exists(&self, node: Node) -> bool {
        match node {
            Node::Loaded(_) => true,
            Node::New(member) => self.instantiated.contains(&member),
        }
    }

    /// A function to be called: the raw export if its module exists by then, else a forward through its slot. `None` if
    /// the forward's type is not known.
    fn function(&mut self, definition: Definition, name: &str) -> Option<Binding> {
        if self.exists(definition.node) {
            return Some(Binding::Export(definition));
        }
        let target = self.function_ref(definition);
        let key = Bridged::Forward(definition.node, target.function);
        if let Some(known) = self.bridged.get(&key) {
            return Some(Binding::Bridge(*known));
        }
        let signature = (self.info)(definition.node)
            .signature(target.function)?
            .clone();
        let target = self.address_of(definition);
        self.forwards.push(target);
        Some(self.bridge_to(key, name, signature, BridgeAction::Forward))
    }

    fn absent(&mut self, name: &str, signature: &Arc<Signature>) -> Binding {
        let key = Bridged::Absent(name.into(), signature.clone());
        if let Some(known) = self.bridged.get(&key) {
            return Binding::Bridge(*known);
        }
        self.bridge_to(key, name, signature.clone(), BridgeAction::Absent)
    }

    fn bridge_to(
        &mut self,
        key: Bridged,
        name: &str,
        signature: Arc<Signature>,
        action: BridgeAction,
    ) -> Binding {
        let at = self.bridge.functions.len() as u32;
        self.bridge.functions.push(BridgeFunction {
            name: name.into(),
            signature,
            action,
        });
        self.bridged.insert(key, at);
        Binding::Bridge(at)
    }

    /// A function whose slot is needed; it gets one if it has none.
    fn address_of(&mut self, definition: Definition) -> FunctionRef {
        let target = self.function_ref(definition);
        let has_slot = match definition.node {
            Node::Loaded(id) => (self.has_slot)(id, target.function),
            node @ Node::New(_) => (self.info)(node).slot(target.function).is_some(),
        };
        if !has_slot && self.fresh_seen.insert((definition.node, target.function)) {
            self.fresh.push(target);
        }
        target
    }

    fn function_ref(&self, definition: Definition) -> FunctionRef {
        let export = (self.info)(definition.node).exports.get(definition.export);
        let ExportKind::Function(function) = export.kind else {
            unreachable!("resolve gives only functions as functions");
        };
        FunctionRef {
            definition,
            function,
        }
    }
}

/// What a module needs. A module without data that tells who it is by its `__dso_handle`, which lies at its memory base, needs
/// an address of its own: null means the whole program.
fn memory(info: &ModuleInfo) -> Region {
    let tells = |import: &crate::module::Import| match import.wants {
        Wants::Function { .. } => &*import.name == "__cxa_atexit",
        Wants::Host => &*import.name == "dl_sym_from",
        _ => false,
    };
    if info.memory.size == 0 && info.imports.iter().any(tells) {
        return Region {
            size: 1,
            ..info.memory
        };
    }
    info.memory
}

fn is_function(info: &ModuleInfo, name: &str) -> bool {
    info.exports
        .find(name)
        .is_some_and(|(_, export)| matches!(export.kind, ExportKind::Function(_)))
}

impl fmt::Display for Constructor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.export())
    }
}
