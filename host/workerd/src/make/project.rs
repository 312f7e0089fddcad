//! Bundles a project: its own modules, its dependencies, and the handler that calls it.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use pymode_bundle::paths::{APP, SOURCES};
use pymode_dylink::ModuleInfo;
use pymode_toolchain::CacheError;

use crate::bundle::Bundle;
use crate::make::assemble::{BundleParts, Tree};
use crate::make::manifest::Settings;
use crate::make::pack::{self, Exports, PackError};
use crate::make::prune;
use crate::make::python::{Interpreter, PackedFiles, key};
use crate::make::rewritten::{self, Lookups};
use crate::make::stdlib::Omitted;
use crate::make::tree::{self, Wanted};

macro_rules! sdk {
    ($name:literal) => {
        (
            $name,
            include_str!(concat!("../../../worker/python/", $name)),
        )
    };
}

/// Python modules of the Worker: the handler, and modules that programs import.
const SDK: &[(&str, &str)] = &[
    sdk!("_handler.py"),
    sdk!("pymode/__init__.py"),
    sdk!("pymode/_wire.py"),
    sdk!("pymode/http.py"),
    sdk!("pymode/workers.py"),
    sdk!("workers/__init__.py"),
    sdk!("workers/_fetch.py"),
];

const COMPILE: &str = include_str!("../../helpers/compile.py");
/// Exit code of the compiler if the project has an error.
const AT_FAULT: i32 = 3;

/// Errors of bundling a project.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProjectError {
    /// A file.
    #[error(transparent)]
    File(#[from] CacheError),
    /// A file that cannot be bundled.
    #[error(transparent)]
    Pack(#[from] PackError),
    /// The compiler of Python modules could not be run.
    #[error("cannot compile Python modules with `{}`: {reason}", python.display())]
    Compiler {
        /// The native Python.
        python: PathBuf,
        /// Why, or what it printed.
        reason: String,
    },
    /// A module of the project is invalid, or its entry has no handler: Python's message.
    #[error("{message}")]
    Source {
        /// Error and location.
        message: String,
    },
    /// The entry does not exist.
    #[error("`{}` has no module `{entry}`\n  hint: create it, and define `on_fetch(request, env)` or `class Default(WorkerEntrypoint)` there", sources.display())]
    NoEntry {
        /// The searched directory.
        sources: PathBuf,
        /// Its name.
        entry: String,
    },
}

/// A project to bundle.
#[derive(Debug)]
pub struct Project<'a> {
    /// The directory of the project's own modules.
    pub sources: &'a Path,
    /// Directories of packages that it depends on.
    pub sites: &'a [PathBuf],
    /// Settings.
    pub settings: &'a Settings,
    /// `true` if answers contain tracebacks with the packages' lines.
    pub development: bool,
    /// `true` if the loader traces to the log.
    pub traces_loads: bool,
}

/// Treatment of a tree's sources after compilation.
#[derive(Clone, Copy, PartialEq, Eq)]
enum SourcePolicy {
    /// Keep them, and require that each compiles.
    Own,
    Keep,
    Drop,
}

impl SourcePolicy {
    fn name(self) -> &'static str {
        match self {
            SourcePolicy::Own => "own",
            SourcePolicy::Keep => "keep",
            SourcePolicy::Drop => "drop",
        }
    }
}

