//! python.wasm in wasmtime: the native host.
//!
//! A [`Python`] is opened once and can run many times:
//!
//! ```no_run
//! # use std::path::Path;
//! use pymode_native::{Captured, Output, Python};
//!
//! let python = Python::open(Path::new("python.wasm"), Path::new("stdlib.img"), Path::new("code-cache"))?;
//! let out = Captured::new();
//! let mut run = python.run();
//! run.args(["-c", "print(6 * 7)"]).stdout(Output::Capture(out.clone()));
//! let exit = run.start()?;
//! assert_eq!((exit.code(), out.take_text().as_str()), (0, "42\n"));
//! # Ok::<(), pymode_native::Error>(())
//! ```
//!
//! Any other wasm32-wasi program is a [`Program`], and run in the same way.
//!
//! A guest sees its image, a `/tmp` in memory, a small `/dev`, and the mounted directories. However it ends, the result is an
//! [`Exit`], and this process goes on.

mod engine;
mod errno;
mod error;
mod failure;

mod guest;
mod host_dir;
mod imports;
#[allow(unsafe_code, reason = "maps files into memory")]
mod mapped;
mod names;
mod platform;
mod program;
mod python;
mod run;
mod stdio;
mod threads;

pub use error::Error;
pub use program::Program;
pub use pymode_host::program::Unusable;
pub use pymode_host::{Exit, GuestFailure};
pub use python::Python;
pub use run::Run;
pub use stdio::{Captured, Output, Stdin};
