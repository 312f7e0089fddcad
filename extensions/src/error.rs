//! What can go wrong between a name and a wheel.

use std::path::PathBuf;

use pymode_toolchain::archive::ArchiveError;
use pymode_toolchain::{CacheError, DownloadError, StepError};

use crate::check::Report;
use crate::recipe::RecipeError;
use crate::spec::SpecError;
use crate::wheel::WheelError;

/// A failure of `pymode ext`; each says what, where, and what to do next.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Nothing can be built from what was asked for.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// A recipe is wrong.
    #[error(transparent)]
    Recipe(#[from] RecipeError),
    /// A tool cannot be had.
    #[error(transparent)]
    Toolchain(Box<pymode_toolchain::Error>),
    /// There is no Rust for the guest.
    #[error(transparent)]
    Rust(#[from] pymode_toolchain::rust::RustError),
    /// uv finds no files for the requirements.
    #[error("cannot resolve {requirements}\n{}", uv_said(said))]
    Unresolved {
        /// What was asked for.
        requirements: String,
        /// What uv says.
        said: String,
    },
    /// uv cannot install what a build requires.
    #[error(
        "cannot install {requirements}, which the build requires\n{}",
        uv_said(said)
    )]
    Uninstalled {
        /// What it requires.
        requirements: String,
        /// What uv says.
        said: String,
    },
    /// uv's answer is not understood.
    #[error("the resolution is not understood: {reason}")]
    Lock {
        /// What and where.
        reason: String,
    },
    /// The index has no sdist.
    #[error(
        "`{name}` {version} has no source distribution that can be had and checked, and none of its wheels is for any platform"
    )]
    NoSdist {
        /// The project.
        name: String,
        /// The version.
        version: String,
    },
    /// The index gives another file than the recipe names.
    #[error(
        "the sdist of `{name}` {version} has sha256 {found}, but its recipe says {wanted}\n  hint: correct `extensions/recipes/{name}.toml` if the file was published anew"
    )]
    OtherSdist {
        /// The project.
        name: String,
        /// The version.
        version: String,
        /// What the index says.
        found: String,
        /// What the recipe says.
        wanted: String,
    },
    /// An sdist that does not look like one.
    #[error("`{}` is no source distribution: {reason}", path.display())]
    NotAnSdist {
        /// The file.
        path: PathBuf,
        /// Why not.
        reason: &'static str,
    },
    /// A `pyproject.toml` that means nothing.
    #[error("`{}` is wrong: {reason}", path.display())]
    Pyproject {
        /// The file.
        path: PathBuf,
        /// What and where.
        reason: String,
    },
    /// There is no project.
    #[error("there is no `pyproject.toml` in `{}` or above it\n  hint: a project has one, with `[project]` and `name = \"…\"` in it; `--project DIR` names another directory", dir.display())]
    NoProject {
        /// Where it was looked for.
        dir: PathBuf,
    },
    /// A package that was to be removed is not there.
    #[error("`{name}` is not among the dependencies of the project in `{}`", dir.display())]
    NotRequired {
        /// The package.
        name: String,
        /// The project.
        dir: PathBuf,
    },
    /// A project whose lock is missing or made for other requirements.
    #[error(
        "`{}` {}\n  hint: `pymode lock` makes it",
        path.display(),
        if *there { "was made for other dependencies than `pyproject.toml` now has" } else { "is not there" }
    )]
    Unlocked {
        /// The lock.
        path: PathBuf,
        /// Whether there is one at all.
        there: bool,
    },
    /// A lock file that means nothing.
    #[error("`{}` is wrong: {reason}\n  hint: delete it, and `pymode lock` makes it anew", path.display())]
    Lockfile {
        /// The file.
        path: PathBuf,
        /// What and where.
        reason: String,
    },
    /// The backend failed.
    #[error("cannot build `{what}`\n{reason}")]
    Build {
        /// What was built.
        what: String,
        /// The compiler's or the backend's words, and a hint.
        reason: String,
    },
    /// The backend made a wheel without the extension modules that it should hold.
    #[error("the wheel of `{what}` lacks {}{}", list(missing), after(reason))]
    NoModules {
        /// What was built.
        what: String,
        /// The modules, by their dotted names.
        missing: Vec<String>,
        /// Why, if a compiler said so.
        reason: String,
    },
    /// A side module breaks the contract.
    #[error("the wheel of `{what}` would not load:\n{}", reports.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Check {
        /// What was built.
        what: String,
        /// Each module with its faults.
        reports: Vec<Report>,
    },
    /// A wheel that cannot be used.
    #[error(transparent)]
    Wheel(#[from] WheelError),
    /// A recipe changes a test file that is not as it was.
    #[error(
        "the recipe of `{what}` wants to change `{text}` in `{}`, where it stands {found} times\n  hint: correct its `[test.edits]`",
        path.display()
    )]
    Edit {
        /// Whose tests they are.
        what: String,
        /// The file.
        path: PathBuf,
        /// What is to be changed.
        text: String,
        /// How often it is there; once is right.
        found: usize,
    },
    /// A package has no tests that can be run.
    #[error(
        "it is not known how to run the tests of `{what}`: neither its sdist nor the package has a directory `tests` or `test`, and its `pyproject.toml` has no `testpaths` for pytest\n  hint: a `[test]` table in `extensions/recipes/{what}.toml` says how"
    )]
    NoTests {
        /// The package.
        what: String,
    },
}

/// uv's words. Of a network that is not there it tells in many lines, of which the first and the last say it.
fn uv_said(said: &str) -> String {
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
        "  | {ends}\n  hint: is there a network? What was built, downloaded or resolved once is kept, and needs none"
    )
}

/// Whether uv could not ask.
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
