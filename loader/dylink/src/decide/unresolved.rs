//! Reasons why a symbol cannot be bound, and hints.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use core::fmt;

use crate::module::inspect::Reach;
use crate::module::{Import, ImportKind, Signature};

/// One symbol that could not be bound.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unresolved {
    /// The symbol.
    pub name: String,
    /// The module that needs it.
    pub needed_by: Arc<str>,
    /// The required kind.
    pub needed: Needed,
    /// The problem.
    pub problem: Problem,
    /// The code that uses it, if it is known.
    pub reached: Option<Reach>,
}

/// The kind in which a symbol is needed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Needed {
    /// A function to call, with its type if it is known.
    Function(Option<Arc<Signature>>),
    /// A function whose address is taken.
    FunctionAddress,
    /// A datum.
    Data,
    /// A tag, with its type if it is known.
    Tag(Option<Arc<Signature>>),
    /// A global of main.
    Global,
    /// A function of the host; the import's module name.
    Host(String),
}

/// Why a symbol could not be bound.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// Nobody defines it.
    Missing,
    /// A module that is loaded defines it, but is not one that the importer may see.
    OutOfScope {
        /// That module.
        defined_in: Arc<str>,
    },
    /// A library that is not loaded defines it, and lies where libraries are looked for or beside the importer, which does
    /// not name it in its `NEEDED`.
    NotNeeded {
        /// That library.
        defined_in: Arc<str>,
        /// It would be found if it were named.
        searched: bool,
    },
    /// A module has a function of this name, and keeps it for itself.
    Hidden {
        /// That module.
        defined_in: Arc<str>,
    },
    /// It is there, with another type.
    OtherSignature {
        /// The module that defines it.
        defined_in: Arc<str>,
        /// Its type there.
        found: Arc<Signature>,
    },
    /// It is there, with less room than what the program was linked with.
    Smaller {
        /// The module that defines it.
        defined_in: Arc<str>,
    },
    /// It is there, but is something else.
    OtherKind {
        /// The module that defines it.
        defined_in: Arc<str>,
        /// Kind of the definition.
        found: &'static str,
    },
}

impl Unresolved {
    /// Returns `true` if this import could not be bound.
    pub(crate) fn is(&self, import: &Import) -> bool {
        match (&self.needed, &import.kind) {
            (Needed::Function(needed), ImportKind::Function { signature, .. }) => {
                needed == signature
            }
            (Needed::FunctionAddress, ImportKind::FunctionAddress { .. })
            | (Needed::Data, ImportKind::DataAddress { .. }) => true,
            _ => false,
        }
    }
}

impl fmt::Display for Unresolved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = &self.name;
        match &self.needed {
            Needed::Function(Some(signature)) => write!(f, "function `{name}` {signature}")?,
            Needed::Function(None) | Needed::FunctionAddress => write!(f, "function `{name}`")?,
            Needed::Data => write!(f, "data `{name}`")?,
            Needed::Tag(Some(signature)) => write!(f, "tag `{name}` {signature}")?,
            Needed::Tag(None) => write!(f, "tag `{name}`")?,
            Needed::Global => write!(f, "global `{name}`")?,
            Needed::Host(module) => write!(f, "host function `{module}.{name}`")?,
        }
        write!(f, ", needed by `{}`", self.needed_by)?;
        if let Some(reached) = &self.reached {
            write!(f, "\n      {reached}")?;
        }
        match &self.problem {
            Problem::Missing => Ok(()),
            Problem::OutOfScope { defined_in } => write!(
                f,
                "\n      hint: `{defined_in}` defines it: link with that library, or open it with RTLD_GLOBAL"
            ),
            Problem::NotNeeded {
                defined_in,
                searched,
            } => {
                let unnamed = Unnamed {
                    importer: &self.needed_by,
                    library: defined_in,
                    searched: *searched,
                };
                write!(
                    f,
                    "\n      {}",
                    unnamed.to_string().replace('\n', "\n      ")
                )
            }
            Problem::Hidden { defined_in } => write!(
                f,
                "\n      `{defined_in}` has a function of this name, but does not export it\n      hint: give it default visibility, or `-Wl,--export={name}`"
            ),
            Problem::OtherSignature { defined_in, found } => write!(
                f,
                "\n      but `{defined_in}` defines it as {found}\n      hint: compare the declaration with the definition"
            ),
            Problem::Smaller { defined_in } => write!(
                f,
                "\n      but in `{defined_in}` it is smaller than it was when the program was linked\n      hint: link the program again"
            ),
            Problem::OtherKind { defined_in, found } => {
                write!(f, "\n      but in `{defined_in}` it is {found}")
            }
        }
    }
}

/// A library defines what a module needs, and the module does not name it: what to say of that, and the next step, on a line
/// each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unnamed<'a> {
    /// The module.
    pub importer: &'a str,
    /// The library.
    pub library: &'a str,
    /// It would be found if it were named.
    pub searched: bool,
}

impl fmt::Display for Unnamed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (by, library) = (self.importer, self.library);
        write!(
            f,
            "`{library}` defines it, but `{by}` does not name that library in NEEDED\nhint: link `{by}` with {}",
            linked_by(library)
        )?;
        match self.searched {
            true => Ok(()),
            false => f.write_str(" and `-Wl,-rpath,$ORIGIN`"),
        }
    }
}

/// Returns a library's linker option: `-lz` for `libz.so`.
pub(crate) fn linked_by(path: &str) -> String {
    let name = path.rsplit_once('/').map_or(path, |(_, name)| name);
    let stem = name.strip_prefix("lib");
    match stem.and_then(|stem| stem.strip_suffix(".so")) {
        Some(stem) if !stem.is_empty() => format!("`-l{stem}`"),
        _ => format!("`{name}`"),
    }
}
