//! `cargo xtask packages`: runs the suites of all packages that have a recipe, and writes `extensions/PACKAGES.md`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Stdio;

use serde::Deserialize;

use crate::error::Error;
use crate::run;

const RECIPES: &str = "extensions/recipes";
const PAGE: &str = "extensions/PACKAGES.md";

const HEAD: &str = "# Packages whose own tests run in the guest

Written by `cargo xtask packages`; `cargo xtask packages NAME…` renews the rows of some. Each row is one run of `pymode ext test`: the
wheel is built from the sdist by its own backend, and the suite begins only when the extension modules came from `.wasm` files. A
package that is not here may build just as well: those that are have a recipe because it says how to run their tests.

*Build* is the time that the build took when it was made, without downloads, on a machine that had other work too. *Load* is what
`dl_open` and the modules' own init took together, from compiled code in the cache. What is skipped by name stands in `skips.toml`.

| package | build | wheel | passed | failed | skipped | load |
|---|---|---|---|---|---|---|
";

/// Which suites to run.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Packages; all that have a recipe when none is named
    names: Vec<String>,
}

/// What `pymode ext test --report` writes.
#[derive(Deserialize)]
struct Report {
    package: String,
    build_milliseconds: Option<u64>,
    wheel_bytes: u64,
    outcome: Option<Outcome>,
}

#[derive(Deserialize)]
struct Outcome {
    passed: u64,
    failed: Vec<String>,
    skipped: BTreeMap<String, u64>,
    modules: BTreeMap<String, f64>,
}

/// Runs them and writes the page. `false` when a suite failed.
pub(crate) fn run(root: &Path, options: &Options) -> Result<bool, Error> {
    let mut build = run::cargo();
    build
        .current_dir(root)
        .args(["build", "--release", "-p", "pymode"]);
    run::stdout(build)?;

    let page = root.join(PAGE);
    let mut rows = rows(&fs::read_to_string(&page).unwrap_or_default());
    let all = names(&root.join(RECIPES))?;
    rows.retain(|name, _| all.contains(name));
    let mut good = true;
    for name in &all {
        if !options.names.is_empty() && !options.names.contains(name) {
            continue;
        }
        eprintln!("── {name}");
        let (row, passed) = suite(root, name)?;
        eprintln!("{row}");
        good &= passed;
        rows.insert(name.clone(), row);
    }
    let rows: Vec<String> = rows.into_values().collect();
    write(&page, &format!("{HEAD}{}\n", rows.join("\n")))?;
    Ok(good)
}

fn suite(root: &Path, name: &str) -> Result<(String, bool), Error> {
    let scratch = tempfile::NamedTempFile::new().map_err(|source| Error::File {
        path: std::env::temp_dir(),
        source,
    })?;
    let mut test = std::process::Command::new(root.join("target/release/pymode"));
    test.args(["ext", "test", name, "--report"])
        .arg(scratch.path())
        .stdout(Stdio::null());
    let command = run::show(&test);
    let status = test
        .status()
        .map_err(|source| Error::Start { command, source })?;
    let text = fs::read_to_string(scratch.path()).unwrap_or_default();
    let row = match serde_json::from_str::<Report>(&text) {
        Ok(report) => report.row(),
        Err(_) => format!("| {name} | fails | | | | | |"),
    };
    Ok((row, status.success()))
}

impl Report {
    fn row(&self) -> String {
        let build = self.build_milliseconds.map_or_else(String::new, |time| {
            format!("{:.0} s", (time as f64 / 1000.0).max(1.0))
        });
        let wheel = format!("{:.0} KB", (self.wheel_bytes as f64 / 1e3).max(1.0));
        let rest = match &self.outcome {
            Some(outcome) => outcome.cells(),
            None => "the guest was stopped by a fault | | |".to_owned(),
        };
        format!("| {} | {build} | {wheel} | {rest} |", self.package)
    }
}

impl Outcome {
    fn cells(&self) -> String {
        let skipped: Vec<String> = self
            .skipped
            .iter()
            .map(|(why, count)| format!("{count}: {}", why.replace('|', "/").replace('\n', " ")))
            .collect();
        let load: f64 = self.modules.values().sum();
        let modules = match self.modules.len() {
            1 => String::new(),
            n => format!(", {n} modules"),
        };
        format!(
            "{} | {} | {} | {load:.0} ms{modules}",
            self.passed,
            self.failed.len(),
            skipped.join("; ")
        )
    }
}

/// The rows that are there, by the names of their packages.
fn rows(page: &str) -> BTreeMap<String, String> {
    page.lines()
        .filter_map(|line| {
            let name = line.strip_prefix("| ")?.split([' ', '|']).next()?;
            (name != "package").then(|| (name.to_owned(), line.to_owned()))
        })
        .collect()
}

/// The packages that have a recipe.
fn names(dir: &Path) -> Result<Vec<String>, Error> {
    let file = |source| Error::File {
        path: dir.to_owned(),
        source,
    };
    let mut names = Vec::new();
    for entry in fs::read_dir(dir).map_err(file)? {
        let path = entry.map_err(file)?.path();
        names.extend(
            path.file_stem()
                .map(|stem| stem.to_string_lossy().into_owned()),
        );
    }
    names.sort();
    Ok(names)
}

fn write(path: &Path, text: &str) -> Result<(), Error> {
    fs::write(path, text).map_err(|source| Error::File {
        path: path.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::rows;

    #[test]
    fn rows_are_known_by_their_package() {
        let page = "# x\n\n| package | build |\n|---|---|\n| a-b 1.0 | 2 s |\n| c | fails |\n";
        let rows = rows(page);
        assert_eq!(rows.keys().collect::<Vec<_>>(), ["a-b", "c"]);
        assert_eq!(rows["a-b"], "| a-b 1.0 | 2 s |");
    }
}