impl Interpreter {
    /// Bundles a project. Its packed files go into `dir`, which must be empty, and must outlive the bundle.
    ///
    /// `compiler` is a native Python of the same version, which compiles the modules in advance.
    ///
    /// # Errors
    /// When a file cannot be read or bundled, a module does not compile, or there is no entry with a handler.
    pub(crate) fn bundle(
        &self,
        compiler: &Path,
        project: &Project<'_>,
        dir: &Path,
    ) -> Result<Bundle, ProjectError> {
        let compiler = Compiler(compiler);
        let packages = if project.development {
            SourcePolicy::Keep
        } else {
            SourcePolicy::Drop
        };
        let wanted = if project.settings.tests {
            Wanted::All
        } else {
            Wanted::ToRun
        };
        let mut trees = vec![self.own_modules(&compiler, project, dir)?];
        for (number, site) in project.sites.iter().enumerate() {
            let path = format!("/site/{number}");
            trees.push(Tree {
                what: distribution(site),
                files: self.site(&compiler, site, &path, (packages, wanted), dir)?,
                path,
            });
        }
        trees.push(self.sdk(&compiler, project.settings, dir)?);
        let path: Vec<&str> = trees.iter().map(|tree| tree.path.as_str()).collect();
        let environment = [
            ("PYTHONHOME", "/"),
            ("HOME", pymode_host::program::HOME),
            ("PYTHONPATH", &path.join(":")),
            ("PYTHONSAFEPATH", "1"),
            ("PWD", APP),
            ("PYMODE_ENTRY", &project.settings.entry),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));

        let library = self.library(&Omitted {
            modules: project
                .settings
                .left_out()
                .into_iter()
                .map(str::to_owned)
                .collect(),
            shared: Some(needed(&trees)?),
        })?;
        trees.insert(
            0,
            Tree {
                what: "standard library".into(),
                path: "/".into(),
                files: library,
            },
        );
        if !project.traces_loads {
            let cache = &self.cache;
            rewritten::rewrite(cache, &self.wasm, Lookups::Init, &mut trees, &mut [])?;
        }
        let sides = trees.iter().flat_map(|tree| &tree.files.sides);
        let kept = prune::imported(sides.map(|side| side.loaded().1))?;
        let memory = u64::from(project.settings.memory) << 20;
        Ok(Bundle::new(&BundleParts {
            code: &self.code,
            main: self.main(memory, &Exports::Only(kept))?,
            trees,
            loose: Vec::new(),
            memory,
            refused: Vec::new(),
            library_path: Vec::new(),
            traces_loads: project.traces_loads,
            mode: project.settings.mode,
            development: project.development,
            environment: environment.into(),
        })?)
    }

    fn own_modules(
        &self,
        compiler: &Compiler<'_>,
        project: &Project<'_>,
        dir: &Path,
    ) -> Result<Tree, ProjectError> {
        let entry = project.settings.entry.replace('.', "/");
        let mut places = [format!("{entry}.py"), format!("{entry}/__init__.py")].into_iter();
        let Some(entry) = places.find(|place| project.sources.join(place).is_file()) else {
            return Err(ProjectError::NoEntry {
                sources: project.sources.into(),
                entry: project.settings.entry.clone(),
            });
        };
        let tree = dir.join("app");
        tree::copy(project.sources, &tree, Wanted::All)?;
        let paths = Paths {
            seen: APP,
            known: SOURCES,
        };
        compiler.compile(&tree, paths, SourcePolicy::Own, Some(&tree.join(entry)))?;
        Ok(Tree {
            what: "your modules".into(),
            path: APP.into(),
            files: PackedFiles::write(&pack::directory(&tree)?, &dir.join("app.packed"))?,
        })
    }

    /// Packs a directory of packages. One in the cache never changes, and is packed once.
    fn site(
        &self,
        compiler: &Compiler<'_>,
        site: &Path,
        path: &str,
        (sources, wanted): (SourcePolicy, Wanted),
        dir: &Path,
    ) -> Result<PackedFiles, ProjectError> {
        let pack_into = |dir: &Path| {
            let tree = dir.join("tree");
            tree::copy(site, &tree, wanted)?;
            compiler.compile(&tree, Paths::same(path), sources, None)?;
            let files = PackedFiles::write(&pack::directory(&tree)?, dir)?;
            fs::remove_dir_all(&tree).map_err(CacheError::io("delete", &tree))?;
            Ok(files)
        };
        if !site.starts_with(self.cache.root()) {
            let dir = dir.join(path.trim_start_matches('/').replace('/', "-"));
            fs::create_dir(&dir).map_err(CacheError::io("create", &dir))?;
            return pack_into(&dir);
        }
        let key = key("site", site)?
            .field("path", path)
            .field("sources", sources.name())
            .field("wanted", format!("{wanted:?}"));
        let dir = self
            .cache
            .entry("worker-site", &key, |dir| pack_into(dir).map(drop))?;
        Ok(PackedFiles::read(&dir)?)
    }

    fn sdk(
        &self,
        compiler: &Compiler<'_>,
        settings: &Settings,
        dir: &Path,
    ) -> Result<Tree, ProjectError> {
        let tree = dir.join("sdk");
        for (name, text) in SDK {
            write(&tree.join(name), text.as_bytes())?;
        }
        // A map of texts has the same syntax in JSON and in Python.
        let absent = serde_json::json!(settings.absent());
        let absent = format!("LEFT_OUT = {absent}\n");
        write(&tree.join("pymode/_left_out.py"), absent.as_bytes())?;
        compiler.compile(&tree, Paths::same("/sdk"), SourcePolicy::Drop, None)?;
        Ok(Tree {
            what: crate::module::OURS.into(),
            path: "/sdk".into(),
            files: PackedFiles::write(&pack::directory(&tree)?, &dir.join("sdk.packed"))?,
        })
    }
}

