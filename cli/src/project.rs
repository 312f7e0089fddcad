//! A project of a Worker: its folder, what it says of itself, and what it depends on.

use std::path::{Path, PathBuf};

use pymode_python::Options;
use pymode_workerd::{Bundle, Manifest, Project};
use tempfile::TempDir;

use crate::failure::Failure;
use crate::python::Workshop;

/// Where a project keeps its modules.
pub(crate) const SOURCES: &str = "src";

/// For whose eyes a bundle is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Tracebacks are for the log only.
    Deployment,
    /// Tracebacks are shown to whoever asks.
    Development,
}

/// A bundle and the folder that holds its packed files.
pub(crate) struct Bundled {
    pub(crate) manifest: Manifest,
    pub(crate) bundle: Bundle,
    _packed: TempDir,
}

/// The folder of a project's modules.
pub(crate) fn sources(dir: &Path) -> PathBuf {
    dir.join(SOURCES)
}

/// Reads a project and bundles it with all that it depends on, which is built if need be.
pub(crate) fn bundle(dir: &Path, purpose: Purpose) -> Result<Bundled, Failure> {
    let manifest = Manifest::read(dir)?;
    let workshop = Workshop::with(Options {
        docstrings: manifest.settings.docstrings,
        ..Options::default()
    })?;
    let sites = sites(&workshop, dir, &manifest)?;
    let python = workshop.worker()?;
    let packed = tempfile::tempdir_in(python.scratch())?;
    let project = Project {
        sources: &sources(dir),
        sites: &sites,
        settings: &manifest.settings,
        development: purpose == Purpose::Development,
        traces_loads: purpose == Purpose::Development && crate::job::traces_loads(),
    };
    let bundle = python.bundle(
        &workshop.python.native,
        &project,
        &packed.path().join("packed"),
    )?;
    for unloadable in bundle.unloadable() {
        workshop.reporter.println(&format!("warning: {unloadable}"));
    }
    Ok(Bundled {
        manifest,
        bundle,
        _packed: packed,
    })
}

/// The directories that make importable what a project depends on, in order: what its lock names, if it has one.
fn sites(workshop: &Workshop, dir: &Path, manifest: &Manifest) -> Result<Vec<PathBuf>, Failure> {
    if pymode_ext::Project::is_locked(dir) {
        workshop.locked(&pymode_ext::Project::find(dir)?)
    } else {
        workshop.requirements(&manifest.dependencies)
    }
}
