//! A dynamic linker for WebAssembly side modules (`dylink.0`), independent of any engine.
//!
//! ```text
//! bytes | parts    ──parse──►    ModuleInfo     the description of a module
//! ModuleInfo+Scope ──resolve──►  Resolution     the definition of each symbol, or all missing symbols
//! Resolution       ──plan──►     LinkPlan       reservations and bindings, symbolic
//! LinkPlan+Engine  ──apply──►    LinkedGroup    reserve → bind → instantiate; undone on failure
//! LinkedGroup      ──initialize──►              all data relocations of the load group, then constructors
//! LinkedGroup      ──commit──►   Program        visible from here on, not before
//! ```
//!
//! An engine implements [`Engine`], a handful of primitives; a host adds the files and a place for the [`Program`] and has a
//! [`Process`]. Then [`open`], [`sym`] and [`close`] are `dlopen`, `dlsym` and `dlclose`, and [`dlfcn`] is the same in the
//! numbers that a guest's libc passes. `pymode-dylink-wasmtime` and `pymode-dylink-js` are such engines.
//!
//! What needs no engine works on bytes alone: [`ModuleInfo`] describes a module, [`Plan`] binds a closed set of modules when it
//! is put together:
//!
//! ```
//! use pymode_dylink::{ClosedSet, Config, ContentHash, ExportKind, ModuleInfo, Plan, SetFile};
//!
//! // `(module (@dylink.0 (mem-info (memory 8 2) (table 0 0))) (func (export "f")))`
//! let side = b"\0asm\x01\0\0\0\x00\x0f\x08dylink.0\x01\x04\x08\x02\x00\x00\x01\x04\x01\x60\x00\x00\x03\x02\x01\x00\
//!     \x07\x05\x01\x01f\x00\x00\x0a\x04\x01\x02\x00\x0b";
//! let info = ModuleInfo::from_bytes(side)?;
//! assert_eq!((info.memory.size, info.memory.align.get()), (8, 4));
//! let (_, export) = info.exports.find("f").expect("it exports `f`");
//! assert!(matches!(export.kind, ExportKind::Function(_)));
//!
//! // A main module without memory, table and allocator cannot carry it: the plan leaves it out, and says what main lacks.
//! let hash = |content: &[u8]| ContentHash([content.len() as u8; 32]); // a real one, of your choice
//! let main = b"\0asm\x01\0\0\0";
//! let (plan, refused) = Plan::for_set(ClosedSet {
//!     main: SetFile::new("main.wasm", hash(main), ModuleInfo::main_from_bytes(main)?),
//!     sides: vec![SetFile::new("/lib/a.wasm", hash(side), info)],
//!     config: Config::default(),
//!     has_host: &|_module, _name| false,
//!     hash: &hash,
//!     remake: "run the build again",
//! });
//! let reason = refused[0].reason.to_string();
//! assert!(reason.contains("does not export `memory`"), "{reason}");
//! assert!(plan.describe(hash(side)).is_some());
//! # Ok::<(), pymode_dylink::ModuleError>(())
//! ```
//!
//! What a module asks for is never trusted: sections, segments and plans are bounds-checked, and a symbol that is missing fails
//! the load with all others that are, never a call later. What is promised beyond that stands with the items; the life of one
//! `dlopen` in twelve lines stands in this workspace's `loader/README.md`.
#![no_std]
#![forbid(unsafe_code)]
#![warn(clippy::missing_errors_doc)]

extern crate alloc;

mod act;
mod calls;
mod closed_set;
mod decide;
mod explain;
mod find;
mod module;
mod program;

pub use act::engine::{Engine, EngineError, Main, Mutability};
pub use act::error::{ActError, Cause, Step};
pub use calls::addr::Location;
pub use calls::close::close;
pub use calls::dlfcn;
pub use calls::error::{CloseError, MainError, OpenError, SymError};
pub use calls::open::open;
pub use calls::preview::{Preview, preview};
pub use calls::process::Process;
pub use calls::sym::{Lookup, sym};
pub use closed_set::{ClosedSet, Plan, PlanError, Refusal, Refused, SetFile};
pub use decide::binding::{Binding, Callee};
pub use decide::error::DecideError;
pub use decide::plan::{Constructor, FunctionRef, LinkPlan, PlannedModule, plan};
pub use decide::resolve::{Resolution, resolve};
pub use decide::scope::{Scope, Visible};
pub use decide::substitute::{Copy, Substitution};
pub use decide::thunk::{Thunk, ThunkAction, ThunkModule};
pub use decide::unresolved::{Needed, Problem, Unnamed, Unresolved};
#[cfg(feature = "parse")]
pub use explain::notes::{NotedModule, UndefinedIn, notes};
pub use find::error::FindError;
pub use find::files::{FetchError, Files};
pub use find::group::{Definition, Group, Member, Node};
pub use find::search::normal_path;
pub use module::inspect::{Inspection, Reach};
pub use module::{
    Align, ContentHash, Copied, DataBase, Datum, Export, ExportId, ExportKind, Exports, FunctionId,
    Import, ImportKind, ModuleError, ModuleInfo, Region, Signature, Substitutes, ValType,
};
#[cfg(feature = "parse")]
pub use module::{ExportType, ImportType, Parts};
pub use program::Program;
pub use program::census::Census;
pub use program::config::{Config, Contract, ContractError};
pub use program::diagnostics::{Diagnostics, Event};
pub use program::flags::{BadFlags, OpenFlags};
pub use program::ids::{Address, FileId, Handle, ModuleId, Slot, Symbol};
pub use program::last_error::LastError;
pub use program::main_module::UnusableMain;
pub use program::now::now;
pub use program::registry::HandleError;
pub use program::state::{Objects, State};
