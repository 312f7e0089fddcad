//! The headers of the built Python: CPython's own, ours, and the host's functions.
//!
//! They are a step of their own because a new host function must not compile CPython again.

use std::path::PathBuf;

use pymode_toolchain::{Key, link_tree};

use crate::context::BuildContext;
use crate::error::Error;
use crate::interpreter::Interpreter;
use crate::runtime;

/// A directory for `-I`.
#[derive(Clone, Debug)]
pub(crate) struct Include {
    pub(crate) key: Key,
    pub(crate) dir: PathBuf,
}

pub(crate) fn provision(
    context: &BuildContext<'_>,
    interpreter: &Interpreter,
) -> Result<Include, Error> {
    let key = Key::new("include")
        .key("interpreter", &interpreter.key)
        .key("contract", &runtime::contract_key())
        .field("recipe", include_str!("include.rs"));
    let dir = context.cache.entry("python", &key, |dir| {
        link_tree(&interpreter.include(), dir)?;
        runtime::write_contract(dir)
    })?;
    Ok(Include { key, dir })
}
