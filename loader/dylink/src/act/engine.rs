//! The primitives that the linker needs from a WebAssembly engine.

use alloc::sync::Arc;
use core::convert::Infallible;
use core::error::Error;

use crate::decide::thunk::ThunkModule;
use crate::module::ContentHash;
use crate::module::{ModuleInfo, ValType};
use crate::program::ids::{Address, Slot};
use crate::program::state::Objects;

/// A WebAssembly engine that holds one running main module.
///
/// It is a handful of primitives without a memory of its own: memory, table and globals are named by the caller. Only
/// [`instantiate`](Self::instantiate) and [`call`](Self::call) run guest code. An engine that cannot suspend returns ready
/// futures; [`now`](crate::now) then runs them.
///
/// A method that fails has changed nothing, except for guest code that ran and for the active segments that a failing
/// [`instantiate`](Self::instantiate) wrote: the linker passes it only memory and slots that it takes back.
pub trait Engine: Objects {
    /// A side module's content, not yet compiled (V8: the module that the bundle carries).
    type Source;
    /// Compiled code.
    type Code;
    /// The reason why the engine could not do what it was asked to.
    type Error: EngineError;

    /// Returns the main module. The first call that needs it asks once, so that a program that never calls `dlopen` does not
    /// pay for reading it.
    ///
    /// # Errors
    /// When main cannot be read.
    fn main(&mut self) -> Result<Main<Self::Instance>, Self::Error>;

    /// Compiles a side module, or takes it from a cache.
    ///
    /// # Errors
    /// When the engine refuses the code.
    fn compile(&mut self, source: &Self::Source) -> Result<Self::Code, Self::Error>;

    /// Returns the code of a thunk module ([`ThunkModule::to_wasm`]); an engine that cannot compile at run time looks for one that
    /// was made at build time, and may have to wait for it.
    ///
    /// # Errors
    /// When there is none, or the engine refuses the code.
    fn thunks(
        &mut self,
        thunks: &ThunkModule,
    ) -> impl Future<Output = Result<Self::Code, Self::Error>>;

    /// Instantiates with one extern for each import, in the module's order. They are bound as they are, never wrapped
    /// in a function of the host. The module's start function, if any, runs.
    ///
    /// # Errors
    /// When an import does not fit, a segment lies outside, or the start function traps.
    fn instantiate(
        &mut self,
        code: &Self::Code,
        imports: &[Self::Extern],
    ) -> impl Future<Output = Result<Self::Instance, Self::Error>>;

    /// Returns the raw export `name` of `instance`.
    fn export(&mut self, instance: &Self::Instance, name: &str) -> Option<Self::Extern>;

    /// Returns a host function, as main imports it: `module` is not one that the linker serves (`env`, `GOT.mem`,
    /// `GOT.func`).
    fn host(&mut self, module: &str, name: &str) -> Option<Self::Extern>;

    /// Fills `len` bytes of `memory` from `at` with zeros.
    ///
    /// # Errors
    /// When they lie outside of the memory.
    fn zero(&mut self, memory: &Self::Extern, at: Address, len: u32) -> Result<(), Self::Error>;

    /// Grows `table` by `slots` null slots and returns the first of them.
    ///
    /// # Errors
    /// When the table cannot grow.
    fn grow(&mut self, table: &Self::Extern, slots: u32) -> Result<Slot, Self::Error>;

    /// Puts a function, or null, into `slot` of `table`.
    ///
    /// # Errors
    /// When there is no such slot.
    fn set(
        &mut self,
        table: &Self::Extern,
        slot: Slot,
        function: Option<&Self::Extern>,
    ) -> Result<(), Self::Error>;

    /// Makes an `i32` global.
    ///
    /// # Errors
    /// When the engine has no room for it.
    fn global(&mut self, mutability: Mutability, value: u32) -> Result<Self::Extern, Self::Error>;

    /// Returns the value of an `i32` global.
    ///
    /// # Errors
    /// When it is not one.
    fn read(&mut self, global: &Self::Extern) -> Result<u32, Self::Error>;

    /// Sets a mutable `i32` global.
    ///
    /// # Errors
    /// When it is not one.
    fn write(&mut self, global: &Self::Extern, value: u32) -> Result<(), Self::Error>;

    /// Makes an exception tag.
    ///
    /// # Errors
    /// When the engine has no room for it.
    fn tag(&mut self, params: &[ValType]) -> Result<Self::Extern, Self::Error>;

    /// Calls a function whose parameters are all `i32`, and whose result, if any, is an `i32`.
    ///
    /// # Errors
    /// When the function does not return, or is not such a function.
    fn call(
        &mut self,
        function: &Self::Extern,
        args: &[u32],
    ) -> impl Future<Output = Result<Option<u32>, Self::Error>>;
}

/// An engine's own error.
pub trait EngineError: Error + 'static {
    /// Reports whether the guest has ended its program (`exit`), so that there is nothing to return to.
    fn is_exit(&self) -> bool {
        false
    }
}

/// The error of what needs no engine.
impl EngineError for Infallible {}

/// The running main module.
#[derive(Debug)]
pub struct Main<Instance> {
    /// Its name in messages: its path or file name.
    pub name: Arc<str>,
    /// Its description, made by [`ModuleInfo::main_from_bytes`].
    pub info: Arc<ModuleInfo>,
    /// Its instance.
    pub instance: Instance,
    /// The hash of its content, to be compared with the one in the [plan](crate::Process::plan). A process without a plan
    /// needs none.
    pub hash: Option<ContentHash>,
}

/// Mutability of a global.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mutability {
    /// `(global i32)`: `__memory_base`, `__table_base`.
    Const,
    /// `(global (mut i32))`: a GOT entry.
    Var,
}
