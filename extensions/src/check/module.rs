//! Checks one side module against the contract.

use std::collections::BTreeMap;

use pymode_abi::check::{Violation, side};
use pymode_toolchain::cc::flags::python_module;
use wasmparser::{Dylink0Subsection, KnownCustom, Parser, Payload, Validator, WasmFeatures};

use super::HostLibrary;
use super::hint::hint;
use super::nearby::{List, Nearby};
use crate::error::Error;

/// Properties of a module beyond the contract. Empty for a damaged module, which the contract's own check reports.
#[derive(Default)]
struct Interface {
    needed: Vec<String>,
    runtime_path: Vec<String>,
    exports: Vec<String>,
}

fn interface(wasm: &[u8]) -> Interface {
    let mut interface = Interface::default();
    for payload in Parser::new(0).parse_all(wasm) {
        match payload {
            Ok(Payload::ExportSection(exports)) => {
                interface.exports = exports
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
                            Dylink0Subsection::Needed(names) => {
                                interface.needed.extend(texts(names))
                            }
                            Dylink0Subsection::RuntimePath(dirs) => {
                                interface.runtime_path.extend(texts(dirs))
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
    interface
}

/// The names of a module's exports. Empty for a damaged module.
pub(crate) fn exports(wasm: &[u8]) -> Vec<String> {
    interface(wasm).exports
}

/// The libraries that a module was linked with, as far as they were found.
#[derive(Default)]
pub(super) struct Needs {
    /// Libraries of the module's own package.
    own: Vec<(String, Vec<u8>)>,
    /// Libraries that every host has.
    provided: Vec<Vec<u8>>,
    /// A violation for each library that is missing.
    missing: Vec<String>,
}

impl Needs {
    /// Finds the libraries that a module in `dir` needs: `at` reads a path, `find` returns a library of the host.
    pub(super) fn of(
        wasm: &[u8],
        dir: &str,
        at: impl Fn(&str) -> HostLibrary,
        find: &dyn Fn(&str) -> HostLibrary,
    ) -> Result<Self, Error> {
        let interface = interface(wasm);
        let mut needs = Self::default();
        'libraries: for name in &interface.needed {
            let candidates = interface.candidates(dir, name);
            for path in &candidates {
                if let Some(library) = at(path)? {
                    needs.own.push((name.clone(), library));
                    continue 'libraries;
                }
            }
            match find(name)? {
                Some(library) => needs.provided.push(library),
                None => needs.missing.push(not_found(name, &candidates)),
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

impl Interface {
    /// Possible paths of a library: the directories of the run path, then the module's own.
    fn candidates(&self, dir: &str, name: &str) -> Vec<String> {
        self.run_path(dir)
            .chain([dir.to_owned()])
            .map(|path| clean(&format!("{path}/{name}")))
            .collect()
    }

    fn run_path(&self, dir: &str) -> impl Iterator<Item = String> {
        self.runtime_path
            .iter()
            .map(move |path| path.replace("${ORIGIN}", dir).replace("$ORIGIN", dir))
    }
}

/// Normalises a path by its text, because a wheel's members have no file system. Keeps a leading `..`, which the loader's
/// `normal_path` drops: on disk the path may be relative to the current directory.
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

fn not_found(name: &str, candidates: &[String]) -> String {
    let candidates: Vec<String> = candidates.iter().map(|path| format!("`{path}`")).collect();
    format!(
        "no such library: `{name}`, needed by the module, is not at {}\nhint: ship it there, or link it statically",
        candidates.join(" or at ")
    )
}

/// Lists all violations of a module. `path` names it; `list` returns the files of a directory beside it.
pub(super) fn check(path: &str, wasm: &[u8], needs: &Needs, list: List<'_>) -> Vec<String> {
    let mut violations = needs.missing.clone();
    let interface = interface(wasm);
    let dir = path.rsplit_once('/').map_or("", |(dir, _)| dir);
    let searched = interface.run_path(dir).map(|path| clean(&path));
    let nearby = Nearby::new(path, wasm, searched, dir, list);
    let broken = side(wasm, &needs.all());
    violations.extend(broken.iter().map(|violation| with_hint(violation, &nearby)));
    if broken
        .iter()
        .any(|violation| matches!(violation, Violation::NotSide | Violation::Damaged { .. }))
    {
        return violations; // Not a side module: the checks below would mean nothing.
    }
    let features = WasmFeatures::all();
    if let Err(e) = Validator::new_with_features(features).validate_all(wasm) {
        violations.push(format!("invalid code: {e}"));
    }
    if let Some(module) = python_module(path) {
        let is_init =
            |name: &str| name == format!("PyInit_{module}") || name.starts_with("PyInitU_");
        if !interface.exports.iter().any(|name| is_init(name)) {
            let others: Vec<String> = interface
                .exports
                .iter()
                .filter(|name| name.starts_with("PyInit"))
                .map(|name| format!("`{name}`"))
                .collect();
            violations.push(match others.as_slice() {
                [] => format!(
                    "missing export `PyInit_{module}`\nhint: declare the init function with `PyMODINIT_FUNC`, and give the file the module's name"
                ),
                others => format!("missing export `PyInit_{module}`, which the file's name requires: the module exports {}", others.join(", ")),
            });
        }
    }
    let inits = || {
        interface
            .exports
            .iter()
            .any(|name| name.starts_with("PyInit_"))
    };
    if python_module(path).is_none() && inits() {
        violations.push(format!(
            "the file is a Python module, but Python finds only `*{}` and `*.wasm`",
            pymode_abi::EXT_SUFFIX
        ));
    }
    violations.extend(duplicates(&interface, &needs.own));
    violations
}

/// A violation, with the hint that fits it if it has none of its own.
fn with_hint(violation: &Violation, nearby: &Nearby<'_>) -> String {
    let text = violation.to_string();
    match violation {
        Violation::NoSymbol { name, .. } => match (nearby.has(name), hint(name)) {
            (Some(unnamed), _) => format!("{text}\n{unnamed}"),
            (None, Some(hint)) => format!("{text}\nhint: {hint}"),
            (None, None) => text,
        },
        _ => text,
    }
}

/// Symbols that are defined more than once in the module's view. One function must have one address in the process.
fn duplicates(module: &Interface, needed: &[(String, Vec<u8>)]) -> Vec<String> {
    let mut definers: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let libraries: Vec<(String, Interface)> = needed
        .iter()
        .map(|(name, wasm)| (format!("`{name}`"), interface(wasm)))
        .collect();
    for (who, interface) in std::iter::once(("the module", module)).chain(
        libraries
            .iter()
            .map(|(name, interface)| (name.as_str(), interface)),
    ) {
        for name in interface
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

/// Symbols that the linker exports from each module for the loader.
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
