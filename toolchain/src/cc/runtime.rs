//! What is linked into a program that loads modules: `dlopen`, and the symbols that it lends.

use std::fs;
use std::path::{Path, PathBuf};

use super::driver::CcError;
use super::flags;
use crate::Error;
use crate::cache::CacheError;
use crate::process;
use crate::step::Step;
use crate::talk::Talk;
use crate::zig::Zig;

const DLFCN: &str = include_str!("dlfcn.c");

/// The object that turns `<dlfcn.h>` into the host's `pymode.dl_*`.
pub(super) fn dlfcn(zig: &Zig, scratch: &Path) -> Result<PathBuf, CcError> {
    let source = scratch.join("dlfcn.c");
    let object = scratch.join("dlfcn.o");
    write(&source, DLFCN)?;
    let mut command = zig.command("cc");
    command
        .args(flags::COMPILE)
        .args(["-Os", "-c", "-o"])
        .arg(&object)
        .arg(&source);
    let log = scratch.join("dlfcn.log");
    Step::run(&Talk::quiet(), "compiling dlopen", command, &log).map_err(Error::from)?;
    Ok(object)
}

/// What a program exports so that modules find it there: all that python.wasm gives them of libc, and what a process has
/// once.
pub(super) fn lent_symbols() -> impl Iterator<Item = String> {
    pymode_abi::EXPORTS
        .iter()
        .filter(|export| {
            matches!(
                export.why,
                pymode_abi::Why::Libc | pymode_abi::Why::CompilerRt
            )
        })
        .map(|export| export.name)
        .chain(process::EXPORTS.iter().copied())
        .map(|name| format!("-Wl,--export={name}"))
}

fn write(path: &Path, text: &str) -> Result<(), CacheError> {
    fs::write(path, text).map_err(CacheError::io("write", path))
}
