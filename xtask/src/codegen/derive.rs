//! Derives `exports.toml` from the archives' real symbols.

use std::path::PathBuf;

use pymode_abi::Why;
use pymode_abi::model::{Exports, ModelError};
use pymode_toolchain::zig::Zig;

use super::archive;
use super::headers;
use super::policy::{Policy, fits};

use crate::error::Error;

/// Inputs of the contract.
#[derive(Debug)]
pub(crate) struct Sources {
    pub(crate) zig: Zig,
    /// Archives of CPython.
    pub(crate) python: Vec<PathBuf>,
    /// Our headers, which precede libc's.
    pub(crate) headers: Vec<PathBuf>,
    /// Our objects, which precede libc and may replace parts of it.
    pub(crate) objects: Vec<PathBuf>,
    /// libc and the compiler's runtime.
    pub(crate) libc: Vec<PathBuf>,
}

/// Reads the archives and selects the exports.
pub(super) fn exports(policy: &Policy, sources: &Sources) -> Result<Exports, Error> {
    let python = archive::symbols(&sources.python)?;
    let objects = archive::symbols(&sources.objects)?;
    let libc = archive::symbols(&sources.libc)?;
    let declared = headers::names(&sources.zig, &sources.headers, &policy.libc.headers)?;

    let mut exports = made_by_linker(policy)?;
    for (name, symbol) in &python {
        let prefixes = &policy.python.prefixes;
        let ours = prefixes.iter().any(|prefix| name.starts_with(prefix));
        if ours && symbol.visible && !fits(&policy.python.leave_out, name) {
            exports.insert(name.clone(), (Why::Python, symbol.kind.clone()));
        }
    }
    let public = |name: &String| {
        policy.libc.also.contains_key(name)
            || declared.contains(name) && !fits(&policy.libc.leave_out, name)
    };
    for (name, symbol) in libc.iter().filter(|(name, _)| public(name)) {
        exports.insert(name.clone(), (Why::Libc, symbol.kind.clone()));
    }
    // Libc's part contains only libc's symbols: a C program that links without our objects has no others.
    let lacking = objects.iter().filter(|(name, _)| !libc.contains_key(*name));
    for (name, symbol) in lacking {
        if public(name) || policy.runtime.objects.names.contains(name) {
            exports.insert(name.clone(), (Why::Runtime, symbol.kind.clone()));
        }
    }
    for name in &policy.compiler_rt.names {
        let nowhere = || Error::Nowhere { name: name.clone() };
        let symbol = libc.get(name).ok_or_else(nowhere)?;
        exports.insert(name.clone(), (Why::CompilerRt, symbol.kind.clone()));
    }
    match policy
        .libc
        .also
        .keys()
        .find(|name| !exports.contains_key(*name))
    {
        Some(name) => Err(Error::Nowhere { name: name.clone() }),
        None => Ok(exports),
    }
}

fn made_by_linker(policy: &Policy) -> Result<Exports, ModelError> {
    policy
        .runtime
        .linker
        .iter()
        .map(|(name, kind)| Ok((name.clone(), (Why::Runtime, kind.parse()?))))
        .collect()
}
