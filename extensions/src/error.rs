//! Errors between a specification and a wheel.

use std::path::PathBuf;

use pymode_toolchain::archive::ArchiveError;
use pymode_toolchain::{CacheError, DownloadError, StepError};

use crate::check::Report;
use crate::recipe::RecipeError;
use crate::spec::SpecError;
use crate::wheel::WheelError;

/// A failure of `pymode ext`: what failed, where, and the next step.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An invalid specification.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// An invalid recipe.
    #[error(transparent)]
    Recipe(#[from] RecipeError),
    /// A tool is missing.
    #[error(transparent)]
    Toolchain(Box<pymode_toolchain::Error>),
    /// Rust for the guest is missing.
    #[error(transparent)]
    Rust(#[from] pymode_toolchain::rust::RustError),
    /// uv finds no files for the requirements.
    #[error("cannot resolve {requirements}\n{}", uv_output(said))]
    Unresolved {
        /// The requirements.
        requirements: String,
        /// uv's output.
        said: String,
    },
    /// uv cannot install the requirements of a build.
    #[error(
        "cannot install {requirements}, which the build requires\n{}",
        uv_output(said)
    )]
    Uninstalled {
        /// The requirements.
        requirements: String,
        /// uv's output.
        said: String,
    },
    /// uv's answer is invalid.
    #[error("invalid answer of uv: {reason}")]
    Lock {
        /// The reason.
        reason: String,
    },
    /// The index has no sdist.
    #[error(
        "`{name}` {version} has neither a source distribution with a sha256 nor a wheel for every platform"
    )]
    NoSdist {
        /// The project.
        name: String,
        /// The version.
        version: String,
    },
    /// The index has a file other than the one that the recipe names.
    #[error(
        "the sdist of `{name}` {version} has sha256 {found}, but its recipe has {wanted}\n  hint: correct `extensions/recipes/{name}.toml` if the file was published again"
    )]
    OtherSdist {
        /// The project.
        name: String,
        /// The version.
        version: String,
        /// sha256 in the index.
        found: String,
        /// sha256 in the recipe.
        wanted: String,
    },
    /// A file that is not an sdist.
    #[error("not a source distribution: `{}`: {reason}", path.display())]
    NotAnSdist {
        /// The file.
        path: PathBuf,
        /// The reason.
        reason: &'static str,
    },
    /// An invalid `pyproject.toml`.
    #[error("invalid `{}`: {reason}", path.display())]
    Pyproject {
        /// The file.
        path: PathBuf,
        /// The reason.
        reason: String,
    },
    /// There is no project.
    #[error("no such file: `pyproject.toml` in `{}` or above it\n  hint: create one with `[project]` and `name = \"…\"`, or name another directory with `--project DIR`", dir.display())]
    NoProject {
        /// The directory.
        dir: PathBuf,
    },
    /// A package to remove that is not a dependency.
    #[error("`{name}` is not a dependency of the project in `{}`", dir.display())]
    NotRequired {
        /// The package.
        name: String,
        /// The project.
        dir: PathBuf,
    },
    /// A project whose lock is missing or made for other requirements.
    #[error(
        "`{}` {}\n  hint: run `pymode lock`",
        path.display(),
        if *there { "is out of date: the dependencies in `pyproject.toml` have changed" } else { "does not exist" }
    )]
    Unlocked {
        /// The lock.
        path: PathBuf,
        /// `true` if there is a lock.
        there: bool,
    },
    /// An invalid lock file.
    #[error("invalid `{}`: {reason}\n  hint: delete it and run `pymode lock`", path.display())]
    Lockfile {
        /// The file.
        path: PathBuf,
        /// The reason.
        reason: String,
    },
    /// The backend failed.
    #[error("cannot build `{what}`\n{reason}")]
    Build {
        /// The package.
        what: String,
        /// The compiler's or the backend's error, and a hint.
        reason: String,
    },
    /// The backend built a wheel without the expected extension modules.
    #[error("the wheel of `{what}` lacks {}{}", list(missing), after(reason))]
    NoModules {
        /// The package.
        what: String,
        /// The modules, by their dotted names.
        missing: Vec<String>,
        /// The compiler's error, if there is one.
        reason: String,
    },
    /// A side module breaks the contract.
    #[error("the wheel of `{what}` would not load:\n{}", reports.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Check {
        /// The package.
        what: String,
        /// Each module with its violations.
        reports: Vec<Report>,
    },
    /// An invalid wheel.
    #[error(transparent)]
    Wheel(#[from] WheelError),
    /// A recipe edits a test file that has changed.
    #[error(
        "the recipe of `{what}` edits `{text}` in `{}`, which holds it {found} times\n  hint: correct `[test.edits]` in the recipe",
        path.display()
    )]
    Edit {
        /// The package.
        what: String,
        /// The file.
        path: PathBuf,
        /// The text to replace.
        text: String,
        /// Number of occurrences; exactly one is valid.
        found: usize,
    },
    /// A package without tests.
    #[error(
        "could not find the tests of `{what}`: its sdist and the package have no directory `tests` or `test`, and its `pyproject.toml` has no `testpaths` for pytest\n  hint: add a `[test]` table to `extensions/recipes/{what}.toml`"
    )]
    NoTests {
        /// The package.
        what: String,
    },
}

/// uv's output. For network errors uv prints many lines, of which the first and the last matter.
fn uv_output(said: &str) -> String {
    let lines: Vec<&str> = said
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    if !is_of_network(said) {
        let lines = lines.iter().map(|line| format!("  | {line}"));
        return lines.collect::<Vec<_>>().join("\n");
    }
    let what = lines.iter().find(|line| line.contains("Failed to fetch"));
    let ends = what.into_iter().chain(lines.last());
    let ends = ends.map(|line| line.trim().trim_start_matches("cause: "));
    let ends = ends.collect::<Vec<_>>().join(": ");
    format!(
        "  | {ends}\n  hint: check the network; packages that were built, downloaded or resolved before need none"
    )
}

/// Returns `true` if uv could not reach the index.
pub(crate) fn is_of_network(said: &str) -> bool {
    said.contains("client error (Connect)")
        || said.contains("dns error")
        || said.contains("operation timed out")
}

fn list(names: &[String]) -> String {
    names
        .iter()
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(", ")
}

fn after(reason: &str) -> String {
    if reason.is_empty() {
        String::new()
    } else {
        format!("\n{reason}")
    }
}

impl From<pymode_toolchain::Error> for Error {
    fn from(e: pymode_toolchain::Error) -> Self {
        Self::Toolchain(Box::new(e))
    }
}

impl From<CacheError> for Error {
    fn from(e: CacheError) -> Self {
        pymode_toolchain::Error::from(e).into()
    }
}

impl From<StepError> for Error {
    fn from(e: StepError) -> Self {
        pymode_toolchain::Error::from(e).into()
    }
}

impl From<DownloadError> for Error {
    fn from(e: DownloadError) -> Self {
        pymode_toolchain::Error::from(e).into()
    }
}

impl From<ArchiveError> for Error {
    fn from(e: ArchiveError) -> Self {
        pymode_toolchain::Error::from(e).into()
    }
}
