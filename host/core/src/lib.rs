//! The system of a running Python: WASI preview 1 over a virtual file system, and the pymode imports.
//!
//! Nothing here knows an engine or an operating system. A host gives three things: the guest's memory ([`GuestMemory`]), clocks and
//! randomness ([`Platform`]), and file systems and streams ([`vfs`], [`wasi::Stream`]); it gets the functions that the guest imports.

pub mod dl;
mod errno;
mod exit;
pub mod image;
mod memory;
mod platform;
pub mod program;
pub mod scheduler;
pub mod tasks;
mod threads;
pub mod v8;
pub mod vfs;
pub mod wasi;

pub use errno::Errno;
pub use exit::{Exit, GuestFailure};
pub use memory::GuestMemory;
pub use platform::{Clock, Platform, Timestamp};
pub use threads::{MaybeSend, MaybeSync};
