//! A side module against the contract.

use super::module::{Item, Module, WASI};
use super::{Fault, host_import, version};
use crate::{Kind, MODULE, export};

/// What a symbol is asked to be.
enum Wanted<'a> {
    /// Bound directly, with this type.
    Import(&'a Item),
    /// The address of an object.
    Address,
    /// The table slot of a function.
    Slot,
}

/// Everything in which a side module does not keep the contract. Each import must be an export of python.wasm, of the
/// module itself or of one of the modules that it `needed`, with the same signature; or one that a host gives.
#[must_use]
pub fn side(wasm: &[u8], needed: &[&[u8]]) -> Vec<Fault> {
    let module = match Module::parse(wasm) {
        Ok(module) => module,
        Err(reason) => return vec![Fault::Damaged { reason }],
    };
    if !module.side {
        return vec![Fault::NotSide];
    }
    let mut faults = Vec::from_iter(version(&module));
    let mut others = vec![("the module itself", &module)];
    let needed: Vec<_> = needed.iter().map(|bytes| Module::parse(bytes)).collect();
    for other in &needed {
        match other {
            Ok(other) => others.push(("a needed module", other)),
            Err(reason) => faults.push(Fault::Damaged {
                reason: format!("a needed module: {reason}"),
            }),
        }
    }
    for (from, name, item) in &module.imports {
        let wanted = match *from {
            MODULE | WASI => {
                faults.extend(host_import(from, name, item));
                continue;
            }
            "env" if made_by_loader(name, item) => continue,
            "env" => Wanted::Import(item),
            "GOT.mem" => Wanted::Address,
            "GOT.func" => Wanted::Slot,
            _ => {
                let (module, name, item) =
                    ((*from).to_owned(), (*name).to_owned(), item.to_string());
                faults.push(Fault::NoSuchImport { module, name, item });
                continue;
            }
        };
        let optional = module.is_weak(from, name);
        faults.extend(
            symbol(name, &wanted, &others)
                .filter(|fault| !(optional && matches!(fault, Fault::NoSymbol { .. }))),
        );
    }
    faults
}

/// The two bases that the loader makes for each module.
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
    wanted: &Wanted<'_>,
    others: &[(&'static str, &Module<'_>)],
) -> Option<Fault> {
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
            return Some(Fault::NoSymbol {
                name: name.to_owned(),
                item: wanted.to_string(),
            });
        }
    };
    let (name, wanted) = (name.to_owned(), wanted.to_string());
    (!fits).then_some(Fault::OtherSymbol {
        name,
        wanted,
        found,
        whose,
    })
}

impl Wanted<'_> {
    fn fits_main(&self, kind: &Kind) -> bool {
        match self {
            // A module asks for a table and a memory that are at least as large as it needs; it does not say growable.
            Self::Import(Item::Table { .. }) => *kind == Kind::Table,
            Self::Import(Item::Memory { .. }) => *kind == Kind::Memory,
            Self::Import(item) => item.is(kind),
            Self::Address => *kind == Kind::Data,
            Self::Slot => matches!(kind, Kind::Function(_)),
        }
    }

    fn fits_side(&self, item: &Item) -> bool {
        match self {
            Self::Import(wanted) => *wanted == item,
            Self::Address => item.is(&Kind::Data),
            Self::Slot => matches!(item, Item::Function(_)),
        }
    }
}

impl std::fmt::Display for Wanted<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Import(item) => item.fmt(f),
            Self::Address => f.write_str("the address of an object"),
            Self::Slot => f.write_str("the address of a function"),
        }
    }
}
