//! Room in main's memory and table, and addresses in it.

use crate::act::engine::Engine;
use crate::act::error::Cause;
use crate::act::stack;
use crate::module::ids::Align;
use crate::module::{DataBase, Datum, Region};
use crate::program::Shared;
use crate::program::ids::{Address, ModuleId, Slot};
use crate::program::state::State;

/// A piece of the guest's heap.
pub(crate) struct Block {
    /// Address from main's allocator, for its `free`.
    pub(crate) allocation: Address,
    /// The first aligned address in it.
    pub(crate) start: Address,
}

/// Alignment of `malloc`: `max_align_t` of the wasm32 C ABI.
const MALLOC_ALIGN: u32 = 16;

/// Reserves memory by main's own allocator, as it is: not zeroed. `None`: main has no more.
pub(crate) async fn reserve<P: Engine + State>(
    process: &mut P,
    shared: &Shared<P::Extern>,
    region: Region,
) -> Result<Option<Block>, Cause<P::Error>> {
    let align = region.align.get();
    let allocator = &shared.allocator;
    let (function, args, slack): (_, &[u32], _) = if align <= MALLOC_ALIGN {
        (&allocator.malloc, &[region.size], 0)
    } else if let Some(aligned_alloc) = &allocator.aligned_alloc
        && let Some(size) = region.align.round_up(region.size)
    {
        // C11: the size is to be a multiple of the alignment.
        (aligned_alloc, &[align, size], 0)
    } else {
        let Some(size) = region.size.checked_add(align - 1) else {
            return Ok(None);
        };
        (&allocator.malloc, &[size], align - 1)
    };
    let Some(address) = stack::call(process, function, args).await? else {
        return Err(Cause::NoPointer);
    };
    if address == 0 {
        return Ok(None);
    }
    let start = region.align.round_up(address);
    match start {
        Some(start) if start - address <= slack => Ok(Some(Block {
            allocation: Address(address),
            start: Address(start),
        })),
        _ => Err(Cause::Misaligned {
            address: Address(address),
            align,
        }),
    }
}

/// Takes `count` slots in a row: free ones, or new ones at the end of the table.
pub(crate) fn take_slots<P: Engine + State>(
    process: &mut P,
    table: &P::Extern,
    count: u32,
    align: Align,
) -> Result<Slot, Cause<P::Error>> {
    if let Some(first) = process.program(|program| program.slots.take(count, align)) {
        return Ok(first);
    }
    let grown = count
        .checked_add(align.get() - 1)
        .ok_or(Cause::TableLimit)?;
    let old_end = process.grow(table, grown)?;
    let first = align.round_up(old_end.0).ok_or(Cause::TableLimit)?;
    let before = first - old_end.0;
    process.program(|program| {
        program.slots.give(old_end, before);
        program
            .slots
            .give(Slot(first + count), grown - before - count);
    });
    Ok(Slot(first))
}

/// Clears slots and gives them back. A slot that cannot be cleared is not used again.
pub(crate) fn give_slots<P: Engine + State>(
    process: &mut P,
    table: &P::Extern,
    first: Slot,
    count: u32,
) {
    let slots = first.0..first.0.saturating_add(count);
    let stuck = slots
        .clone()
        .find(|slot| process.set(table, Slot(*slot), None).is_err());
    let end = stuck.unwrap_or(slots.end);
    process.program(|program| program.slots.give(first, end - first.0));
}

/// Returns the address of an exported datum; `None` if only the instance can tell, and does not exist yet.
pub(crate) fn address<P: Engine + State>(
    process: &mut P,
    id: ModuleId,
    name: &str,
    datum: Datum,
) -> Result<Option<u32>, Cause<P::Error>> {
    let (instance, memory_base) = process.program(|program| {
        let module = program.modules.get(&id);
        let instance = module.and_then(|module| module.instance.clone());
        (instance, module.map(|module| module.memory_base.0))
    });
    let mut read = |name: &str| -> Result<Option<u32>, Cause<P::Error>> {
        let Some(instance) = &instance else {
            return Ok(None);
        };
        let global = process.export(instance, name);
        let global = global.ok_or_else(|| Cause::NotExported { name: name.into() })?;
        Ok(Some(process.read(&global)?))
    };
    let base = match datum.base {
        DataBase::Absolute => Some(0),
        DataBase::Memory => memory_base,
        DataBase::ThreadLocal => read("__tls_base")?,
    };
    let offset = match datum.offset {
        Some(offset) => Some(offset),
        None => read(name)?,
    };
    Ok(base
        .zip(offset)
        .map(|(base, offset)| base.wrapping_add(offset)))
}
