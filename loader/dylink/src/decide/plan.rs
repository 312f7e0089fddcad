//! The plan: reservations, bindings and their order, without effects.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use hashbrown::{HashMap, HashSet};

use crate::decide::binding::{Binding, Callee};
use crate::decide::error::DecideError;
use crate::decide::resolve::Resolution;
use crate::decide::substitute::Substitution;
use crate::decide::thunk::{Thunk, ThunkAction, ThunkModule};
use crate::find::group::{Definition, Group, Node};
use crate::module::ids::FunctionId;
use crate::module::{ExportKind, Import, ImportKind, ModuleInfo, Region, Signature};
use crate::program::config::Config;
use crate::program::ids::ModuleId;

/// A decided `dlopen`: symbolic, so it can be printed and compared; [`apply`](crate::open) turns it into instances.
#[derive(Debug, Clone)]
pub struct LinkPlan {
    /// Parallel to [`Group::members`].
    pub modules: Vec<PlannedModule>,
    /// The order in which modules are instantiated and initialised: indices into [`modules`](Self::modules).
    pub order: Vec<usize>,
    /// Functions that stand in for those that cannot be bound directly.
    pub thunks: ThunkModule,
    /// The function that each forward of the thunks leads to, in the order of the forwards.
    pub forwards: Vec<FunctionRef>,
    /// Functions that get a slot of their own, since no element segment holds them and they have none yet.
    pub fresh: Vec<FunctionRef>,
    /// The substitution of main's substitutes.
    pub substitution: Substitution,
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
    pub bindings: Vec<Binding<Definition, Callee>>,
    /// It exports `__wasm_apply_data_relocs`.
    pub relocates: bool,
    /// Constructor to call after all relocations.
    pub constructor: Option<Constructor>,
    /// Every module that it binds to or needs: they must stay as long as it does.
    pub uses: Vec<Node>,
}

/// A function of one module, with an export that names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FunctionRef {
    /// Definition.
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

/// Decides how `group` is loaded. `info` returns the description of any node; `has_slot` tells of a function of a loaded module
/// that it has a slot of the table.
///
/// # Errors
/// When a tag exists too late, or a function needs a thunk and its type is not known.
pub fn plan<'a>(
    group: &Group,
    resolution: &Resolution,
    info: &dyn Fn(Node) -> &'a ModuleInfo,
    has_slot: &dyn Fn(ModuleId, FunctionId) -> bool,
    config: &Config,
) -> Result<LinkPlan, DecideError> {
    let order = group.dependencies_first();
    let mut planner = Planner {
        info,
        has_slot,
        config,
        instantiated: HashSet::new(),
        thunks: ThunkModule::default(),
        numbers: HashMap::new(),
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
        thunks: planner.thunks,
        forwards: planner.forwards,
        fresh: planner.fresh,
        substitution: Substitution::default(),
    })
}

impl LinkPlan {
    /// Functions for which main has a slot need none of their own.
    pub(crate) fn substitute(&mut self, substitution: Substitution) {
        let has_slot = |function: &FunctionRef| {
            let mut slots = substitution.slots.iter();
            slots.any(|(other, _)| is_same(other, function))
        };
        self.fresh.retain(|function| !has_slot(function));
        self.substitution = substitution;
    }
}

/// Reports whether two exports are of one function.
fn is_same(one: &FunctionRef, other: &FunctionRef) -> bool {
    (one.definition.node, one.function) == (other.definition.node, other.function)
}

struct Planner<'p, 'a> {
    info: &'p dyn Fn(Node) -> &'a ModuleInfo,
    has_slot: &'p dyn Fn(ModuleId, FunctionId) -> bool,
    config: &'p Config,
    /// Members that exist by the time the current one is instantiated.
    instantiated: HashSet<usize>,
    thunks: ThunkModule,
    numbers: HashMap<StandsFor, u32>,
    forwards: Vec<FunctionRef>,
    fresh: Vec<FunctionRef>,
    fresh_seen: HashSet<(Node, FunctionId)>,
}

