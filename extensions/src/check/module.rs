//! One side module against the contract.

use std::collections::BTreeMap;

use pymode_abi::check::{Fault, side};
use pymode_toolchain::cc::flags::python_module;
use wasmparser::{Dylink0Subsection, KnownCustom, Parser, Payload, Validator, WasmFeatures};

use super::Found;
use super::hint::hint;
use super::nearby::{List, Nearby};
use crate::error::Error;

/// What a module says of itself beyond what the contract looks at. A damaged module has nothing here: the contract's own
/// check says what is wrong with it.
#[derive(Default)]
struct Outside {
    needed: Vec<String>,
    runtime_path: Vec<String>,
    exports: Vec<String>,
}

fn outside(wasm: &[u8]) -> Outside {
    let mut outside = Outside::default();
    for payload in Parser::new(0).parse_all(wasm) {
        match payload {
            Ok(Payload::ExportSection(exports)) => {
                outside.exports = exports
                    .into_iter()
                    .flatten()
                    .map(|export| export.name.to_owned())
                    .collect();
            }
            Ok(Payload::CustomSection(section)) => {
                if let KnownCustom::Dylink0(parts) = section.as_known() {
                    for part in parts.into_iter().flatten() {
                        let texts = |texts: Vec<&str>| {
                            texts.into_iter().map(str::to_owned).collect::<Vec<_>>()
                        };
                        match part {
                            Dylink0Subsection::Needed(names) => outside.needed.extend(texts(names)),
                            Dylink0Subsection::RuntimePath(dirs) => {
                                outside.runtime_path.extend(texts(dirs))
                            }
                            _ => {}
                        }
                    }
                }
            }
            Ok(_) => {}
            Err(_) => break,
        }
    }
    outside
}

/// The names of what a module exports; none of one that is damaged.
pub(crate) fn exports(wasm: &[u8]) -> Vec<String> {
    outside(wasm).exports
}

/// The libraries that a module was linked with, as far as they were found.
#[derive(Default)]
pub(super) struct Needs {
    /// Libraries that the module's own package carries.
    own: Vec<(String, Vec<u8>)>,
    /// Libraries that every host has.
    provided: Vec<Vec<u8>>,
    /// A fault for each that is nowhere.
    missing: Vec<String>,
}

impl Needs {
    /// Looks for what a module in `dir` needs: `at` reads a place below its run path, `find` a library of the host.
    pub(super) fn of(
        wasm: &[u8],
        dir: &str,
        at: impl Fn(&str) -> Found,
        find: &dyn Fn(&str) -> Found,
    ) -> Result<Self, Error> {
        let outside = outside(wasm);
        let mut needs = Self::default();
        'libraries: for name in &outside.needed {
            let places = outside.places(dir, name);
            for place in &places {
                if let Some(library) = at(place)? {
                    needs.own.push((name.clone(), library));
                    continue 'libraries;
                }
            }
            match find(name)? {
                Some(library) => needs.provided.push(library),
                None => needs.missing.push(not_found(name, &places)),
            }
        }
        Ok(needs)
    }

    fn all(&self) -> Vec<&[u8]> {
        self.own
            .iter()
            .map(|(_, wasm)| wasm)
            .chain(&self.provided)
            .map(Vec::as_slice)
            .collect()
    }
}

impl Outside {
    /// Where a library may be: the directories of the run path, then the module's own.
    fn places(&self, dir: &str, name: &str) -> Vec<String> {
        self.run_path(dir)
            .chain([dir.to_owned()])
            .map(|place| clean(&format!("{place}/{name}")))
            .collect()
    }

    fn run_path(&self, dir: &str) -> impl Iterator<Item = String> {
        self.runtime_path
            .iter()
            .map(move |place| place.replace("${ORIGIN}", dir).replace("$ORIGIN", dir))
    }
}

