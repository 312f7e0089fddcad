//! The functions and data of libraries for which main has [substitutes](crate::Substitutes).

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::decide::plan::FunctionRef;
use crate::decide::scope::{Scope, Visible};
use crate::decide::unresolved::{Needed, Problem, Unresolved};
use crate::find::group::Definition;
use crate::module::{Export, ExportId, ExportKind, ModuleInfo};
use crate::program::ids::Slot;

/// The definitions of main's substitutes.
#[derive(Debug, Clone, Default)]
pub struct Substitution {
    /// Functions of libraries, and the slots that main has for them.
    pub slots: Vec<(FunctionRef, Slot)>,
    /// Data of libraries, and what main has for them.
    pub copies: Vec<Copy>,
}

/// Bytes of a library that main's datum begins with.
#[derive(Debug, Clone)]
pub struct Copy {
    /// The datum of the library.
    pub from: Definition,
    /// The address of main's.
    pub to: u32,
    /// Size.
    pub size: u32,
}

/// Returns the definitions of main's substitutes in `scope`, where main is first, or all missing ones.
pub(crate) fn substitution(
    main: &Arc<str>,
    info: &ModuleInfo,
    scope: &Scope<'_>,
) -> Result<Substitution, Vec<Unresolved>> {
    let mut missing = Vec::new();
    let mut problem = |name: &str, needed, problem| {
        missing.push(Unresolved {
            name: String::from(name),
            needed_by: Arc::clone(main),
            needed,
            problem,
            reached: None,
        });
    };
    let mut substitution = Substitution::default();
    for (name, stub) in &info.substitutes.stubs {
        let wanted = info.signature(*stub);
        let needed = || Needed::Function(wanted.cloned());
        match scope.find_behind_main(name) {
            None => problem(name, needed(), Problem::Missing),
            Some((library, export, found)) => match (&found.kind, info.slot(*stub)) {
                (ExportKind::Function(function), Some(slot)) => {
                    match (wanted, library.info.signature(*function)) {
                        (Some(wanted), Some(there)) if wanted != there => {
                            let other = Problem::OtherSignature {
                                defined_in: Arc::clone(library.path),
                                found: Arc::clone(there),
                            };
                            problem(name, needed(), other);
                        }
                        _ => {
                            let definition = definition(&library, export);
                            let function = FunctionRef {
                                definition,
                                function: *function,
                            };
                            substitution.slots.push((function, Slot(slot)));
                        }
                    }
                }
                _ => problem(name, needed(), other_kind(&library, found)),
            },
        }
    }
    for copied in &info.substitutes.copies {
        let name = &copied.name;
        match scope.find_behind_main(name) {
            None => problem(name, Needed::Data, Problem::Missing),
            Some((library, export, found)) => match &found.kind {
                ExportKind::Data(datum) if fits(library.info, datum.offset, copied.size) => {
                    substitution.copies.push(Copy {
                        from: definition(&library, export),
                        to: copied.address,
                        size: copied.size,
                    });
                }
                ExportKind::Data(_) => {
                    let defined_in = Arc::clone(library.path);
                    problem(name, Needed::Data, Problem::Smaller { defined_in });
                }
                _ => problem(name, Needed::Data, other_kind(&library, found)),
            },
        }
    }
    if missing.is_empty() {
        Ok(substitution)
    } else {
        Err(missing)
    }
}

/// Returns `true` if so much lies within the data of a library; where it begins, only the instance may know.
fn fits(library: &ModuleInfo, offset: Option<u32>, size: u32) -> bool {
    let end = u64::from(offset.unwrap_or_default()) + u64::from(size);
    end <= u64::from(library.memory.size)
}

fn definition(library: &Visible<'_>, export: ExportId) -> Definition {
    Definition {
        node: library.node,
        export,
    }
}

fn other_kind(library: &Visible<'_>, export: &Export) -> Problem {
    Problem::OtherKind {
        defined_in: Arc::clone(library.path),
        found: export.kind.name(),
    }
}
