//! Allowed dependencies between crates, and of crates on JavaScript, on an engine, and on `unsafe`.

use super::Finding;
use super::manifest::Crate;
use super::tree::Tree;

/// A crate, its folder, and the project's crates that it may depend on, from the lowest to the highest.
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
    (
        "pymode-fuzz",
        "fuzz",
        &["pymode-bundle", "pymode-dylink-fuzz"],
    ),
    (
        "pymode-dylink-js",
        "loader/js",
        &["pymode-bundle", "pymode-dylink"],
    ),
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
    ("pymode-bundle", "host/bundle", &[]),
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
            "pymode-bundle",
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
            "pymode-bundle",
            "pymode-dylink",
            "pymode-dylink-rewrite",
            "pymode-fingerprint",
            "pymode-host",
            "pymode-toolchain",
        ],
    ),
    (
        "pymode-workerd-linker",
        "host/workerd/linker",
        &["pymode-bundle", "pymode-toolchain", "pymode-workerd"],
    ),
    ("pymode-fingerprint", "toolchain/fingerprint", &[]),
    (
        "pymode-toolchain",
        "toolchain",
        &["pymode-abi", "pymode-fingerprint"],
    ),
    (
        "pymode-python",
        "python",
        &[
            "pymode-abi",
            "pymode-fingerprint",
            "pymode-host",
            "pymode-toolchain",
        ],
    ),
    (
        "pymode-ext",
        "extensions",
        &[
            "pymode-abi",
            "pymode-dylink",
            "pymode-fingerprint",
            "pymode-python",
            "pymode-toolchain",
        ],
    ),
];

/// Crates that may depend on all others: the command, benchmarks, tests and tasks.
const TOP: &[&str] = &["pymode", "pymode-bench", "pymode-tests", "xtask"];

/// External crates that only some crates may use.
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

/// The only dependencies of the linker core.
const CORE: (&str, &[&str]) = (
    "pymode-dylink",
    &["hashbrown", "once_cell", "thiserror", "wasmparser"],
);

/// The two engines: no crate may depend on both.
const ENGINES: [&str; 2] = ["pymode-dylink-js", "pymode-dylink-wasmtime"];

pub(super) fn check(crates: &[Crate]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for member in crates {
        let rules = [
            location(member),
            upwards(member, crates),
            outside(member),
            engines(member, crates),
        ];
        for (what, fix) in rules.into_iter().flatten() {
            findings.push(Finding::new(&member.manifest, what, fix));
        }
    }
    findings
}

/// Findings, each with its fix.
type Findings = Vec<(String, String)>;

/// A crate is listed here and is in its folder.
fn location(member: &Crate) -> Findings {
    let name = &member.name;
    match CRATES.iter().find(|(known, ..)| known == name) {
        Some((_, folder, _)) if member.folder() == *folder => Vec::new(),
        Some((_, folder, _)) => vec![(
            format!("`{name}` belongs in `{folder}/`"),
            format!("`git mv {} {folder}`", member.folder()),
        )],
        None if TOP.contains(&name.as_str()) => Vec::new(),
        None => vec![(
            format!("no rule for the dependencies of `{name}`"),
            "add it to `CRATES` in `xtask/src/tidy/boundaries.rs` and to ARCHITECTURE.md's map"
                .to_owned(),
        )],
    }
}

/// A crate depends only on the project's crates that it may use.
fn upwards(member: &Crate, crates: &[Crate]) -> Findings {
    let Some((name, _, allowed)) = CRATES.iter().find(|(known, ..)| *known == member.name) else {
        return Vec::new();
    };
    let allowed_list = list(allowed);
    let fix = format!("move the code; `{name}` may use {allowed_list}");
    ours(member, crates)
        .filter(|other| !allowed.contains(other))
        .map(|other| {
            let what = format!("`{name}` may not depend on `{other}`");
            (what, fix.clone())
        })
        .collect()
}

/// External crates that only some crates may use.
fn outside(member: &Crate) -> Findings {
    let mut found = Findings::new();
    for dependency in &member.dependencies {
        let kept_out = KEPT_OUT.iter().find(|(name, _)| name == dependency);
        if let Some((_, allowed)) =
            kept_out.filter(|(_, allowed)| !allowed.contains(&member.name.as_str()))
        {
            let what = format!("only {} may depend on `{dependency}`", list(allowed));
            found.push((what, "move the code that needs it there".to_owned()));
        }
        if member.name == CORE.0 && !CORE.1.contains(&dependency.as_str()) {
            let what = format!("the linker core may not depend on `{dependency}`");
            found.push((what, format!("it may use {}", list(CORE.1))));
        }
    }
    found
}

