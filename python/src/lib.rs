//! The build of CPython for wasm32-wasi: from upstream's source to `python.wasm` and the image of its standard library.
//!
//! | step | makes | file |
//! |---|---|---|
//! | [source] | CPython's source, unchanged | `source.rs` |
//! | native | a Python for this machine, which the next steps need | `native.rs` |
//! | patched | the source as it is compiled for WASI | `patches.rs` |
//! | configured | configure's findings about WASI | `configured.rs` |
//! | interpreter | libpython | `interpreter.rs` |
//! | include | the headers | `include.rs` |
//! | side | the C modules that are loaded at run time | `side.rs` |
//! | link | `python.wasm` | `libc.rs`, `runtime.rs`, `link.rs`, `finish.rs` |
//! | stdlib | the image | `stdlib.rs` |
//!
//! Each step is one entry of the cache, whose key is made of the keys of the steps before it. A step whose input did not
//! change is not run again; checking that takes a few file system calls.
//!
//! [source]: SOURCE_VERSION

mod configured;
mod context;
mod error;
mod files;
mod finish;
mod include;
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

use pymode_toolchain::crates::{self, CrateSources};
use pymode_toolchain::{Cache, Reporter};

pub use error::Error;
pub use libraries::{LibrarySources, zlib};
pub use link::LinkInputs;
pub use source::VERSION as SOURCE_VERSION;

/// The hash of this crate's sources and of the lock file, for the keys of steps that take seconds. A step that takes minutes has
/// the text of its own file in its key instead.
pub(crate) const SOURCES: &str = env!("SOURCES");

use context::BuildContext;
use include::Include;
use interpreter::Interpreter;
use native::NativePython;
use side::SideModules;
use source::PythonSource;
use tzdata::TimeZones;

/// Options of the standard library.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Keep the docstrings of functions and classes. `-OO` is not used: assertions always stay.
    pub docstrings: bool,
    /// Put the sources into the image, so that tracebacks show their lines.
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

/// A built Python. All paths are absolute and in the cache; do not write to them.
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
    /// Inputs of the link of `python.wasm`.
    pub link_inputs: LinkInputs,
}

/// Builds Python, or finds it in the cache. The first build takes a quarter of an hour, a later one no time.
///
/// # Errors
/// When a download, a compiler or the file system fails.
pub fn build(cache: &Cache, reporter: &Reporter, options: Options) -> Result<Built, Error> {
    let context = BuildContext::open(cache, reporter)?;
    let linkable = linkable(&context)?;
    let linked = link::link(&context, &linkable.link_inputs)?;
    let parts = linkable.library_parts(&context)?;
    let library = stdlib::provision(&context, linkable.library_inputs(&parts), options)?;
    Ok(Built {
        wasm: linked.wasm(),
        named_wasm: linked.named(),
        image: library.image(),
        include: linkable.include.dir,
        native: linkable.native.exe,
        sysconfigdata: library.sysconfigdata(),
        link_inputs: linkable.link_inputs,
    })
}

/// Builds the inputs of the linker, from which `abi/exports.toml` is derived.
///
/// # Errors
/// As for [`build`].
pub fn link_inputs(cache: &Cache, reporter: &Reporter) -> Result<LinkInputs, Error> {
    let context = BuildContext::open(cache, reporter)?;
    Ok(linkable(&context)?.link_inputs)
}

/// The results of all steps before the link of `python.wasm`.
struct Linkable {
    source: PythonSource,
    crates: CrateSources,
    native: NativePython,
    interpreter: Interpreter,
    include: Include,
    link_inputs: LinkInputs,
}

fn linkable(context: &BuildContext<'_>) -> Result<Linkable, Error> {
    let source = source::provision(context.cache, context.reporter)?;
    let crates = crates::sources(context.cache, context.reporter)?;
    let native = native::provision(context, &source, &crates)?;
    let source = patches::provision(context, &source)?;
    let configured = configured::provision(context, &source, &native)?;
    let interpreter = interpreter::provision(context, &source, &crates, &configured)?;
    let include = include::provision(context, &interpreter)?;
    let libc = libc::provision(context)?;
    let link_inputs = link::inputs(context, &interpreter, &include, &libc)?;
    Ok(Linkable {
        source,
        crates,
        native,
        interpreter,
        include,
        link_inputs,
    })
}

impl Linkable {
    /// Builds what only the image of the standard library takes.
    fn library_parts(&self, context: &BuildContext<'_>) -> Result<(SideModules, TimeZones), Error> {
        let side = side::provision(context, &self.source, &self.crates, &self.interpreter)?;
        let zones = tzdata::provision(context)?;
        Ok((side, zones))
    }

    fn library_inputs<'a>(
        &'a self,
        (side, zones): &'a (SideModules, TimeZones),
    ) -> stdlib::Inputs<'a> {
        stdlib::Inputs {
            source: &self.source,
            native: &self.native,
            interpreter: &self.interpreter,
            side,
            zones,
        }
    }
}
