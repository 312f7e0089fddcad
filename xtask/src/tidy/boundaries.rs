//! Which crate may depend on which, and who may know of JavaScript, of an engine, of `unsafe`.

use super::Fault;
use super::manifest::Crate;
use super::tree::Tree;

/// A crate, its folder, and the crates of ours that it may depend on. Longer lists mean later phases.
const CRATES: &[(&str, &str, &[&str])] = &[
    ("pymode-abi", "abi", &[]),
    ("pymode-dylink", "loader/dylink", &[]),
    (
        "pymode-dylink-conformance",
        "loader/conformance",
        &["pymode-dylink"],
    ),
    (
        "pymode-dylink-wasmtime",
        "loader/wasmtime",
        &["pymode-dylink"],
    ),
    ("pymode-dylink-js", "loader/js", &["pymode-dylink"]),
    ("pymode-host", "host/core", &["pymode-abi", "pymode-dylink"]),
    (
        "pymode-native",
        "host/native",
        &[
            "pymode-abi",
            "pymode-dylink",
            "pymode-dylink-wasmtime",
            "pymode-host",
        ],
    ),
    (
        "pymode-worker",
        "host/worker",
        &[
            "pymode-abi",
            "pymode-dylink",
            "pymode-dylink-js",
            "pymode-host",
        ],
    ),
    ("pymode-toolchain", "toolchain", &["pymode-abi"]),
    (
        "pymode-python",
        "python",
        &["pymode-abi", "pymode-host", "pymode-toolchain"],
    ),
    (
        "pymode-ext",
        "extensions",
        &[
            "pymode-abi",
            "pymode-dylink",
            "pymode-python",
            "pymode-toolchain",
        ],
    ),
];

/// Outside crates that only some of ours may be built with.
const KEPT_OUT: &[(&str, &[&str])] = &[
    ("js-sys", &["pymode-dylink-js", "pymode-worker"]),
    ("wasm-bindgen", &["pymode-dylink-js", "pymode-worker"]),
    (
        "wasm-bindgen-futures",
        &["pymode-dylink-js", "pymode-worker"],
    ),
    ("web-sys", &["pymode-dylink-js", "pymode-worker"]),
    ("worker", &["pymode-worker"]),
    ("wasmtime", &["pymode-dylink-wasmtime", "pymode-native"]),
];

/// The linker core is built with these and nothing else.
const CORE: (&str, &[&str]) = ("pymode-dylink", &["hashbrown", "thiserror", "wasmparser"]);

/// The two engines: no crate may reach both.
const ENGINES: [&str; 2] = ["pymode-dylink-js", "pymode-dylink-wasmtime"];

pub(super) fn check(crates: &[Crate]) -> Vec<Fault> {
    let mut faults = Vec::new();
    for member in crates {
        let fault = |what: String, mend: String| Fault::new(&member.manifest, what, mend);
        if let Some((_, folder, allowed)) = CRATES.iter().find(|(name, ..)| *name == member.name) {
            if member.folder() != *folder {
                faults.push(fault(
                    format!("`{}` belongs in `{folder}/`", member.name),
                    format!("`git mv {} {folder}`", member.folder()),
                ));
            }
            for name in ours(member, crates).filter(|name| !allowed.contains(name)) {
                let mend = format!(
                    "take the dependency out, or move what needs it; `{}` may use {}",
                    member.name,
                    list(allowed)
                );
                faults.push(fault(
                    format!("`{}` may not depend on `{name}`", member.name),
                    mend,
                ));
            }
        }
        for (name, allowed) in KEPT_OUT {
            if member
                .dependencies
                .iter()
                .any(|dependency| dependency == name)
                && !allowed.contains(&member.name.as_str())
            {
                faults.push(fault(
                    format!("only {} may depend on `{name}`", list(allowed)),
                    "move what needs it there".to_owned(),
                ));
            }
        }
        if member.name == CORE.0 {
            for name in member
                .dependencies
                .iter()
                .filter(|name| !CORE.1.contains(&name.as_str()))
            {
                faults.push(fault(
                    format!("the linker core may not depend on `{name}`"),
                    format!("it may use {}", list(CORE.1)),
                ));
            }
        }
        if ENGINES.iter().all(|engine| reaches(member, engine, crates)) {
            faults.push(fault(
                "it reaches both engines".to_owned(),
                "take one of them out: the engines never meet".to_owned(),
            ));
        }
    }
    faults
}