/// No crate depends on both engines.
fn engines(member: &Crate, crates: &[Crate]) -> Findings {
    match ENGINES.iter().all(|engine| reaches(member, engine, crates)) {
        true => vec![(
            "depends on both engines".to_owned(),
            "remove one of them".to_owned(),
        )],
        false => Vec::new(),
    }
}

/// The linker core has neither `std` nor `unsafe`, and declares it.
pub(super) fn engine_free(tree: &Tree) -> Vec<Finding> {
    let path = "loader/dylink/src/lib.rs";
    let Some(file) = tree.get(path) else {
        return vec![Finding::new(
            path,
            "no such file",
            "create the linker core's crate there",
        )];
    };
    let lines = ["#![no_std]", "#![forbid(unsafe_code)]"];
    let missing = lines
        .into_iter()
        .filter(|wanted| !file.lines().any(|(_, line)| line == *wanted));
    missing
        .map(|line| {
            Finding::new(
                path,
                format!("`{line}` is missing"),
                "write it below the crate's documentation",
            )
        })
        .collect()
}

/// Folders of a crate that must not use a module of it.
const APART: &[(&str, &[&str])] = &[
    ("host/workerd/src/make", &["crate::serve", "crate::run"]),
    ("host/workerd/src/serve", &["crate::make", "crate::run"]),
];

/// Making a bundle and serving one do not use each other.
pub(super) fn folders(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (folder, modules) in APART {
        for file in tree.0.iter().filter(|file| file.is_under(folder)) {
            for (at, line) in file.lines() {
                for module in modules.iter().filter(|module| line.contains(**module)) {
                    findings.push(Finding::new(
                        format!("{}:{at}", file.path),
                        format!("`{folder}/` may not use `{module}`"),
                        "move the code that needs both to `host/workerd/src/run/` or `python.rs`",
                    ));
                }
            }
        }
    }
    findings
}

/// Folders whose code may use the checkout: it is for tests, benchmarks and tasks, and no part of the product.
const IN_CHECKOUT: &[&str] = &[
    "bench",
    "host/workerd/linker",
    "loader/conformance",
    "tests",
    "xtask",
];

/// The product does not know the folder that it was built in.
pub(super) fn checkout(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.0.iter().filter(|file| {
        file.has_extension(&["rs"])
            && !file.path.contains("/tests/")
            && !IN_CHECKOUT.iter().any(|folder| file.is_under(folder))
    }) {
        for (at, line) in file.lines() {
            if line.contains(r#"env!("CARGO_MANIFEST_DIR"#) {
                findings.push(Finding::new(
                    format!("{}:{at}", file.path),
                    "the product uses the folder that it was built in",
                    "embed the file with `include_bytes!`",
                ));
            }
        }
    }
    findings
}

/// The dependencies that are crates of this project.
fn ours<'a>(member: &'a Crate, crates: &'a [Crate]) -> impl Iterator<Item = &'a str> {
    let ours = |name: &&String| crates.iter().any(|other| other.name == **name);
    member.dependencies.iter().filter(ours).map(String::as_str)
}

/// Returns `true` if the crate is the one with this name, or depends on it.
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
        [] => "none of the project's crates".to_owned(),
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

    fn whats(findings: &[Finding]) -> Vec<&str> {
        findings
            .iter()
            .map(|finding| finding.what.as_str())
            .collect()
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
        assert_eq!(whats(&check(&crates)), ["depends on both engines"]);
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
    fn making_and_serving_do_not_use_each_other() {
        let file = |path: &str, text: &str| Tree(vec![File::new(path, text)]);
        let make = "host/workerd/src/make/a.rs";
        let found = folders(&file(
            make,
            "use crate::bundle::Bundle;\nuse crate::serve::Log;\n",
        ));
        assert_eq!(
            whats(&found),
            ["`host/workerd/src/make/` may not use `crate::serve`"]
        );
        let serve = "host/workerd/src/serve/a.rs";
        assert_eq!(folders(&file(serve, "crate::make::pack::file();")).len(), 1);
        let run = "host/workerd/src/run/a.rs";
        assert!(folders(&file(run, "use crate::make;\nuse crate::serve;")).is_empty());
    }

    #[test]
    fn the_product_does_not_use_its_checkout() {
        let uses = "const HERE: &str = env!(\"CARGO_MANIFEST_DIR\");\n";
        let count = |path: &str| checkout(&Tree(vec![File::new(path, uses)])).len();
        assert_eq!(count("host/workerd/src/lib.rs"), 1);
        for path in ["host/workerd/linker/src/lib.rs", "loader/x/tests/a.rs"] {
            assert_eq!(count(path), 0, "{path}");
        }
    }

    #[test]
    fn a_new_crate_has_to_say_where_it_belongs() {
        let crates = [member("pymode-new", "new", &[])];
        assert_eq!(
            whats(&check(&crates)),
            ["no rule for the dependencies of `pymode-new`"]
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
