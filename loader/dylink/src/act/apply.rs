//! From a plan to instances: reserve, bind, instantiate. The only step with something to undo.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use hashbrown::HashMap;

use crate::act::bind::Pointer;
use crate::act::engine::Engine;
use crate::act::error::{ActError, Cause, Step};
use crate::act::memory;
use crate::act::stack::Stack;
use crate::act::undo::Undo;
use crate::decide::plan::{FunctionRef, LinkPlan};
use crate::find::group::{Definition, Group, Node};
use crate::module::ModuleInfo;
use crate::module::ids::{Align, FunctionId};
use crate::program::ids::{Address, ModuleId, Slot};
use crate::program::state::State;
use crate::program::{GotKey, Module, Phase, Shared};

/// A load group that is being bound and instantiated.
pub(crate) struct LinkedGroup {
    /// Its modules, as [`Group::members`] has them.
    pub(crate) ids: Vec<ModuleId>,
    pub(crate) undo: Undo,
}

/// The modules of a group in the registry: nothing is bound to them yet.
pub(crate) fn register<P: State>(process: &mut P, group: &Group, plan: &LinkPlan) -> LinkedGroup {
    let mut undo = Undo::default();
    let ids: Vec<ModuleId> = process.program(|program| {
        let is_mains = group.is_mains();
        let root = if is_mains {
            ModuleId::MAIN
        } else {
            program.next_id()
        };
        let members = group.members.iter();
        let ids: Vec<ModuleId> = members
            .map(|member| {
                program.insert(Module {
                    path: Arc::clone(&member.path),
                    file: Some(member.file),
                    info: Arc::clone(&member.info),
                    phase: Phase::Linking,
                    instance: None,
                    memory_base: Address(0),
                    table_base: Slot(0),
                    allocation: None,
                    extra_slots: HashMap::new(),
                    needs: Vec::new(),
                    uses: Vec::new(),
                    root,
                    opens: 0,
                    global: is_mains,
                    nodelete: is_mains,
                    planned: member.planned,
                    initialized: 0,
                })
            })
            .collect();
        let resolve = |node: &Node| id_of(&ids, *node);
        for ((id, member), planned) in ids.iter().zip(&group.members).zip(&plan.modules) {
            if let Some(module) = program.modules.get_mut(id) {
                module.needs = member.needs.iter().map(resolve).collect();
                module.uses = planned.uses.iter().map(resolve).collect();
            }
        }
        if let Some(needs) = &group.needs_of_main
            && let Some(main) = program.modules.get_mut(&ModuleId::MAIN)
        {
            main.needs = needs.iter().map(resolve).collect();
        }
        ids
    });
    undo.modules.clone_from(&ids);
    LinkedGroup { ids, undo }
}

pub(crate) fn id_of(ids: &[ModuleId], node: Node) -> ModuleId {
    match node {
        Node::Loaded(id) => id,
        Node::New(member) => ids[member],
    }
}

/// Carries the plan out. On failure `linked.undo` knows what was done.
pub(crate) async fn apply<P: Engine + State>(
    process: &mut P,
    shared: &Shared<P::Extern>,
    plan: &LinkPlan,
    sources: &[P::Source],
    linked: &mut LinkedGroup,
) -> Result<(), ActError<P::Error>> {
    // Compiling leaves nothing behind and is what fails most: it comes first.
    let mut codes = Vec::with_capacity(sources.len());
    for (source, planned) in sources.iter().zip(&plan.modules) {
        let code = process.compile(source);
        codes.push(code.map_err(|error| ActError::step(&planned.path, Step::Compile, error))?);
    }
    let thunks = if plan.thunks.functions.is_empty() {
        None
    } else {
        let path = &plan.modules[0].path;
        let code = process.thunks(&plan.thunks).await;
        Some(code.map_err(|error| ActError::step(path, Step::MakeThunks, error))?)
    };
    let mut linker = Linker {
        process,
        shared,
        plan,
        linked,
        fresh: HashMap::new(),
        got: HashMap::new(),
        late: Vec::new(),
        thunks: None,
    };
    linker.take_mains_slots()?;
    linker.reserve_memory().await?;
    linker.reserve_slots()?;
    if let Some(code) = &thunks {
        linker.instantiate_thunks(code).await?;
    }
    for at in &plan.order {
        linker.instantiate(*at, &codes[*at]).await?;
    }
    linker.publish();
    Ok(())
}

/// A plan that is being carried out.
pub(crate) struct Linker<'a, P: Engine + State> {
    pub(crate) process: &'a mut P,
    pub(crate) shared: &'a Shared<P::Extern>,
    pub(crate) plan: &'a LinkPlan,
    pub(crate) linked: &'a mut LinkedGroup,
    /// Slots of the plan's fresh functions.
    pub(crate) fresh: HashMap<(Node, FunctionId), Slot>,
    /// GOT globals that this plan made.
    pub(crate) got: HashMap<GotKey, P::Extern>,
    /// GOT globals whose address only an instance can tell.
    pub(crate) late: Vec<(P::Extern, Definition)>,
    pub(crate) thunks: Option<P::Instance>,
}

