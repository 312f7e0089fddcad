//! A dynamic linker for WebAssembly side modules (`dylink.0`), independent of any engine.
//!
//! ```text
//! bytes | parts    ──parse──►    ModuleInfo     what a module says of itself
//! ModuleInfo+Scope ──resolve──►  Resolution     where each symbol comes from, or all that are missing
//! Resolution       ──plan──►     LinkPlan       what to reserve, what to bind; symbolic
//! LinkPlan+Engine  ──apply──►    Linked         reserve → bind → instantiate; undone on failure
//! Linked           ──initialize──►              all data relocations of the load group, then constructors
//! Linked           ──commit──►   Program        visible from here on, not before
//! ```
//!
//! An engine implements [`Engine`]; a host adds the files and a place for the [`Program`] and has a [`Process`]. Then
//! [`open`], [`sym`] and [`close`] are `dlopen`, `dlsym` and `dlclose`.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod addr;
mod apply;
mod attach;
mod bridge;
mod census;
mod close;
mod config;
pub mod dlfcn;
mod engine;
mod error;
mod explain;
mod flags;
mod gather;
mod group;
mod guest;
mod ids;
mod info;
mod initialize;
mod inspect;
mod memory;
mod now;
mod open;
mod plan;
mod preview;
mod process;
mod program;
mod reclaim;
mod registry;
mod resolve;
mod search;
mod set;
mod slots;
mod sym;
mod trace;
mod undo;

pub use addr::Place;
pub use bridge::{Bridge, BridgeAction, BridgeFunction};
pub use census::Census;
pub use close::close;
pub use config::{Config, Contract};
pub use engine::{Engine, Fault, Mutability};
pub use error::{
    CloseError, HandleError, LastError, ModuleError, Needed, OpenError, Problem, SymError,
    Unresolved,
};
pub use flags::{OpenFlags, UnknownFlags};
pub use group::{Definition, Group, Member, Node, Scope, Visible};
pub use ids::{Address, Align, ExportId, FileId, FunctionId, Handle, ModuleId, Slot};
pub use info::{
    DataBase, Datum, Export, ExportKind, ExportType, Exports, Import, ImportType, ModuleInfo,
    Parts, Region, Signature, ValType, Wants,
};
pub use inspect::{Inspection, Reach};
pub use now::now;
pub use open::open;
pub use plan::{Binding, Constructor, FunctionRef, Got, LinkPlan, PlannedModule, plan};
pub use preview::{Preview, preview};
pub use process::{FetchError, Fetched, Main, Process};
pub use program::Program;
pub use reclaim::reclaim;
pub use resolve::{Resolution, Target, resolve};
pub use set::{ContentHash, Plan, PlanError, Refused, SetFile};
pub use sym::{Lookup, Symbol, sym};
