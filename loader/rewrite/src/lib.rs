//! Side modules of a closed set, rewritten so that loading them costs less.
//!
//! A bundle with a main module and all side modules that it may ever load has facts that a linker at run time does
//! not: where a name has one definition in the whole set, nothing can stand before it. What a `dlopen` would find out and hand
//! over in a global can then be written into the module itself:
//!
//! ```text
//! GOT.mem.x     main's datum              a global with its address
//!               the module's own          a global with `__memory_base` + its offset
//!               of none, and weak         a global with 0
//! GOT.func.f    a function with a slot    a global with the slot, of main or from `__table_base`
//! env.f         the module's own, weak    the function itself
//! exports       that nothing can look up  removed
//! ```
//!
//! [`ClosedSet::rewrites`] decides from descriptions alone, [`Rewrite::apply`] carries out. What a rewritten module still imports
//! is bound as before, by a plan or by the linker at run time: to the latter it is a module that imports less.
//!
//! The code is patched in place. `walrus`, and `wasm-encoder` left to itself, encode every instruction again, in fewer bytes than
//! lld, which gives each index five; then `function+0x1a2` of a trap would be another place than in the file that its author
//! has. An index that changes gets as many bytes as it had, and nothing in a function moves.
//!
//! Nothing is known here of a bundle, of files and of hashes; a rewritten module is another module, with another hash.
#![warn(clippy::missing_errors_doc)]

mod apply;
mod body;
mod decide;

pub use apply::NotRewritten;
pub use decide::{ClosedSet, Kinds, Replacement, Rewrite};