impl<P: Engine + State> Linker<'_, P> {
    async fn reserve_memory(&mut self) -> Result<(), ActError<P::Error>> {
        for at in &self.plan.order {
            let planned = &self.plan.modules[*at];
            let region = planned.memory;
            if region.size == 0 {
                continue;
            }
            let failed = |cause| ActError::step(&planned.path, Step::Allocate, cause);
            let block = memory::reserve(self.process, self.shared, region).await;
            let block = block.map_err(failed)?;
            let block = block.ok_or_else(|| ActError::OutOfMemory {
                path: Arc::clone(&planned.path),
                size: region.size,
            })?;
            self.linked.undo.memory.push(block.allocation);
            self.process
                .zero(&self.shared.memory, block.start, region.size)
                .map_err(|error| ActError::step(&planned.path, Step::Clear, error))?;
            self.update(*at, |module| {
                module.memory_base = block.start;
                module.allocation = Some(block.allocation);
            });
        }
        Ok(())
    }

    /// One run of slots for the whole group: each module's own, then those of fresh functions.
    fn reserve_slots(&mut self) -> Result<(), ActError<P::Error>> {
        let plan = self.plan;
        let too_many = || ActError::TableFull {
            path: Arc::clone(&plan.modules[0].path),
            slots: u32::MAX,
            reason: Cause::TableLimit,
        };
        let mut align = Align::ONE;
        let mut offsets = Vec::with_capacity(plan.order.len());
        // Left free by alignment.
        let mut gaps = Vec::new();
        let mut total = 0u32;
        for at in &plan.order {
            let region = plan.modules[*at].table;
            align = align.max(region.align);
            let start = region.align.round_up(total).ok_or_else(too_many)?;
            if start > total {
                gaps.push(total..start);
            }
            offsets.push(start);
            total = start.checked_add(region.size).ok_or_else(too_many)?;
        }
        let first_fresh = total;
        total = u32::try_from(plan.fresh.len())
            .ok()
            .and_then(|fresh| total.checked_add(fresh))
            .ok_or_else(too_many)?;
        if total == 0 {
            return Ok(());
        }
        let first = memory::take_slots(self.process, &self.shared.table, total, align).map_err(
            |reason| ActError::TableFull {
                path: Arc::clone(&plan.modules[0].path),
                slots: total,
                reason,
            },
        )?;
        let mut used = 0;
        for gap in gaps {
            let free = gap.end - gap.start;
            self.process
                .program(|program| program.slots.give(Slot(first.0 + gap.start), free));
            let before = Slot(first.0 + used);
            self.linked.undo.slots.push((before, gap.start - used));
            used = gap.end;
        }
        let last = Slot(first.0 + used);
        self.linked.undo.slots.push((last, total - used));
        for (at, offset) in plan.order.iter().zip(offsets) {
            self.update(*at, |module| module.table_base = Slot(first.0 + offset));
        }
        for (slot, function) in (first.0 + first_fresh..).zip(&plan.fresh) {
            let key = (function.definition.node, function.function);
            self.fresh.insert(key, Slot(slot));
            // One of a module that exists is filled at once, so that a `dlopen` from a start function sees it.
            if let Node::Loaded(id) = function.definition.node {
                self.fill(id, *function, Slot(slot))?;
            }
        }
        Ok(())
    }

    /// The slots that main has for functions of libraries are theirs.
    fn take_mains_slots(&mut self) -> Result<(), ActError<P::Error>> {
        for (function, slot) in &self.plan.substitution.slots {
            let key = (function.definition.node, function.function);
            self.fresh.insert(key, *slot);
            if let Node::Loaded(id) = function.definition.node {
                self.fill(id, *function, *slot)?;
            }
        }
        Ok(())
    }

    /// Puts a function into the slot that the plan gave it.
    fn fill(
        &mut self,
        id: ModuleId,
        function: FunctionRef,
        slot: Slot,
    ) -> Result<(), ActError<P::Error>> {
        let (path, name, instance) = self.named(id, function.definition);
        let extern_ = instance
            .and_then(|instance| self.process.export(&instance, &name))
            .ok_or_else(|| ActError::step(&path, Step::FindExport, Cause::NotExported { name }))?;
        self.process
            .set(&self.shared.table, slot, Some(&extern_))
            .map_err(|error| ActError::step(&path, Step::FillTable, error))?;
        let mut mains = self.plan.substitution.slots.iter();
        if mains.any(|(_, main)| *main == slot) {
            self.linked.undo.main_slots.push(slot);
        }
        self.process.program(|program| {
            if let Some(module) = program.modules.get_mut(&id) {
                module.extra_slots.insert(function.function, slot);
            }
        });
        self.linked.undo.extra_slots.push((id, function.function));
        Ok(())
    }

    async fn instantiate_thunks(&mut self, code: &P::Code) -> Result<(), ActError<P::Error>> {
        let path = &self.plan.modules[0].path;
        let mut imports = Vec::from([self.shared.table.clone()]);
        for forward in &self.plan.forwards {
            let global = self.got(Pointer::Function(*forward));
            imports.push(global.map_err(|cause| ActError::step(path, Step::MakeThunks, cause))?);
        }
        // Thunks have no start function: the guest has not run yet.
        let instance = self.process.instantiate(code, &imports).await;
        let failed = |error| ActError::step(path, Step::MakeThunks, error);
        self.thunks = Some(instance.map_err(failed)?);
        Ok(())
    }

    async fn instantiate(&mut self, at: usize, code: &P::Code) -> Result<(), ActError<P::Error>> {
        let plan = self.plan;
        let planned = &plan.modules[at];
        let id = self.linked.ids[at];
        let info = self.info(id);
        let mut imports = Vec::with_capacity(planned.bindings.len());
        for ((import, binding), known) in { info.imports.iter() }
            .zip(&planned.bindings)
            .zip(self.known(planned))
        {
            let bound = match known {
                Some(known) => Ok(known),
                None => self.bind(id, import, *binding),
            };
            let failed = |cause| ActError::step(&planned.path, Step::Bind, cause);
            imports.push(bound.map_err(failed)?);
        }
        let failed = |error| ActError::step(&planned.path, Step::Instantiate, error);
        let stack = Stack::save(self.process).map_err(failed)?;
        self.linked.undo.guest_ran |= info.starts;
        let instance = self.process.instantiate(code, &imports).await;
        let instance = stack.settle(self.process, instance).map_err(failed)?;
        self.update(at, |module| module.instance = Some(instance));

        let substituted = plan.substitution.slots.iter();
        let mine = plan
            .fresh
            .iter()
            .chain(substituted.map(|(function, _)| function))
            .filter(|function| function.definition.node == Node::New(at));
        for function in mine {
            let slot = self.fresh[&(Node::New(at), function.function)];
            self.fill(id, *function, slot)?;
        }
        self.late_addresses(at)
    }

    /// Addresses that had to wait for this instance. The next module may read them in its start function.
    fn late_addresses(&mut self, at: usize) -> Result<(), ActError<P::Error>> {
        let all = core::mem::take(&mut self.late).into_iter();
        let is_there = |(_, definition): &(_, Definition)| definition.node == Node::New(at);
        let (there, later) = all.partition(is_there);
        self.late = later;
        let there: Vec<_> = there;
        for (global, definition) in there {
            let id = id_of(&self.linked.ids, definition.node);
            let (path, name, _) = self.named(id, definition);
            let failed = |cause| ActError::step(&path, Step::ReadAddress, cause);
            let address = self.address(definition).map_err(failed)?;
            let missing = || ActError::step(&path, Step::FindExport, Cause::NotExported { name });
            let address = address.ok_or_else(missing)?;
            let written = self.process.write(&global, address);
            written.map_err(|error| failed(error.into()))?;
        }
        Ok(())
    }

    /// From here on other modules may share the globals.
    fn publish(&mut self) {
        let got = core::mem::take(&mut self.got);
        self.linked.undo.got.extend(got.keys());
        self.process.program(|program| program.got.extend(got));
    }

    fn update(&mut self, at: usize, change: impl FnOnce(&mut Module<P::Instance>)) {
        let id = self.linked.ids[at];
        self.process
            .program(|program| program.modules.get_mut(&id).map(change));
    }

    pub(crate) fn base(
        &mut self,
        id: ModuleId,
        get: impl FnOnce(&Module<P::Instance>) -> u32,
    ) -> u32 {
        let base = self
            .process
            .program(|program| program.modules.get(&id).map(get));
        base.unwrap_or_default()
    }

    pub(crate) fn info(&mut self, id: ModuleId) -> Arc<ModuleInfo> {
        self.process
            .program(|program| Arc::clone(&program.modules[&id].info))
    }

    /// Path, name of the export, and instance, if it is there yet.
    pub(crate) fn named(
        &mut self,
        id: ModuleId,
        definition: Definition,
    ) -> (Arc<str>, Box<str>, Option<P::Instance>) {
        self.process.program(|program| {
            let module = &program.modules[&id];
            let export = module.info.exports.get(definition.export);
            (
                Arc::clone(&module.path),
                export.name.clone(),
                module.instance.clone(),
            )
        })
    }
}