/// Returns the libraries that the side modules need, by name.
fn needed(trees: &[Tree]) -> Result<Vec<String>, ProjectError> {
    let mut names = BTreeSet::new();
    for side in trees.iter().flat_map(|tree| &tree.files.sides) {
        let path = &side.file;
        let bytes = fs::read(path).map_err(CacheError::io("read", path))?;
        // Only side modules have a key.
        if let Ok(info) = ModuleInfo::from_bytes(&bytes) {
            names.extend(info.needed.iter().map(ToString::to_string));
        }
    }
    Ok(names.into_iter().collect())
}

/// Paths of a tree of modules.
#[derive(Clone, Copy)]
struct Paths<'a> {
    /// In the guest.
    seen: &'a str,
    /// In messages.
    known: &'a str,
}

impl<'a> Paths<'a> {
    fn same(path: &'a str) -> Self {
        Self {
            seen: path,
            known: path,
        }
    }
}

/// A native Python of the guest's version.
struct Compiler<'a>(&'a Path);

impl Compiler<'_> {
    /// Compiles a tree of modules. `entry` must define a handler.
    fn compile(
        &self,
        tree: &Path,
        paths: Paths<'_>,
        sources: SourcePolicy,
        entry: Option<&Path>,
    ) -> Result<(), ProjectError> {
        let fault = |reason: String| ProjectError::Compiler {
            python: self.0.into(),
            reason,
        };
        let mut command = Command::new(self.0);
        command
            .args(["-I", "-c", COMPILE])
            .args(entry)
            .env_clear()
            .env("PYTHONHASHSEED", "0");
        let Paths { seen, known } = paths;
        let trees = format!("{}\n{seen}\n{known}\n{}\n", tree.display(), sources.name());
        let output = feed(command, trees.as_bytes()).map_err(|error| fault(error.to_string()))?;
        let message = String::from_utf8_lossy(&output.stderr)
            .trim_end()
            .to_owned();
        match output.status.code() {
            Some(0) => Ok(()),
            Some(AT_FAULT) => Err(ProjectError::Source { message }),
            _ => Err(fault(message)),
        }
    }
}

fn feed(mut command: Command, input: &[u8]) -> io::Result<Output> {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()?;
    // It reads all input, a few lines, before it writes.
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(input)?;
    }
    child.wait_with_output()
}

/// Returns the name of a directory of packages, from its metadata.
fn distribution(site: &Path) -> String {
    let metadata = fs::read_dir(site).into_iter().flatten().flatten();
    let names = metadata.filter_map(|entry| {
        let name = entry.file_name().into_string().ok()?;
        Some(name.strip_suffix(".dist-info")?.replacen('-', " ", 1))
    });
    let names: Vec<String> = names.collect();
    if names.is_empty() {
        "packages".into()
    } else {
        names.join(", ")
    }
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), CacheError> {
    let parent = path.parent().unwrap_or(path);
    fs::create_dir_all(parent).map_err(CacheError::io("create", parent))?;
    fs::write(path, bytes).map_err(CacheError::io("write", path))
}
