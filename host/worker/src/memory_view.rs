//! The view of a guest's memory: a WebAssembly module that copies between two memories (see `pymode-workerd`).

use std::cell::RefCell;

use js_sys::{Function, Object, Reflect, WebAssembly};
use pymode_host::{Errno, GuestMemory};
use wasm_bindgen::prelude::*;

thread_local! {
    /// Free slots of this module's table.
    static FREE: RefCell<Vec<u32>> = const { RefCell::new(Vec::new()) };
}

/// Functions of another module in this module's table, where Rust calls them as function pointers.
pub(crate) struct Slots(Vec<u32>);

impl Slots {
    /// Puts exports of an instance into the table.
    pub(crate) fn of(instance: &WebAssembly::Instance, names: &[&str]) -> Result<Slots, JsValue> {
        let table: WebAssembly::Table = wasm_bindgen::function_table().unchecked_into();
        let exports = instance.exports();
        let mut slots = Slots(Vec::with_capacity(names.len()));
        for name in names {
            let function: Function = Reflect::get(&exports, &(*name).into())?.dyn_into()?;
            let slot = match FREE.with_borrow_mut(Vec::pop) {
                Some(slot) => slot,
                None => table.grow(1)?,
            };
            slots.0.push(slot);
            table.set(slot, &function)?;
        }
        Ok(slots)
    }

    /// Returns the slot of the export at this index.
    pub(crate) fn get(&self, at: usize) -> usize {
        self.0[at] as usize
    }
}

impl Drop for Slots {
    fn drop(&mut self) {
        let table: WebAssembly::Table = wasm_bindgen::function_table().unchecked_into();
        for slot in self.0.drain(..) {
            // A function in the table would keep the guest's memory alive.
            if table.set_raw(slot, &JsValue::NULL).is_ok() {
                FREE.with_borrow_mut(|free| free.push(slot));
            }
        }
    }
}

/// A function that copies: `(destination, source, length)`. One of the two is in this module's memory.
///
/// # Safety
/// The range in this module's memory must be valid for the read or the write.
pub(crate) type CopyFn = unsafe extern "C" fn(u32, u32, u32);
/// A function that returns a number.
pub(crate) type QueryFn = extern "C" fn() -> u32;

/// # Safety
/// `slot` must hold a function with the type `F`, which must be a function pointer type, as long as the result is called.
pub(crate) unsafe fn function<F: std::marker::Copy>(slot: usize) -> F {
    const { assert!(size_of::<F>() == size_of::<usize>()) };
    // SAFETY: on this target a function pointer is a table index, and the caller promises that it is one of an `F`. A wrong
    // type traps at the call.
    unsafe { std::mem::transmute_copy(&slot) }
}

/// The memory of one guest.
pub(crate) struct MemoryView {
    read: CopyFn,
    write: CopyFn,
    pages: QueryFn,
    _slots: Slots,
}

impl MemoryView {
    /// Instantiates the view `module` on the memory of `guest`, an instance's exports.
    pub(crate) fn open(
        module: &WebAssembly::Module,
        guest: &Object,
    ) -> Result<MemoryView, JsValue> {
        let instance = instantiate_between(module, guest)?;
        let slots = Slots::of(&instance, &["read", "write", "pages"])?;
        // SAFETY: the slots hold the view's functions, which have these types, until `_slots` is dropped with them.
        let (read, write, pages) = unsafe {
            (
                function(slots.get(0)),
                function(slots.get(1)),
                function(slots.get(2)),
            )
        };
        Ok(MemoryView {
            read,
            write,
            pages,
            _slots: slots,
        })
    }
}

/// Instantiates a module on the guest's memory and ours.
pub(crate) fn instantiate_between(
    module: &WebAssembly::Module,
    guest: &Object,
) -> Result<WebAssembly::Instance, JsValue> {
    let imports = Object::new();
    Reflect::set(&imports, &"guest".into(), guest)?;
    Reflect::set(&imports, &"host".into(), &wasm_bindgen::exports())?;
    WebAssembly::Instance::new(module, &imports)
}

impl GuestMemory for &MemoryView {
    fn size(&self) -> u64 {
        u64::from((self.pages)()) << 16
    }

    fn read(&self, at: u32, into: &mut [u8]) -> Result<(), Errno> {
        self.check(at, into.len() as u64)?;
        // SAFETY: it writes to `into`, as many bytes as that has.
        unsafe { (self.read)(into.as_mut_ptr() as u32, at, into.len() as u32) };
        Ok(())
    }

    fn write(&mut self, at: u32, bytes: &[u8]) -> Result<(), Errno> {
        self.check(at, bytes.len() as u64)?;
        // SAFETY: it reads `bytes`, as many bytes as that has.
        unsafe { (self.write)(at, bytes.as_ptr() as u32, bytes.len() as u32) };
        Ok(())
    }

    fn slice(&self, at: u32, len: u32) -> Result<Option<&[u8]>, Errno> {
        self.check(at, len.into()).map(|()| None)
    }

    fn slice_mut(&mut self, at: u32, len: u32) -> Result<Option<&mut [u8]>, Errno> {
        self.check(at, len.into()).map(|()| None)
    }
}
