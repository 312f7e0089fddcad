//! The dynamic linker on a JavaScript engine: V8 inside a Worker.
//!
//! JavaScript is only asked for what WebAssembly cannot do itself: instances, globals, tags and table slots are made
//! through its API. What side modules import are raw exports of other instances, never functions of JavaScript: calls
//! between modules cost what an indirect call costs, and a guest can be suspended through them.
//!
//! The engine compiles nothing: in a Worker that is forbidden. The host gives compiled modules, and a link plan says of each
//! what it imports and exports, because JavaScript tells names but no types. What the linker would generate is made of thunks that
//! were compiled beforehand.
#![warn(clippy::missing_errors_doc)]

mod code;
mod engine;
mod error;
mod externs;
mod modules;
mod stamp;
mod stub;
mod thunks;

pub use code::{JsCode, JsSource};
pub use engine::{Host, JsProcess};
pub use error::{JsEngineError, JsFailure, reason};
pub use externs::{JsExtern, JsInstance, MainExport};
pub use modules::{Modules, NotKnown};
pub use stamp::stamp;
pub use stub::{key, link_target, stub_hash};
pub use thunks::CommonThunks;
