//! `cargo xtask packages`: runs the suites of all packages with a recipe on both engines, and writes `extensions/PACKAGES.md`.

mod page;
mod report;

use std::fs;
use std::path::Path;
use std::process::Stdio;

use crate::error::Error;
use crate::run;
use page::Page;
use report::{Engine, Report, Results};

const RECIPES: &str = "extensions/recipes";
const PAGE: &str = "extensions/PACKAGES.md";

/// Suites to run.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Packages [default: all with a recipe]
    names: Vec<String>,
}

/// Runs the suites and writes the page. Returns `false` if a suite failed.
pub(crate) fn run(root: &Path, options: &Options) -> Result<bool, Error> {
    run::build_pymode(root)?;

    let known = names(&root.join(RECIPES))?;
    let path = root.join(PAGE);
    let mut page = if options.names.is_empty() {
        Page::default()
    } else {
        Page::read(&fs::read_to_string(&path).unwrap_or_default())
    };
    // A package whose recipe was removed loses its row.
    page.retain(|name| known.iter().any(|known| known == name));
    let chosen = match options.names.as_slice() {
        [] => &known,
        chosen => chosen,
    };
    let mut good = true;
    for name in chosen {
        let mut results = Results::default();
        for engine in Engine::ALL {
            eprintln!("── {name} on {engine}");
            let (report, passed) = suite(root, name, engine)?;
            good &= passed;
            results.put(engine, report);
        }
        page.put(name, &results);
        // Written after each suite, so that no result is lost when a later one is stopped.
        write(&path, &page.to_string())?;
    }
    Ok(good)
}

/// Runs one suite on one engine. `None` if the tests did not run.
fn suite(root: &Path, name: &str, engine: Engine) -> Result<(Option<Report>, bool), Error> {
    let scratch = tempfile::NamedTempFile::new().map_err(|source| Error::File {
        path: std::env::temp_dir(),
        source,
    })?;
    let mut test = std::process::Command::new(root.join("target/release/pymode"));
    test.args(["ext", "test", name, "--engine", engine.name(), "--report"])
        .arg(scratch.path())
        .stdout(Stdio::null());
    let command = run::show(&test);
    let status = test
        .status()
        .map_err(|source| Error::Start { command, source })?;
    let text = fs::read_to_string(scratch.path()).unwrap_or_default();
    Ok((serde_json::from_str(&text).ok(), status.success()))
}

/// The packages with a recipe.
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