/// A path without `.` and `..`, as members of a wheel are named.
fn clean(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "." => {}
            "" if !parts.is_empty() => {}
            ".." if parts.last().is_some_and(|last| !matches!(*last, "" | "..")) => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

fn not_found(name: &str, places: &[String]) -> String {
    let places: Vec<String> = places.iter().map(|place| format!("`{place}`")).collect();
    format!(
        "it needs the library `{name}`, which is neither at {}\nhint: ship it there, or link it statically",
        places.join(" nor at ")
    )
}

/// All faults of a module. `path` names it; `list` gives what lies in a directory beside it.
pub(super) fn check(path: &str, wasm: &[u8], needs: &Needs, list: List<'_>) -> Vec<String> {
    let mut faults = needs.missing.clone();
    let outside = outside(wasm);
    let dir = path.rsplit_once('/').map_or("", |(dir, _)| dir);
    let searched = outside.run_path(dir).map(|place| clean(&place));
    let nearby = Nearby::new(path, wasm, searched, dir, list);
    let told = |fault| told(fault, &nearby);
    faults.extend(side(wasm, &needs.all()).iter().map(told));
    if faults.iter().any(|fault| fault.starts_with("it is no ")) {
        return faults; // Not even a side module: nothing below would mean anything.
    }
    let features = WasmFeatures::all();
    if let Err(e) = Validator::new_with_features(features).validate_all(wasm) {
        faults.push(format!("its code is not valid: {e}"));
    }
    if let Some(module) = python_module(path) {
        let is_init =
            |name: &str| name == format!("PyInit_{module}") || name.starts_with("PyInitU_");
        if !outside.exports.iter().any(|name| is_init(name)) {
            let others: Vec<String> = outside
                .exports
                .iter()
                .filter(|name| name.starts_with("PyInit"))
                .map(|name| format!("`{name}`"))
                .collect();
            faults.push(match others.as_slice() {
                [] => format!(
                    "it does not export `PyInit_{module}`\nhint: a Python module's file has the name of its init function; is it declared with `PyMODINIT_FUNC`?"
                ),
                others => format!("it exports {}, but its file's name asks for `PyInit_{module}`", others.join(", ")),
            });
        }
    }
    let inits = || {
        outside
            .exports
            .iter()
            .any(|name| name.starts_with("PyInit_"))
    };
    if python_module(path).is_none() && inits() {
        faults.push(format!(
            "it is a Python module, but Python finds only `*{}` and `*.wasm`",
            pymode_abi::EXT_SUFFIX
        ));
    }
    faults.extend(duplicates(&outside, &needs.own));
    faults
}

/// A fault with the hint that fits it, if the fault has none of its own.
fn told(fault: &Fault, nearby: &Nearby<'_>) -> String {
    let text = fault.to_string();
    match fault {
        Fault::NoSymbol { name, .. } => match (nearby.has(name), hint(name)) {
            (Some(unnamed), _) => format!("{text}\n{unnamed}"),
            (None, Some(hint)) => format!("{text}\nhint: {hint}"),
            (None, None) => text,
        },
        _ => text,
    }
}

/// Symbols that are defined more than once among what the module sees. One function has one address in the process: two
/// definitions are two truths.
fn duplicates(module: &Outside, needed: &[(String, Vec<u8>)]) -> Vec<String> {
    let mut definers: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let libraries: Vec<(String, Outside)> = needed
        .iter()
        .map(|(name, wasm)| (format!("`{name}`"), outside(wasm)))
        .collect();
    for (who, outside) in std::iter::once(("the module", module)).chain(
        libraries
            .iter()
            .map(|(name, outside)| (name.as_str(), outside)),
    ) {
        for name in outside
            .exports
            .iter()
            .filter(|name| !is_of_every_module(name))
        {
            definers.entry(name).or_default().push(who.to_owned());
        }
    }
    definers
        .into_iter()
        .filter_map(|(name, mut who)| {
            if pymode_abi::export(name).is_some() {
                who.push("python.wasm".to_owned());
            }
            (who.len() > 1).then(|| format!("`{name}` is defined by {}", who.join(" and by ")))
        })
        .collect()
}

/// What the linker exports from each module for the loader.
fn is_of_every_module(name: &str) -> bool {
    name.starts_with("__wasm_") || matches!(name, "_initialize" | "memory")
}

#[cfg(test)]
mod tests {
    use super::clean;

    #[test]
    fn paths_are_cleaned() {
        assert_eq!(clean("pkg/../pkg.libs/liba.so"), "pkg.libs/liba.so");
        assert_eq!(clean("/abs/./x//y"), "/abs/x/y");
        assert_eq!(clean("../x"), "../x");
    }
}
