//! Resolves each symbol, or lists all missing ones.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::decide::binding::Binding;
use crate::decide::scope::{Scope, Visible, find};
use crate::decide::unresolved::{Needed, Problem, Unresolved};
use crate::find::group::{Definition, Group, Member, Node};
use crate::module::ids::ExportId;
use crate::module::{Export, ExportKind, Import, ImportKind, ModuleInfo, Signature};
use crate::program::ids::ModuleId;

/// The bindings of all imports of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolution {
    /// Parallel to [`Group::members`], then to [`ModuleInfo::imports`].
    pub members: Vec<Vec<Binding<Definition>>>,
}

/// Resolves once more what others could have a say in, after a resolution that knew of none. `None`: something is missing now,
/// or something else than it was.
pub(crate) fn resolve_again(
    group: &Group,
    scope: &Scope<'_>,
    mut resolution: Resolution,
) -> Option<Resolution> {
    for (at, bindings) in resolution.members.iter_mut().enumerate() {
        let importer = Importer::new(group, at, scope);
        for (import, binding) in importer.member.info.imports.iter().zip(bindings) {
            if !binding.is_settled() {
                *binding = importer.binding(import, &mut |_, _| false).ok()?;
            }
        }
    }
    Some(resolution)
}

/// Resolves every import of every member of `group`.
///
/// `has_host` returns `true` if the host offers a function, by module and name.
///
/// # Errors
/// With every symbol that is missing, in the order of members and imports.
pub fn resolve(
    group: &Group,
    scope: &Scope<'_>,
    has_host: &mut dyn FnMut(&str, &str) -> bool,
) -> Result<Resolution, Vec<Unresolved>> {
    let mut missing = Vec::new();
    let members = (0..group.members.len()).map(|at| {
        let importer = Importer::new(group, at, scope);
        let bindings = importer.member.info.imports.iter().map(|import| {
            importer
                .binding(import, has_host)
                .unwrap_or_else(|problem| {
                    missing.push(*problem);
                    // Never used: a resolution with missing symbols is not given out.
                    Binding::NullAddress
                })
        });
        bindings.collect()
    });
    let members = members.collect();
    if missing.is_empty() {
        Ok(Resolution { members })
    } else {
        Err(missing)
    }
}

/// One member, looking for what it imports.
struct Importer<'a> {
    member: &'a Member,
    scope: &'a Scope<'a>,
}

impl<'a> Importer<'a> {
    fn new(group: &'a Group, at: usize, scope: &'a Scope<'a>) -> Self {
        Self {
            member: &group.members[at],
            scope,
        }
    }

    fn binding(
        &self,
        import: &Import,
        has_host: &mut dyn FnMut(&str, &str) -> bool,
    ) -> Result<Binding<Definition>, Box<Unresolved>> {
        match &import.kind {
            ImportKind::Memory => Ok(Binding::Memory),
            ImportKind::Table => Ok(Binding::Table),
            ImportKind::StackPointer => Ok(Binding::StackPointer),
            ImportKind::MemoryBase => Ok(Binding::MemoryBase),
            ImportKind::TableBase => Ok(Binding::TableBase),
            ImportKind::Function { signature, weak } => {
                self.function(import, signature.as_ref(), *weak)
            }
            ImportKind::FunctionAddress { weak } => self.function_address(import, *weak),
            ImportKind::DataAddress { weak } => self.data_address(import, *weak),
            ImportKind::Tag { signature } => self.tag(import, signature.as_ref()),
            ImportKind::Global => self.global(import),
            ImportKind::Host => {
                if has_host(&import.module, &import.name) {
                    Ok(Binding::Host)
                } else {
                    let needed = Needed::Host(String::from(&*import.module));
                    Err(self.unresolved(import, needed, Problem::Missing))
                }
            }
        }
    }

    fn function(
        &self,
        import: &Import,
        wanted: Option<&Arc<Signature>>,
        weak: bool,
    ) -> Result<Binding<Definition>, Box<Unresolved>> {
        let needed = || Needed::Function(wanted.cloned());
        let Some((found, id, export)) = self.scope.find(&import.name) else {
            if weak {
                return Ok(Binding::Function(None));
            }
            return Err(self.missing(import, needed()));
        };
        let ExportKind::Function(function) = export.kind else {
            return Err(self.other_kind(import, needed(), found, export));
        };
        if let (Some(wanted), Some(there)) = (wanted, found.info.signature(function))
            && wanted != there
        {
            let problem = Problem::OtherSignature {
                defined_in: Arc::clone(found.path),
                found: Arc::clone(there),
            };
            return Err(self.unresolved(import, needed(), problem));
        }
        Ok(Binding::Function(Some(definition(found, id))))
    }

