//! What the linker needs from the machine that runs the guest.

use alloc::string::String;
use core::fmt;

use crate::decide::thunk::Bridge;
use crate::module::ValType;
use crate::program::ids::{Address, Slot};

/// A WebAssembly engine that holds one running main module.
///
/// It is a handful of primitives without a memory of its own: memory, table and globals are named by the caller. Only
/// [`instantiate`](Self::instantiate) and [`call`](Self::call) run guest code, and only these two are asynchronous, so
/// each `.await` in the linker is a place where the guest may call `dlopen` again, and nothing is borrowed across it. An
/// engine that cannot suspend returns ready futures; [`now`](crate::now) then runs them.
///
/// A method that fails has changed nothing, except for guest code that ran and for the active segments that a failing
/// [`instantiate`](Self::instantiate) wrote: the linker gives it only memory and slots that it takes back.
pub trait Engine {
    /// A side module's content, not yet compiled (V8: the module that the bundle carries).
    type Source;
    /// Compiled code.
    type Code;
    /// An instance. Cloning gives another name for the same one.
    type Instance: Clone;
    /// Anything that can be imported: function, global, memory, table or tag. Cloning gives another name for it.
    type Extern: Clone;

    /// Compiles a side module, or takes it from a cache.
    fn compile(&mut self, source: &Self::Source) -> Result<Self::Code, Fault>;

    /// The code of a forwarding module ([`Bridge::to_wasm`]); an engine that cannot compile at run time looks for
    /// one made at build time.
    fn bridge(&mut self, bridge: &Bridge) -> Result<Self::Code, Fault>;

    /// Instantiates with one extern for each import, in the module's order. They are bound as they are, never wrapped
    /// in a function of the host. The module's start function, if any, runs.
    fn instantiate(
        &mut self,
        code: &Self::Code,
        imports: &[Self::Extern],
    ) -> impl Future<Output = Result<Self::Instance, Fault>>;

    /// The raw export `name` of `instance`.
    fn export(&mut self, instance: &Self::Instance, name: &str) -> Option<Self::Extern>;

    /// A host function, as main imports it: `module` is not one that the linker serves (`env`, `GOT.mem`, `GOT.func`).
    fn host(&mut self, module: &str, name: &str) -> Option<Self::Extern>;

    /// Fills `len` bytes of `memory` from `at` with zeros.
    fn zero(&mut self, memory: &Self::Extern, at: Address, len: u32) -> Result<(), Fault>;

    /// Grows `table` by `slots` null slots and gives the first of them.
    fn grow(&mut self, table: &Self::Extern, slots: u32) -> Result<Slot, Fault>;

    /// Puts a function, or null, into `slot` of `table`.
    fn set(
        &mut self,
        table: &Self::Extern,
        slot: Slot,
        function: Option<&Self::Extern>,
    ) -> Result<(), Fault>;

    /// Makes an `i32` global.
    fn global(&mut self, mutability: Mutability, value: u32) -> Result<Self::Extern, Fault>;

    /// The value of an `i32` global.
    fn read(&mut self, global: &Self::Extern) -> Result<u32, Fault>;

    /// Sets a mutable `i32` global.
    fn write(&mut self, global: &Self::Extern, value: u32) -> Result<(), Fault>;

    /// Makes an exception tag.
    fn tag(&mut self, params: &[ValType]) -> Result<Self::Extern, Fault>;

    /// Calls a function whose parameters are all `i32`, and whose result, if any, is an `i32`.
    fn call(
        &mut self,
        function: &Self::Extern,
        args: &[u32],
    ) -> impl Future<Output = Result<Option<u32>, Fault>>;
}

/// Whether a global can be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mutability {
    /// `(global i32)`: `__memory_base`, `__table_base`.
    Const,
    /// `(global (mut i32))`: a GOT entry.
    Var,
}

/// Why an engine could not do what it was asked to. What a program can act on is in
/// [`OpenError`](crate::OpenError); this is the engine's own sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault(pub String);

impl Fault {
    /// A fault that says `reason`.
    pub fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl core::error::Error for Fault {}
