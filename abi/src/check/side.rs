//! Checks a side module against the contract.

use super::module::{Item, Module, WASI};
use super::{Violation, host_import, version};
use crate::{ExportKind, MODULE, export};

/// The form in which a module needs a symbol.
enum SymbolUse<'a> {
    /// Bound directly, with this type.
    Import(&'a Item),
    /// The address of an object.
    Address,
    /// The table slot of a function.
    Slot,
}

/// Returns every violation of a side module. Each import must be an export of python.wasm, of the module itself or of one of
/// its `needed` modules, with the same signature, or an import from the host.
#[must_use]
pub fn side(wasm: &[u8], needed: &[&[u8]]) -> Vec<Violation> {
    let module = match Module::parse(wasm) {
        Ok(module) => module,
        Err(reason) => return vec![Violation::Damaged { reason }],
    };
    if !module.side {
        return vec![Violation::NotSide];
    }
    let mut violations = Vec::from_iter(version(&module));
    let mut others = vec![("the module itself", &module)];
    let needed: Vec<_> = needed.iter().map(|bytes| Module::parse(bytes)).collect();
    for other in &needed {
        match other {
            Ok(other) => others.push(("a needed module", other)),
            Err(reason) => violations.push(Violation::Damaged {
                reason: format!("a needed module: {reason}"),
            }),
        }
    }
    for (from, name, item) in &module.imports {
        let wanted = match *from {
            MODULE | WASI => {
                violations.extend(host_import(from, name, item));
                continue;
            }
            "env" if made_by_loader(name, item) => continue,
            "env" => SymbolUse::Import(item),
            "GOT.mem" => SymbolUse::Address,
            "GOT.func" => SymbolUse::Slot,
            _ => {
                let (module, name, item) =
                    ((*from).to_owned(), (*name).to_owned(), item.to_string());
                violations.push(Violation::NoSuchImport { module, name, item });
                continue;
            }
        };
        let optional = module.is_weak(from, name);
        violations
            .extend(symbol(name, &wanted, &others).filter(|violation| {
                !(optional && matches!(violation, Violation::NoSymbol { .. }))
            }));
    }
    violations
}

/// The two base addresses that the loader creates for each module.
fn made_by_loader(name: &str, item: &Item) -> bool {
    matches!(name, "__memory_base" | "__table_base")
        && *item
            == Item::Global {
                ty: "i32".to_owned(),
                mutable: false,
            }
}

fn symbol(
    name: &str,
    wanted: &SymbolUse<'_>,
    others: &[(&'static str, &Module<'_>)],
) -> Option<Violation> {
    let (fits, found, whose) = match (
        export(name),
        others
            .iter()
            .find_map(|(whose, other)| Some((*whose, other.exports.get(name)?))),
    ) {
        (Some(export), _) => (
            wanted.fits_main(&export.kind),
            export.kind.to_string(),
            "python.wasm",
        ),
        (None, Some((whose, item))) => (wanted.fits_side(item), item.to_string(), whose),
        (None, None) => {
            return Some(Violation::NoSymbol {
                name: name.to_owned(),
                item: wanted.to_string(),
            });
        }
    };
    let (name, wanted) = (name.to_owned(), wanted.to_string());
    (!fits).then_some(Violation::OtherSymbol {
        name,
        wanted,
        found,
        whose,
    })
}

impl SymbolUse<'_> {
    fn fits_main(&self, kind: &ExportKind) -> bool {
        match self {
            // A module declares the minimum size of the table and the memory; it does not declare them growable.
            Self::Import(Item::Table { .. }) => *kind == ExportKind::Table,
            Self::Import(Item::Memory { .. }) => *kind == ExportKind::Memory,
            Self::Import(item) => item.is(kind),
            Self::Address => *kind == ExportKind::Data,
            Self::Slot => matches!(kind, ExportKind::Function(_)),
        }
    }

    fn fits_side(&self, item: &Item) -> bool {
        match self {
            Self::Import(wanted) => *wanted == item,
            Self::Address => item.is(&ExportKind::Data),
            Self::Slot => matches!(item, Item::Function(_)),
        }
    }
}

impl std::fmt::Display for SymbolUse<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Import(item) => item.fmt(f),
            Self::Address => f.write_str("the address of an object"),
            Self::Slot => f.write_str("the address of a function"),
        }
    }
}
