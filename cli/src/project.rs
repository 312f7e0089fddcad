//! A Worker's project: its folder, its settings, and its dependencies.

use std::path::{Path, PathBuf};

use pymode_python::Options;
pub(crate) use pymode_workerd::SOURCES;
use pymode_workerd::{Bundle, Manifest, Project};
use tempfile::TempDir;

use crate::failure::Failure;
use crate::python::Context;

/// Audience of a bundle.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Tracebacks only go to the log.
    Deployment,
    /// Tracebacks are part of the answer.
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

/// Reads a project and bundles it with its dependencies, which are built if necessary.
pub(crate) fn bundle(dir: &Path, purpose: Purpose) -> Result<Bundled, Failure> {
    let manifest = Manifest::read(dir)?;
    let context = Context::with(Options {
        docstrings: manifest.settings.docstrings,
        ..Options::default()
    })?;
    let sites = sites(&context, dir, &manifest)?;
    let python = context.worker()?;
    let packed = tempfile::tempdir_in(python.scratch())?;
    let project = Project {
        sources: &sources(dir),
        sites: &sites,
        settings: &manifest.settings,
        development: purpose == Purpose::Development,
        traces_loads: purpose == Purpose::Development && crate::job::traces_loads(),
    };
    let bundle = python.bundle(
        &context.python.native,
        &project,
        &packed.path().join("packed"),
    )?;
    for unloadable in bundle.unloadable() {
        context.reporter.println(&format!("warning: {unloadable}"));
    }
    Ok(Bundled {
        manifest,
        bundle,
        _packed: packed,
    })
}

/// Directories that make a project's dependencies importable, in order. A lock has precedence.
fn sites(context: &Context, dir: &Path, manifest: &Manifest) -> Result<Vec<PathBuf>, Failure> {
    if pymode_ext::Project::is_locked(dir) {
        context.locked(&pymode_ext::Project::find(dir)?)
    } else {
        context.requirements(&manifest.dependencies)
    }
}
