//! Everything that can stand against binding a load group.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::decide::unresolved::{Unresolved, linked_by};

/// The reason why a load group cannot be bound.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DecideError {
    /// Symbols that no module defines, or that are not what is needed.
    #[error("cannot load `{path}`: {}", unresolved(.symbols))]
    Unresolved {
        /// The file that was asked for.
        path: String,
        /// All of them, in the order in which their modules import them.
        symbols: Vec<Unresolved>,
    },
    /// A tag whose definition does not exist yet when its importer is instantiated: nothing can stand in for a tag.
    #[error(
        "cannot load `{path}`: its tag `{tag}` is defined in `{defined_in}`, {}",
        later(.path, .defined_in, *.in_cycle)
    )]
    LaterTag {
        /// The file that imports it.
        path: Arc<str>,
        /// The tag.
        tag: String,
        /// The file that defines it, and is loaded after.
        defined_in: Arc<str>,
        /// The one that defines it needs the other, directly or not.
        in_cycle: bool,
    },
    /// A function that needs a thunk, which cannot be made without its type.
    #[error(
        "cannot load `{path}`: its function `{symbol}` does not exist yet when it is loaded, and cannot have a thunk: its type is not known"
    )]
    UnknownType {
        /// The file that imports it.
        path: Arc<str>,
        /// The function.
        symbol: String,
    },
}

fn later(path: &str, defined_in: &str, in_cycle: bool) -> String {
    match in_cycle {
        true => format!(
            "which needs `{path}` and so exists only after it\n  hint: define the tag in a library that both need, or in the main module"
        ),
        false => format!(
            "which `{path}` does not name in NEEDED and which exists only after it\n  hint: link `{path}` with {}",
            linked_by(defined_in)
        ),
    }
}

fn unresolved(symbols: &[Unresolved]) -> String {
    let plural = if symbols.len() == 1 { "" } else { "s" };
    let mut text = format!("{} unresolved symbol{plural}", symbols.len());
    for symbol in symbols {
        text.push_str("\n  ");
        text.push_str(&symbol.to_string());
    }
    text
}
