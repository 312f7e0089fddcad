//! `cargo xtask survey`: builds packages without any preparation, loads their extension modules in the guest, and writes
//! `extensions/SURVEY.md`.

mod outcome;
mod page;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Instant;

use crate::error::Error;
use crate::run;
use outcome::{Built, Modules, Outcome};
use page::Page;

const LIST: &str = "extensions/survey.txt";
const PAGE: &str = "extensions/SURVEY.md";
const LOAD: &str = include_str!("load.py");

/// Maximum duration of a build or an import, in seconds.
const LONGEST: &str = "1500";

/// Packages to survey.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Packages [default: those of the list without a row]
    names: Vec<String>,
    /// All packages of the list
    #[arg(long, conflicts_with = "names")]
    all: bool,
    /// Packages of the list that failed to build or load
    #[arg(long, conflicts_with_all = ["names", "all"])]
    failed: bool,
}

/// Surveys the packages and writes the page. A package that cannot be built is a result, not a failure.
pub(crate) fn run(root: &Path, options: &Options) -> Result<bool, Error> {
    run::build_pymode(root)?;
    let scratch = tempfile::tempdir().map_err(|source| Error::File {
        path: std::env::temp_dir(),
        source,
    })?;
    // A copy of the command, which does not change when the checkout is built again.
    let pymode = scratch.path().join("pymode");
    let built = root.join("target/release/pymode");
    fs::copy(&built, &pymode).map_err(|source| Error::File {
        path: built.clone(),
        source,
    })?;

    let path = root.join(LIST);
    let listed = names(&fs::read_to_string(&path).map_err(|source| Error::File { path, source })?);
    let path = root.join(PAGE);
    let mut page = Page::read(&fs::read_to_string(&path).unwrap_or_default());
    page.retain(|name| listed.iter().any(|listed| listed == name));
    let chosen: Vec<&String> = match options.names.as_slice() {
        [] => listed
            .iter()
            .filter(|name| {
                options.all || !page.has(name) || options.failed && !page.loads_all(name)
            })
            .collect(),
        named => named.iter().collect(),
    };
    for name in chosen {
        eprintln!("── {name}");
        let outcome = Survey {
            pymode: &pymode,
            out: scratch.path(),
            name,
        }
        .look()?;
        eprintln!("{}", outcome.row(name));
        // Read again, because another process may have added a row. Written each time, so that no result is lost.
        page.take(Page::read(&fs::read_to_string(&path).unwrap_or_default()));
        page.put(name, &outcome);
        fs::write(&path, page.to_string()).map_err(|source| Error::File {
            path: path.clone(),
            source,
        })?;
    }
    Ok(true)
}

/// The packages of the list, one per line; `#` begins a comment.
fn names(text: &str) -> Vec<String> {
    let lines = text
        .lines()
        .map(|line| line.split('#').next().unwrap_or(""));
    lines
        .flat_map(str::split_whitespace)
        .map(str::to_owned)
        .collect()
}

/// One package.
struct Survey<'s> {
    pymode: &'s Path,
    out: &'s Path,
    name: &'s str,
}

impl Survey<'_> {
    fn look(&self) -> Result<Outcome, Error> {
        let since = Instant::now();
        let output = self.pymode(&["ext", "build", self.name, "-o"], self.out)?;
        let seconds = since.elapsed().as_secs();
        let said = String::from_utf8_lossy(&output.stderr);
        if !output.status.success() {
            return Ok(Outcome::failed(&said, output.status.code()));
        }
        let stdout = String::from_utf8_lossy(&output.stdout);
        let wheel = PathBuf::from(stdout.trim());
        let bytes = fs::metadata(&wheel).map_or(0, |metadata| metadata.len());
        Ok(Outcome::Built(Built {
            version: version(&wheel),
            // A wheel from the cache has no build time.
            seconds: said.contains("building").then_some(seconds),
            bytes,
            modules: self.modules(&wheel)?,
        }))
    }

    /// Loads the wheel's extension modules in the guest, with the wheel's dependencies.
    fn modules(&self, wheel: &Path) -> Result<Modules, Error> {
        let wheel = wheel.to_string_lossy();
        let output = self.pymode(
            &["run", "--with", &wheel, "-c", LOAD, self.name],
            Path::new(pymode_abi::EXT_SUFFIX),
        )?;
        Ok(Modules::read(
            &String::from_utf8_lossy(&output.stdout),
            &String::from_utf8_lossy(&output.stderr),
            output.status.code(),
        ))
    }

    fn pymode(&self, args: &[&str], last: &Path) -> Result<Output, Error> {
        // Also ends the compilers.
        let mut command = Command::new("timeout");
        command
            .arg(LONGEST)
            .arg(self.pymode)
            .args(args)
            .arg(last)
            .current_dir(self.out)
            .stdin(Stdio::null());
        let line = run::show(&command);
        command.output().map_err(|source| Error::Start {
            command: line,
            source,
        })
    }
}

/// `NAME-VERSION-….whl`
fn version(wheel: &Path) -> String {
    let name = wheel.file_name().unwrap_or_default().to_string_lossy();
    name.split('-').nth(1).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::{names, version};
    use std::path::Path;

    #[test]
    fn the_list_has_remarks() {
        assert_eq!(names("# web\na b # c\n\nd\n"), ["a", "b", "d"]);
    }

    #[test]
    fn a_wheel_tells_its_version() {
        assert_eq!(version(Path::new("/x/a_b-1.2-cp313-cp313-x.whl")), "1.2");
    }
}
