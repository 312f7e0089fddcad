//! A project as a bundle: its own modules, what it depends on, and the handler that calls it.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use pymode_toolchain::{CacheError, Step, StepError, Talk};

use crate::bundle::{Bundle, Mode, Parts};
use crate::pack::{self, PackError};
use crate::python::{Files, Python};

/// The guest's side of a Worker, and the modules that its programs import.
const SDK: [(&str, &str); 4] = [
    (
        "_handler.py",
        include_str!("../../worker/python/_handler.py"),
    ),
    (
        "pymode/__init__.py",
        include_str!("../../worker/python/pymode/__init__.py"),
    ),
    (
        "pymode/workers.py",
        include_str!("../../worker/python/pymode/workers.py"),
    ),
    (
        "workers/__init__.py",
        include_str!("../../worker/python/workers/__init__.py"),
    ),
];

/// Compiles trees of modules: `argv[1:]` is pairs of a directory and the path at which the guest sees it.
const COMPILE: &str = "
import compileall, py_compile, sys
for directory, seen in zip(sys.argv[1::2], sys.argv[2::2]):
    compileall.compile_dir(directory, quiet=2, stripdir=directory, prependdir=seen,
                           invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
";

/// Why a project cannot be bundled.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProjectError {
    /// A file.
    #[error(transparent)]
    File(#[from] CacheError),
    /// A file that cannot be bundled.
    #[error(transparent)]
    Pack(#[from] PackError),
    /// The modules could not be compiled.
    #[error(transparent)]
    Compile(#[from] StepError),
    /// There is no module to call.
    #[error("`{}` has no module `{entry}`\n  hint: it is the one that defines `on_fetch(request, env)` or `class Default(WorkerEntrypoint)`", sources.display())]
    NoEntry {
        /// Where it was looked for.
        sources: PathBuf,
        /// Its name.
        entry: String,
    },
}

/// What is to be bundled.
#[derive(Debug)]
pub struct Project<'a> {
    /// The directory of the project's own modules.
    pub sources: &'a Path,
    /// The module that answers requests: `entry` for `entry.py`.
    pub entry: &'a str,
    /// Directories of packages that it depends on.
    pub sites: &'a [PathBuf],
    /// What the Worker does with requests; not [`Mode::Run`].
    pub mode: Mode,
    /// Whether whoever asks is shown tracebacks.
    pub development: bool,
}

impl Python {
    /// Bundles a project. Its packed files go into `dir`, which must outlive the bundle.
    ///
    /// `compiler` is a native Python of the same version, which compiles the modules beforehand.
    ///
    /// # Errors
    /// When a file cannot be read or bundled, or the entry is missing.
    pub fn bundle(
        &self,
        talk: &Talk,
        compiler: &Path,
        project: &Project<'_>,
        dir: &Path,
    ) -> Result<Bundle, ProjectError> {
        let is_there = |path: String| project.sources.join(path).is_file();
        let entry = project.entry.replace('.', "/");
        if !is_there(format!("{entry}.py")) && !is_there(format!("{entry}/__init__.py")) {
            return Err(ProjectError::NoEntry {
                sources: project.sources.into(),
                entry: project.entry.into(),
            });
        }
        let mut trees = vec![("/app".to_owned(), dir.join("app"))];
        copy_tree(project.sources, &trees[0].1)?;
        for (number, site) in project.sites.iter().enumerate() {
            let tree = dir.join(format!("site-{number}"));
            copy_tree(site, &tree)?;
            trees.push((format!("/site/{number}"), tree));
        }
        trees.push(("/sdk".to_owned(), dir.join("sdk")));
        for (name, text) in SDK {
            write(&dir.join("sdk").join(name), text.as_bytes())?;
        }
        compile(talk, compiler, &trees, dir)?;

        let mut images = vec![("/".to_owned(), self.image.carrier.clone())];
        let mut sides = self.image.sides.clone();
        for (path, tree) in &trees {
            let mut packed = tree.clone().into_os_string();
            packed.push(".packed");
            let files = Files::write(&pack::directory(tree)?, Path::new(&packed))?;
            images.push((path.clone(), files.carrier));
            sides.extend(files.sides);
        }
        let mut seen = HashSet::new();
        sides.retain(|(key, _)| seen.insert(key.clone()));

        let path: Vec<&str> = trees.iter().map(|(path, _)| path.as_str()).collect();
        let environment = [
            ("PYTHONHOME", "/"),
            ("PYTHONPATH", &path.join(":")),
            ("PYTHONSAFEPATH", "1"),
            ("PWD", "/app"),
            ("PYMODE_ENTRY", project.entry),
        ];
        let bundle = Bundle::new(&Parts {
            code: &self.code,
            main: self.main.clone(),
            images,
            sides,
            mode: project.mode,
            development: project.development,
            environment: environment
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
        });
        Ok(bundle?)
    }
}

/// Compiles all modules; one that does not compile is left to be complained of when it is imported.
fn compile(
    talk: &Talk,
    python: &Path,
    trees: &[(String, PathBuf)],
    dir: &Path,
) -> Result<(), StepError> {
    let mut command = Command::new(python);
    command.args(["-I", "-c", COMPILE]);
    for (path, tree) in trees {
        command.arg(tree).arg(path);
    }
    Step::run(
        talk,
        "compiling Python modules",
        command,
        &dir.join("compile.log"),
    )
}

/// Copies what a deployment needs. Links are followed: the guest has no other file system for them to lead into.
fn copy_tree(from: &Path, to: &Path) -> Result<(), CacheError> {
    fs::create_dir_all(to).map_err(CacheError::io("create", to))?;
    let entries = fs::read_dir(from).and_then(Iterator::collect::<io::Result<Vec<_>>>);
    for entry in entries.map_err(CacheError::io("list", from))? {
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if is_left_out(&entry.file_name()) {
            continue;
        }
        if source.is_dir() {
            copy_tree(&source, &target)?;
        } else {
            fs::copy(&source, &target).map_err(CacheError::io("copy", &source))?;
        }
    }
    Ok(())
}

/// Compiled by another Python, or for other eyes.
fn is_left_out(name: &OsStr) -> bool {
    name == "__pycache__" || name.as_encoded_bytes().starts_with(b".")
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), CacheError> {
    let parent = path.parent().unwrap_or(path);
    fs::create_dir_all(parent).map_err(CacheError::io("create", parent))?;
    fs::write(path, bytes).map_err(CacheError::io("write", path))
}
