//! How CPython is built for wasm32-wasi: from upstream's source to `python.wasm` and the image of its standard library.
//!
//! | step | makes | file |
//! |---|---|---|
//! | [source] | CPython's source, unchanged | `source.rs` |
//! | native | a Python for this machine, which the others need | `native.rs` |
//! | patched | the source as it is compiled for WASI | `patches.rs` |
//! | configured | what configure finds out about WASI | `configured.rs` |
//! | interpreter | libpython | `interpreter.rs` |
//! | side | the C modules that are loaded at run time | `side.rs` |
//! | link | `python.wasm` | `libc.rs`, `runtime.rs`, `link.rs`, `finish.rs` |
//! | stdlib | the image | `stdlib.rs` |
//!
//! Each step is one entry of the cache, whose key is made of the keys of the steps before it: what did not change is not
//! made again, and to find that out costs a few looks at the file system.
//!
//! [source]: SOURCE_VERSION

mod configured;
mod context;
mod error;
mod files;
mod finish;
mod interpreter;
mod libc;
mod libraries;
mod link;
mod modules;
mod native;
mod patches;
mod recipe;
#[cfg(test)]
mod reproducible;
mod runtime;
mod side;
mod source;
mod stdlib;
mod tzdata;

use std::path::PathBuf;

use pymode_toolchain::{Cache, Reporter, crates};

pub use error::Error;
pub use libraries::{LibrarySources, zlib};
pub use link::LinkInputs;
pub use source::VERSION as SOURCE_VERSION;

use context::BuildContext;

/// What can be chosen about the standard library.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Whether functions and classes keep their docstrings. `-OO` is not used: assertions always stay.
    pub docstrings: bool,
    /// Whether the sources are in the image, so that tracebacks show lines of them.
    pub sources: bool,
}

impl Default for Options {
    /// Docstrings, no sources.
    fn default() -> Self {
        Self {
            docstrings: true,
            sources: false,
        }
    }
}

/// A Python that is built. All paths are absolute, in the cache, and not to be written to.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Built {
    /// `python.wasm`.
    pub wasm: PathBuf,
    /// The same module with the names of its functions.
    pub named_wasm: PathBuf,
    /// `stdlib.img`: what is mounted at `/`, read-only.
    pub image: PathBuf,
    /// The directory of `Python.h`, `pyconfig.h` and `pymode.h`.
    pub include: PathBuf,
    /// The native `python3.13`.
    pub native: PathBuf,
    /// The module with the data of `sysconfig`; its directory holds no other.
    pub sysconfigdata: PathBuf,
    /// What `python.wasm` was linked from.
    pub link_inputs: LinkInputs,
}

/// Builds Python, or finds it in the cache: from nothing it takes a quarter of an hour, with nothing to do no time.
///
/// # Errors
/// When a download, a compiler or the file system fails.
pub fn build(cache: &Cache, reporter: &Reporter, options: Options) -> Result<Built, Error> {
    let context = BuildContext::open(cache, reporter)?;
    let source = source::provision(cache, reporter)?;
    let crates = crates::sources(cache, reporter)?;
    let native = native::provision(&context, &source, &crates)?;
    let source = patches::provision(&context, &source)?;
    let configured = configured::provision(&context, &source, &native)?;
    let interpreter = interpreter::provision(&context, &source, &crates, &configured)?;
    let libc = libc::provision(&context)?;
    let link_inputs = link::inputs(&context, &interpreter, &libc)?;
    let linked = link::link(&context, &link_inputs)?;
    let side = side::provision(&context, &source, &crates, &interpreter)?;
    let zones = tzdata::provision(&context)?;
    let inputs = stdlib::Inputs {
        source: &source,
        native: &native,
        interpreter: &interpreter,
        side: &side,
        zones: &zones,
    };
    let library = stdlib::provision(&context, inputs, options)?;
    Ok(Built {
        wasm: linked.wasm(),
        named_wasm: linked.named(),
        image: library.image(),
        include: interpreter.include(),
        native: native.exe,
        sysconfigdata: library.sysconfigdata(),
        link_inputs,
    })
}

/// Builds as far as the linker needs it, without linking: what `abi/exports.toml` is derived from.
///
/// # Errors
/// As for [`build`].
pub fn link_inputs(cache: &Cache, reporter: &Reporter) -> Result<LinkInputs, Error> {
    let context = BuildContext::open(cache, reporter)?;
    let source = source::provision(cache, reporter)?;
    let crates = crates::sources(cache, reporter)?;
    let native = native::provision(&context, &source, &crates)?;
    let source = patches::provision(&context, &source)?;
    let configured = configured::provision(&context, &source, &native)?;
    let interpreter = interpreter::provision(&context, &source, &crates, &configured)?;
    link::inputs(&context, &interpreter, &libc::provision(&context)?)
}