/// The function that a thunk stands for.
#[derive(PartialEq, Eq, Hash)]
enum StandsFor {
    Forward(Node, FunctionId),
    /// Two modules may need one absent symbol with different types.
    Absent(Box<str>, Arc<Signature>),
}

impl Planner<'_, '_> {
    fn module(
        &mut self,
        group: &Group,
        at: usize,
        resolved: &[Binding<Definition>],
    ) -> Result<PlannedModule, DecideError> {
        let member = &group.members[at];
        let info = &*member.info;
        let mut uses = member.needs.clone();
        let mut bindings = Vec::with_capacity(resolved.len());
        for (import, binding) in info.imports.iter().zip(resolved) {
            if let Some(definition) = binding.definition()
                && definition.node != Node::Loaded(ModuleId::MAIN)
                && !uses.contains(&definition.node)
            {
                uses.push(definition.node);
            }
            match *binding {
                Binding::FunctionAddress(definition) => {
                    self.address_of(definition);
                }
                Binding::Tag(definition) => {
                    if let Node::New(later) = definition.node
                        && !self.instantiated.contains(&later)
                    {
                        return Err(DecideError::LaterTag {
                            path: Arc::clone(&member.path),
                            tag: (&*import.name).into(),
                            defined_in: Arc::clone(&group.members[later].path),
                            in_cycle: group.reaches(later, at),
                        });
                    }
                }
                _ => {}
            }
            let binding = binding.try_map(Ok, |definition| {
                let callee = match (definition, &import.kind) {
                    (Some(definition), _) => self.function(definition, &import.name),
                    (
                        None,
                        ImportKind::Function {
                            signature: Some(signature),
                            ..
                        },
                    ) => Some(self.absent(&import.name, signature)),
                    (None, _) => None,
                };
                callee.ok_or_else(|| DecideError::UnknownType {
                    path: Arc::clone(&member.path),
                    symbol: (&*import.name).into(),
                })
            })?;
            bindings.push(binding);
        }
        Ok(PlannedModule {
            path: Arc::clone(&member.path),
            memory: memory(info, self.config),
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
    fn function(&mut self, definition: Definition, name: &str) -> Option<Callee> {
        if self.exists(definition.node) {
            return Some(Callee::Export(definition));
        }
        let target = self.function_ref(definition);
        let key = StandsFor::Forward(definition.node, target.function);
        if let Some(known) = self.numbers.get(&key) {
            return Some(Callee::Thunk(*known));
        }
        let signature = (self.info)(definition.node)
            .signature(target.function)?
            .clone();
        let target = self.address_of(definition);
        self.forwards.push(target);
        Some(self.thunk(key, name, signature, ThunkAction::Forward))
    }

    fn absent(&mut self, name: &str, signature: &Arc<Signature>) -> Callee {
        let key = StandsFor::Absent(name.into(), signature.clone());
        if let Some(known) = self.numbers.get(&key) {
            return Callee::Thunk(*known);
        }
        self.thunk(key, name, signature.clone(), ThunkAction::Absent)
    }

    fn thunk(
        &mut self,
        key: StandsFor,
        name: &str,
        signature: Arc<Signature>,
        action: ThunkAction,
    ) -> Callee {
        let at = self.thunks.functions.len() as u32;
        self.thunks.functions.push(Thunk {
            name: name.into(),
            signature,
            action,
        });
        self.numbers.insert(key, at);
        Callee::Thunk(at)
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

/// Returns the memory that a module needs. A module without data that tells who it is by its `__dso_handle`, which lies at its
/// memory base, needs an address of its own: null means the whole program.
fn memory(info: &ModuleInfo, config: &Config) -> Region {
    let is_identifying = |import: &Import| match import.kind {
        ImportKind::Function { .. } => &*import.name == "__cxa_atexit",
        ImportKind::Host => config
            .identifying_imports
            .iter()
            .any(|name| **name == *import.name),
        _ => false,
    };
    if info.memory.size == 0 && info.imports.iter().any(is_identifying) {
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
