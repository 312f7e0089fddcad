//! The form of files: length, final newline, tabs, and lints of manifests.

use super::Finding;
use super::manifest::is_ours;
use super::tree::{File, Tree};

/// Maximum number of lines. A longer file usually has two ideas.
const LONGEST: usize = 500;

/// Longer files, each with its reason.
const LONGER: &[(&str, &str)] = &[
    ("Cargo.lock", "cargo writes it"),
    ("package-lock.json", "npm writes it"),
    (
        "abi/exports.toml",
        "a table, written by `cargo xtask codegen`",
    ),
    ("abi/ABI.md", "written by `cargo xtask codegen`"),
];

/// Maximum number of lines of a recipe, which holds exceptions only.
const LONGEST_RECIPE: usize = 20;

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    tree.0
        .iter()
        .flat_map(|file| {
            [
                length(file),
                recipe(file),
                end(file),
                tabs(file),
                lints(file),
            ]
        })
        .flatten()
        .collect()
}

fn length(file: &File) -> Option<Finding> {
    let lines = file.lines().count();
    let allowed = LONGER
        .iter()
        .any(|(path, _)| file.path == *path || file.name() == *path);
    (lines > LONGEST && !allowed && !is_licence(file)).then(|| {
        let fix = "split it by idea, or list a table or a generated file with its reason in `xtask/src/tidy/form.rs`";
        Finding::new(&file.path, format!("{lines} lines, at most {LONGEST} are allowed"), fix)
    })
}

fn is_licence(file: &File) -> bool {
    file.name().starts_with("LICENSE")
}

fn recipe(file: &File) -> Option<Finding> {
    let lines = file.lines().count();
    (file.is_under("extensions/recipes") && lines > LONGEST_RECIPE).then(|| {
        Finding::new(
            &file.path,
            format!("{lines} lines, at most {LONGEST_RECIPE} are allowed in a recipe"),
            "teach `pymode ext build` what every package needs",
        )
    })
}

fn end(file: &File) -> Option<Finding> {
    let wrong =
        !file.text.is_empty() && (!file.text.ends_with('\n') || file.text.ends_with("\n\n"));
    let source = file.has_extension(&["c", "h", "md", "py", "rs", "sh", "toml"]);
    (source && wrong).then(|| {
        Finding::new(
            &file.path,
            "expected exactly one newline at the end",
            "end it with one newline",
        )
    })
}

fn tabs(file: &File) -> Option<Finding> {
    let (at, _) = file.lines().find(|(_, line)| line.contains('\t'))?;
    let c = file.has_extension(&["c", "h"]);
    c.then(|| {
        Finding::new(
            format!("{}:{at}", file.path),
            "a tab in C",
            format!("`sed -i 's/\\t/    /g' {}`", file.path),
        )
    })
}

fn lints(file: &File) -> Option<Finding> {
    let package = file.name() == "Cargo.toml" && file.text.lines().any(|line| line == "[package]");
    let code = is_ours(file);
    (package && code && !file.text.contains("[lints]\nworkspace = true\n")).then(|| {
        Finding::new(
            &file.path,
            "the workspace's lints are missing",
            "add `[lints]` and `workspace = true`",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whats(path: &str, text: &str) -> Vec<String> {
        check(&Tree(vec![File::new(path, text)]))
            .into_iter()
            .map(|finding| finding.what)
            .collect()
    }

    #[test]
    fn long_files_are_named_unless_listed() {
        let long = "x\n".repeat(501);
        assert_eq!(
            whats("a/src/lib.rs", &long),
            ["501 lines, at most 500 are allowed"]
        );
        assert!(whats("abi/exports.toml", &long).is_empty());
        assert!(whats("host/worker/Cargo.lock", &long).is_empty());
        assert!(whats("a/src/lib.rs", &"x\n".repeat(500)).is_empty());
    }

    #[test]
    fn a_recipe_is_short() {
        assert_eq!(
            whats("extensions/recipes/numpy.toml", &"x\n".repeat(21)),
            ["21 lines, at most 20 are allowed in a recipe"]
        );
    }

    #[test]
    fn c_has_no_tabs_and_ends_with_a_newline() {
        assert_eq!(
            whats("a.c", "int x;\n\tint y;"),
            ["expected exactly one newline at the end", "a tab in C"]
        );
        assert!(whats("a.c", "int x;\n").is_empty());
    }

    #[test]
    fn every_crate_takes_over_the_lints() {
        assert_eq!(
            whats("a/Cargo.toml", "[package]\nname = \"a\"\n"),
            ["the workspace's lints are missing"]
        );
        assert!(
            whats(
                "a/Cargo.toml",
                "[package]\nname = \"a\"\n\n[lints]\nworkspace = true\n"
            )
            .is_empty()
        );
    }
}
