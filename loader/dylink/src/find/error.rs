//! Everything that can go wrong while files are found and read.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::find::files::FetchError;
use crate::program::config::ContractError;

/// The reason why no load group was found for a path.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FindError {
    /// There is no such library.
    #[error("cannot find `{name}`{}{}", needed(.needed_by), paths(.searched))]
    NotFound {
        /// The path or basename that was asked for.
        name: String,
        /// The module that needs it, when it is not the one that was asked for.
        needed_by: Option<Arc<str>>,
        /// The paths that were tried.
        searched: Vec<String>,
    },
    /// Several libraries are missing.
    #[error("{}", several(.errors))]
    Several {
        /// One error for each.
        errors: Vec<FindError>,
    },
    /// `RTLD_NOLOAD`, and it is not loaded.
    #[error("`{path}` is not loaded, and RTLD_NOLOAD forbids loading it")]
    NotLoaded {
        /// The path that was asked for.
        path: String,
    },
    /// The file is there, but is not a side module that can be loaded.
    #[error("cannot load `{path}`{}: {reason}", needed(.needed_by))]
    Unusable {
        /// The file.
        path: String,
        /// The module that needs it, when it is not the one that was asked for.
        needed_by: Option<Arc<str>>,
        /// The reason.
        #[source]
        reason: FetchError,
    },
    /// The file was built for another version of the contract between main and side modules.
    #[error(transparent)]
    Contract(#[from] ContractError),
    /// The module is being linked at this very moment, by a `dlopen` further down the stack.
    #[error(
        "cannot load `{path}`: it is being linked; its start function must not call `dlopen` for it"
    )]
    Busy {
        /// The file.
        path: String,
    },
}

fn needed(by: &Option<Arc<str>>) -> String {
    by.as_ref()
        .map(|by| format!(", needed by `{by}`"))
        .unwrap_or_default()
}

fn paths(paths: &[String]) -> String {
    if paths.is_empty() {
        return "\n  hint: give a path with a slash, or a library path".into();
    }
    let quoted: Vec<String> = paths.iter().map(|path| format!("`{path}`")).collect();
    format!("; looked for {}", quoted.join(", "))
}

fn several(errors: &[FindError]) -> String {
    let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
    lines.join("\n")
}
