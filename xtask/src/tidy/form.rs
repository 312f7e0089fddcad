//! The form of files: their length, their ends, what every manifest says.

use super::Fault;
use super::manifest::is_ours;
use super::tree::{File, Tree};

/// A longer file is usually two ideas.
const LONGEST: usize = 500;

/// Files that may be longer, and why.
const LONGER: &[(&str, &str)] = &[
    ("Cargo.lock", "cargo writes it"),
    ("package-lock.json", "npm writes it"),
    (
        "abi/exports.toml",
        "a table, written by `cargo xtask codegen`",
    ),
    ("abi/ABI.md", "written by `cargo xtask codegen`"),
];

/// A recipe is for exceptions; what does not fit is a rule that the builder should know.
const LONGEST_RECIPE: usize = 20;

pub(super) fn check(tree: &Tree) -> Vec<Fault> {
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

fn length(file: &File) -> Option<Fault> {
    let lines = file.lines().count();
    let allowed = LONGER
        .iter()
        .any(|(path, _)| file.path == *path || file.name() == *path);
    (lines > LONGEST && !allowed && !is_licence(file)).then(|| {
        let mend = "split it by idea; a table or a generated file is listed with its reason in `xtask/src/tidy/form.rs`";
        Fault::new(&file.path, format!("{lines} lines, more than {LONGEST}"), mend)
    })
}

fn is_licence(file: &File) -> bool {
    file.name().starts_with("LICENSE")
}

fn recipe(file: &File) -> Option<Fault> {
    let lines = file.lines().count();
    (file.is_under("extensions/recipes") && lines > LONGEST_RECIPE).then(|| {
        Fault::new(
            &file.path,
            format!("{lines} lines, a recipe has at most {LONGEST_RECIPE}"),
            "teach `pymode ext build` what every package needs",
        )
    })
}

fn end(file: &File) -> Option<Fault> {
    let wrong =
        !file.text.is_empty() && (!file.text.ends_with('\n') || file.text.ends_with("\n\n"));
    let source = file.has_extension(&["c", "h", "md", "py", "rs", "sh", "toml"]);
    (source && wrong).then(|| {
        Fault::new(
            &file.path,
            "it does not end with one newline",
            "end it with one newline",
        )
    })
}

fn tabs(file: &File) -> Option<Fault> {
    let (at, _) = file.lines().find(|(_, line)| line.contains('\t'))?;
    let c = file.has_extension(&["c", "h"]);
    c.then(|| {
        Fault::new(
            format!("{}:{at}", file.path),
            "a tab in C",
            format!("`sed -i 's/\\t/    /g' {}`", file.path),
        )
    })
}

fn lints(file: &File) -> Option<Fault> {
    let package = file.name() == "Cargo.toml" && file.text.lines().any(|line| line == "[package]");
    let code = is_ours(file);
    (package && code && !file.text.contains("[lints]\nworkspace = true\n")).then(|| {
        Fault::new(
            &file.path,
            "the workspace's lints are not taken over",
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
            .map(|fault| fault.what)
            .collect()
    }

    #[test]
    fn long_files_are_named_unless_listed() {
        let long = "x\n".repeat(501);
        assert_eq!(whats("a/src/lib.rs", &long), ["501 lines, more than 500"]);
        assert!(whats("abi/exports.toml", &long).is_empty());
        assert!(whats("host/worker/Cargo.lock", &long).is_empty());
        assert!(whats("a/src/lib.rs", &"x\n".repeat(500)).is_empty());
    }

    #[test]
    fn a_recipe_is_short() {
        assert_eq!(
            whats("extensions/recipes/numpy.toml", &"x\n".repeat(21)),
            ["21 lines, a recipe has at most 20"]
        );
    }

    #[test]
    fn c_has_no_tabs_and_ends_with_a_newline() {
        assert_eq!(
            whats("a.c", "int x;\n\tint y;"),
            ["it does not end with one newline", "a tab in C"]
        );
        assert!(whats("a.c", "int x;\n").is_empty());
    }

    #[test]
    fn every_crate_takes_over_the_lints() {
        assert_eq!(
            whats("a/Cargo.toml", "[package]\nname = \"a\"\n"),
            ["the workspace's lints are not taken over"]
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