    fn function_address(
        &self,
        import: &Import,
        weak: bool,
    ) -> Result<Binding<Definition>, Box<Unresolved>> {
        let needed = Needed::FunctionAddress;
        match self.scope.find(&import.name) {
            Some((found, id, export)) => match export.kind {
                ExportKind::Function(_) => Ok(Binding::FunctionAddress(definition(found, id))),
                _ => Err(self.other_kind(import, needed, found, export)),
            },
            None if weak => Ok(Binding::NullAddress),
            None => Err(self.missing(import, needed)),
        }
    }

    fn data_address(
        &self,
        import: &Import,
        weak: bool,
    ) -> Result<Binding<Definition>, Box<Unresolved>> {
        let needed = Needed::Data;
        match self.scope.find(&import.name) {
            Some((found, id, export)) => match export.kind {
                ExportKind::Data(_) => Ok(Binding::DataAddress(definition(found, id))),
                _ => Err(self.other_kind(import, needed, found, export)),
            },
            None if weak => Ok(Binding::NullAddress),
            None => Err(self.missing(import, needed)),
        }
    }

    /// There is one tag of each name in the process. Main's comes first; a tag of the importer itself is never bound to
    /// its import, which has to exist before the importer does.
    fn tag(
        &self,
        import: &Import,
        wanted: Option<&Arc<Signature>>,
    ) -> Result<Binding<Definition>, Box<Unresolved>> {
        if self.scope.tags.contains(&&*import.name) {
            return Ok(Binding::ProcessTag);
        }
        let Some((found, id, export)) = self.scope.find(&import.name) else {
            return Ok(Binding::ProcessTag);
        };
        let needed = || Needed::Tag(wanted.cloned());
        let ExportKind::Tag(there) = &export.kind else {
            return Err(self.other_kind(import, needed(), found, export));
        };
        if let (Some(wanted), Some(there)) = (wanted, there)
            && wanted != there
        {
            let problem = Problem::OtherSignature {
                defined_in: Arc::clone(found.path),
                found: Arc::clone(there),
            };
            return Err(self.unresolved(import, needed(), problem));
        }
        if weakly_defines_tag(found.info, &import.name) {
            return Ok(Binding::ProcessTag);
        }
        Ok(Binding::Tag(definition(found, id)))
    }

    fn global(&self, import: &Import) -> Result<Binding<Definition>, Box<Unresolved>> {
        match self.scope.find(&import.name) {
            Some((found, id, export)) => match export.kind {
                ExportKind::Global | ExportKind::Data(_)
                    if found.node == Node::Loaded(ModuleId::MAIN) =>
                {
                    Ok(Binding::MainGlobal(id))
                }
                _ => Err(self.other_kind(import, Needed::Global, found, export)),
            },
            None => Err(self.missing(import, Needed::Global)),
        }
    }

    fn missing(&self, import: &Import, needed: Needed) -> Box<Unresolved> {
        let problem = match find(&self.scope.elsewhere, &import.name) {
            Some((found, _, _)) => Problem::OutOfScope {
                defined_in: Arc::clone(found.path),
            },
            None => Problem::Missing,
        };
        self.unresolved(import, needed, problem)
    }

    fn other_kind(
        &self,
        import: &Import,
        needed: Needed,
        found: Visible<'_>,
        export: &Export,
    ) -> Box<Unresolved> {
        let problem = Problem::OtherKind {
            defined_in: Arc::clone(found.path),
            found: export.kind.name(),
        };
        self.unresolved(import, needed, problem)
    }

    fn unresolved(&self, import: &Import, needed: Needed, problem: Problem) -> Box<Unresolved> {
        Box::new(Unresolved {
            name: String::from(&*import.name),
            needed_by: Arc::clone(&self.member.path),
            needed,
            problem,
            reached: None,
        })
    }
}

fn definition(found: Visible<'_>, export: ExportId) -> Definition {
    Definition {
        node: found.node,
        export,
    }
}

/// Returns `true` if a module imports the tag that it exports: another module's may replace it.
fn weakly_defines_tag(info: &ModuleInfo, name: &str) -> bool {
    info.imports
        .iter()
        .any(|import| matches!(import.kind, ImportKind::Tag { .. }) && &*import.name == name)
}
