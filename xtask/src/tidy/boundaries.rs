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
    (
        "pymode-dylink-fuzz",
        "loader/fuzz",
        &[
            "pymode-dylink",
            "pymode-dylink-conformance",
            "pymode-dylink-wasmtime",
        ],
    ),
    (
        "pymode-dylink-rewrite",
        "loader/rewrite",
        &["pymode-dylink", "pymode-dylink-conformance"],
    ),
    ("pymode-fuzz", "fuzz", &["pymode-dylink-fuzz"]),
    ("pymode-dylink-js", "loader/js", &["pymode-dylink"]),
    (
        "pymode-dylink-js-tests",
        "loader/js/tests/worker",
        &[
            "pymode-dylink",
            "pymode-dylink-conformance",
            "pymode-dylink-js",
        ],
    ),
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
    (
        "pymode-workerd",
        "host/workerd",
        &[
            "pymode-abi",
            "pymode-dylink",
            "pymode-dylink-rewrite",
            "pymode-host",
            "pymode-toolchain",
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

/// They may depend on any of ours: the command, what measures and tests the whole, and these tasks.
const TOP: &[&str] = &["pymode", "pymode-bench", "pymode-tests", "xtask"];

/// Outside crates that only some of ours may be built with.
const KEPT_OUT: &[(&str, &[&str])] = &[
    (
        "js-sys",
        &[
            "pymode-dylink-js",
            "pymode-dylink-js-tests",
            "pymode-worker",
        ],
    ),
    (
        "wasm-bindgen",
        &[
            "pymode-dylink-js",
            "pymode-dylink-js-tests",
            "pymode-worker",
        ],
    ),
    (
        "wasm-bindgen-futures",
        &["pymode-dylink-js", "pymode-worker"],
    ),
    ("web-sys", &["pymode-dylink-js", "pymode-worker"]),
    ("worker", &["pymode-worker"]),
    (
        "wasmtime",
        // The benchmarks compare with the bare engine.
        &[
            "pymode-bench",
            "pymode-dylink-fuzz",
            "pymode-dylink-wasmtime",
            "pymode-native",
        ],
    ),
];

/// The linker core is built with these and nothing else.
const CORE: (&str, &[&str]) = (
    "pymode-dylink",
    &["hashbrown", "once_cell", "thiserror", "wasmparser"],
);

/// The two engines: no crate may reach both.
const ENGINES: [&str; 2] = ["pymode-dylink-js", "pymode-dylink-wasmtime"];

pub(super) fn check(crates: &[Crate]) -> Vec<Fault> {
    let mut faults = Vec::new();
    for member in crates {
        let rules = [
            place(member),
            upwards(member, crates),
            outside(member),
            engines(member, crates),
        ];
        for (what, mend) in rules.into_iter().flatten() {
            faults.push(Fault::new(&member.manifest, what, mend));
        }
    }
    faults
}

/// What is wrong, and how it is mended.
type Found = Vec<(String, String)>;

/// A crate is known here and lies in its folder.
fn place(member: &Crate) -> Found {
    let name = &member.name;
    match CRATES.iter().find(|(known, ..)| known == name) {
        Some((_, folder, _)) if member.folder() == *folder => Vec::new(),
        Some((_, folder, _)) => vec![(
            format!("`{name}` belongs in `{folder}/`"),
            format!("`git mv {} {folder}`", member.folder()),
        )],
        None if TOP.contains(&name.as_str()) => Vec::new(),
        None => vec![(
            format!("nothing says what `{name}` may depend on"),
            "add it to `CRATES` in `xtask/src/tidy/boundaries.rs` and to ARCHITECTURE.md's map"
                .to_owned(),
        )],
    }
}

/// A crate depends on those of ours that it may, and on no other.
fn upwards(member: &Crate, crates: &[Crate]) -> Found {
    let Some((name, _, allowed)) = CRATES.iter().find(|(known, ..)| *known == member.name) else {
        return Vec::new();
    };
    let allowed_list = list(allowed);
    let mend = format!("move what needs it, or what is needed; `{name}` may use {allowed_list}");
    ours(member, crates)
        .filter(|other| !allowed.contains(other))
        .map(|other| {
            let what = format!("`{name}` may not depend on `{other}`");
            (what, mend.clone())
        })
        .collect()
}

/// Crates of others that are kept out of all but some of ours.
fn outside(member: &Crate) -> Found {
    let mut found = Found::new();
    for dependency in &member.dependencies {
        let kept_out = KEPT_OUT.iter().find(|(name, _)| name == dependency);
        if let Some((_, allowed)) =
            kept_out.filter(|(_, allowed)| !allowed.contains(&member.name.as_str()))
        {
            let what = format!("only {} may depend on `{dependency}`", list(allowed));
            found.push((what, "move what needs it there".to_owned()));
        }
        if member.name == CORE.0 && !CORE.1.contains(&dependency.as_str()) {
            let what = format!("the linker core may not depend on `{dependency}`");
            found.push((what, format!("it may use {}", list(CORE.1))));
        }
    }
    found
}

/// No crate reaches both engines.
fn engines(member: &Crate, crates: &[Crate]) -> Found {
    match ENGINES.iter().all(|engine| reaches(member, engine, crates)) {
        true => vec![(
            "it reaches both engines".to_owned(),
            "take one of them out: the engines never meet".to_owned(),
        )],
        false => Vec::new(),
    }
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
            member("pymode-bench", "bench", &["pymode-dylink-js"]),
            member(
                "xtask",
                "xtask",
                &["pymode-bench", "pymode-dylink-wasmtime"],
            ),
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
                "only `pymode-bench`, `pymode-dylink-fuzz`, `pymode-dylink-wasmtime`, `pymode-native` may depend on `wasmtime`"
            ]
        );
    }

    #[test]
    fn a_new_crate_has_to_say_where_it_belongs() {
        let crates = [member("pymode-new", "new", &[])];
        assert_eq!(
            whats(&check(&crates)),
            ["nothing says what `pymode-new` may depend on"]
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
