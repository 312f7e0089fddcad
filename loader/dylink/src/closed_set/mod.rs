//! A link plan for a closed set: a main module and the side modules that it may load, bound when the set is put together.
//!
//! At run time a library of the set is opened without reading its description, and without looking up a name: the
//! plan holds descriptions, types, and for each library that can be opened what every import of its load group is bound to.
//! It is made by the same code that decides a `dlopen` at run time, so both bind the same things.
//!
//! A plan holds as long as every file is what it was: each has the hash of its content in it, and one that differs is refused.
//! A file may stand for another module than itself, one that was made of it for the set: then the plan describes that one, and
//! has the hashes of both.
//! It knows of nothing but main in the global scope. When more is there, only what is bound to main holds still, which comes first
//! in every scope; the rest is looked up.

mod decode;
mod encode;
mod make;
mod reader;
pub(crate) mod recall;

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::Range;

use hashbrown::HashMap;
use once_cell::race::OnceBox;

pub use make::{ClosedSet, Refusal, Refused, SetFile};

use crate::decide::binding::Binding;
use crate::module::ids::ExportId;
use crate::module::{ContentHash, ModuleInfo, Signature};

/// A link plan for a closed set. [`Plan::for_set`] makes one, [`Plan::to_bytes`] and [`Plan::from_bytes`] carry it to where it
/// is used, and [`Process::plan`](crate::Process::plan) offers it to the linker.
///
/// The part about a module or a load group is read and checked at its first use: a program that loads three
/// libraries of a hundred pays for three.
#[derive(Debug)]
pub struct Plan {
    bytes: Box<[u8]>,
    strings: Vec<Range<u32>>,
    signatures: Vec<Arc<Signature>>,
    /// The text that says how to make the plan again.
    remake: u32,
    common_thunks: Option<CommonThunks>,
    /// The first is main.
    modules: Vec<Described>,
    by_hash: HashMap<ContentHash, SetIndex>,
    /// Load groups that the plan can open: a text and a group, in order of the texts.
    roots: Vec<(u32, u32)>,
    groups: Vec<Part<PlannedGroup>>,
    /// Offset of each list of bindings.
    bindings: Vec<u32>,
}

/// A module: the hash of its content, and its description.
#[derive(Debug)]
struct Described {
    hash: ContentHash,
    /// Of what was compiled for it.
    code: ContentHash,
    info: Part<Arc<ModuleInfo>>,
}

/// A part of a plan that is read when it is needed.
#[derive(Debug)]
struct Part<T> {
    at: u32,
    read: OnceBox<T>,
}

/// The module that gives thunks where nothing can be compiled.
#[derive(Debug)]
struct CommonThunks {
    hash: ContentHash,
    signatures: Vec<Arc<Signature>>,
}

/// The number of a module in its set: main is the first.
type SetIndex = u32;

/// The load group of a path in the plan.
#[derive(Debug)]
struct PlannedGroup {
    members: Vec<PlannedMember>,
}

#[derive(Debug)]
struct PlannedMember {
    path: Arc<str>,
    module: SetIndex,
    needs: Vec<SetIndex>,
    /// One for each import.
    bindings: Vec<Binding<SetExport>>,
}

/// An export of a module of a set.
type SetExport = (SetIndex, ExportId);

/// Why bytes are not a plan that can be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// They do not begin as a plan does.
    #[error("it is not a link plan")]
    NotAPlan,
    /// It was written by another version of this library.
    #[error(
        "the link plan has format {found}, this linker reads format {wanted}\n  hint: make the plan again"
    )]
    Version {
        /// The plan's.
        found: u32,
        /// This library's.
        wanted: u32,
    },
    /// It is cut short or damaged.
    #[error("the link plan is damaged at byte {at}: {reason}\n  hint: make the plan again")]
    Damaged {
        /// The byte.
        at: usize,
        /// Reason.
        reason: &'static str,
    },
    /// A file is not the one that the plan was made for.
    #[error(
        "the link plan is stale: `{path}` is not the file that it was made for\n  hint: {remake}"
    )]
    Stale {
        /// The file.
        path: String,
        /// Hint for a stale plan.
        remake: String,
    },
}

const MAGIC: &[u8] = b"pymode.link\0";
/// Grows with every change of what is written.
const FORMAT: u32 = 4;
