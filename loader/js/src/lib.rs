//! The dynamic linker on a JavaScript engine: V8 inside a Worker.
//!
//! JavaScript is only asked for what WebAssembly cannot do itself: instances, globals, tags and table slots are made
//! through its API. What side modules import are raw exports of other instances, never functions of JavaScript: calls
//! between modules cost what an indirect call costs, and a guest can be suspended through them.
//!
//! The engine compiles nothing: in a Worker that is forbidden. The host gives compiled modules, and a link plan says of each
//! what it imports and exports, because JavaScript tells names but no types. What the linker would generate is made of forwarders
//! that were compiled beforehand.

mod code;
mod engine;
mod externs;
mod forwarders;
mod modules;
mod stamp;
mod ticket;

pub use code::JsCode;
pub use engine::{Host, JsProcess};
pub use externs::{JsExtern, JsInstance, MainExport, fault, reason};
pub use forwarders::Forwarders;
pub use modules::{Known, Modules, NotKnown};
pub use stamp::stamp;
pub use ticket::{key, ticket};