/// The linker core stays without `std` and without `unsafe`, and says so where the compiler reads it.
pub(super) fn engine_free(tree: &Tree) -> Vec<Fault> {
    let path = "loader/dylink/src/lib.rs";
    let Some(file) = tree.get(path) else {
        return vec![Fault::new(
            path,
            "it is missing",
            "the linker core's crate begins there",
        )];
    };
    let lines = ["#![no_std]", "#![forbid(unsafe_code)]"];
    let missing = lines
        .into_iter()
        .filter(|wanted| !file.lines().any(|(_, line)| line == *wanted));
    missing
        .map(|line| {
            Fault::new(
                path,
                format!("`{line}` is missing"),
                "write it below the crate's documentation",
            )
        })
        .collect()
}

/// The dependencies that are crates of this project.
fn ours<'a>(member: &'a Crate, crates: &'a [Crate]) -> impl Iterator<Item = &'a str> {
    let ours = |name: &&String| crates.iter().any(|other| other.name == **name);
    member.dependencies.iter().filter(ours).map(String::as_str)
}

/// Whether the crate is, or depends on, the one of this name.
fn reaches(member: &Crate, name: &str, crates: &[Crate]) -> bool {
    let mut seen = vec![member.name.as_str()];
    let mut at = 0;
    while let Some(&next) = seen.get(at) {
        at += 1;
        let next = crates.iter().find(|other| other.name == next);
        for dependency in next.into_iter().flat_map(|next| ours(next, crates)) {
            if !seen.contains(&dependency) {
                seen.push(dependency);
            }
        }
    }
    seen.contains(&name)
}

fn list(names: &[&str]) -> String {
    match names {
        [] => "nothing of ours".to_owned(),
        _ => names
            .iter()
            .map(|name| format!("`{name}`"))
            .collect::<Vec<_>>()
            .join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::tree::File;

    fn member(name: &str, folder: &str, dependencies: &[&str]) -> Crate {
        Crate {
            name: name.to_owned(),
            manifest: format!("{folder}/Cargo.toml"),
            dependencies: dependencies.iter().map(|&name| name.to_owned()).collect(),
        }
    }

    fn whats(faults: &[Fault]) -> Vec<&str> {
        faults.iter().map(|fault| fault.what.as_str()).collect()
    }

    #[test]
    fn a_dependency_upwards_is_refused() {
        let crates = [
            member("pymode-abi", "abi", &["pymode-host"]),
            member("pymode-host", "host/core", &["pymode-abi"]),
        ];
        assert_eq!(
            whats(&check(&crates)),
            ["`pymode-abi` may not depend on `pymode-host`"]
        );
    }

    #[test]
    fn the_core_takes_no_other_crate() {
        let crates = [member(
            "pymode-dylink",
            "loader/dylink",
            &["wasmparser", "libc"],
        )];
        assert_eq!(
            whats(&check(&crates)),
            ["the linker core may not depend on `libc`"]
        );
    }

    #[test]
    fn the_engines_never_meet() {
        let crates = [
            member("pymode-dylink-js", "loader/js", &[]),
            member("pymode-dylink-wasmtime", "loader/wasmtime", &["wasmtime"]),
            member("between", "between", &["pymode-dylink-js"]),
            member("top", "top", &["between", "pymode-dylink-wasmtime"]),
        ];
        assert_eq!(whats(&check(&crates)), ["it reaches both engines"]);
    }

    #[test]
    fn wasmtime_and_the_folder_are_looked_at() {
        let crates = [member("pymode-ext", "ext", &["wasmtime"])];
        assert_eq!(
            whats(&check(&crates)),
            [
                "`pymode-ext` belongs in `extensions/`",
                "only `pymode-dylink-wasmtime`, `pymode-native` may depend on `wasmtime`"
            ]
        );
    }

    #[test]
    fn the_core_must_say_that_it_is_free_of_unsafe() {
        let tree = Tree(vec![File::new(
            "loader/dylink/src/lib.rs",
            "//! Docs.\n#![no_std]\n",
        )]);
        assert_eq!(
            whats(&engine_free(&tree)),
            ["`#![forbid(unsafe_code)]` is missing"]
        );
    }
}
