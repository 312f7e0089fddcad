//! What `case.toml` says.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::files::{Files, MAIN};

/// One folder of `cases/`.
#[derive(Debug)]
pub struct Case {
    /// The folder's name.
    pub name: String,
    /// The folder.
    pub path: PathBuf,
    /// What `case.toml` says.
    pub script: Script,
}

/// `case.toml`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Script {
    /// One sentence: what the case shows.
    pub says: String,
    /// Directories in which names without a slash are looked for.
    #[serde(default)]
    pub library_path: Vec<String>,
    /// Second names of files: new name → file.
    #[serde(default)]
    pub links: BTreeMap<String, String>,
    /// Files that are cut after so many bytes.
    #[serde(default)]
    pub cut: BTreeMap<String, usize>,
    /// The case depends on guest code: an engine that runs none leaves it out.
    #[serde(default)]
    pub runs: bool,
    /// What is done, in order.
    pub step: Vec<Step>,
}

/// One step. Exactly one of the verbs is there.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, tag = "do", rename_all = "lowercase")]
pub enum Step {
    /// `dlopen`
    Open {
        /// The file; the main module if it is left out.
        path: Option<String>,
        /// `global`, `noload`, `nodelete`; `now` and `local` go without saying.
        #[serde(default)]
        flags: Vec<Flag>,
        /// What to call the handle.
        #[serde(rename = "as")]
        name: Option<String>,
        /// It fails, and `dlerror` says what `error.txt` holds.
        #[serde(default)]
        fails: bool,
        /// It succeeds, but something that the guest did meanwhile has failed and left its error.
        #[serde(default)]
        murmurs: bool,
    },
    /// `dlsym`
    Sym {
        /// The symbol.
        name: String,
        /// The handle; `RTLD_DEFAULT` if it is left out.
        of: Option<String>,
        /// What to call the address.
        #[serde(rename = "as")]
        alias: Option<String>,
        /// It fails, and `dlerror` says what `error.txt` holds.
        #[serde(default)]
        fails: bool,
    },
    /// `dlclose`
    Close {
        /// The handle.
        handle: String,
        /// It fails, and `dlerror` says what `error.txt` holds.
        #[serde(default)]
        fails: bool,
    },
    /// Calls a function: `handle.symbol`, or an address by its name.
    Call {
        /// Which one.
        function: String,
        /// Its arguments.
        #[serde(default)]
        args: Vec<i32>,
        /// What it returns.
        gives: Option<i32>,
        /// It traps.
        #[serde(default)]
        traps: bool,
    },
    /// Reads an `i32`: at `handle.symbol`, or at an address by its name.
    Read {
        /// Which one.
        data: String,
        /// What is there.
        gives: i32,
    },
    /// Addresses or handles that are equal.
    Same {
        /// Their names.
        all: Vec<String>,
    },
    /// Addresses or handles that all differ.
    Differ {
        /// Their names.
        all: Vec<String>,
    },
    /// What is loaded, in order.
    Loaded {
        /// Paths.
        paths: Vec<String>,
    },
}

/// A flag of `dlopen`.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Flag {
    /// `RTLD_GLOBAL`
    Global,
    /// `RTLD_NOLOAD`
    Noload,
    /// `RTLD_NODELETE`
    Nodelete,
}

impl Flag {
    /// The number in the guest's `<dlfcn.h>`.
    #[must_use]
    pub fn bits(self) -> u32 {
        match self {
            Self::Global => 256,
            Self::Noload => 4,
            Self::Nodelete => 4096,
        }
    }
}

/// Where the cases are.
#[must_use]
pub fn cases_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("cases")
}

/// Every case, by name.
///
/// # Panics
/// If a case cannot be read: then the suite itself is broken.
#[must_use]
pub fn all() -> Vec<Case> {
    let folder = cases_folder();
    let entries = fs::read_dir(&folder).expect("the folder of the cases is there");
    let mut cases: Vec<Case> = entries
        .map(|entry| entry.expect("the folder of the cases can be read").path())
        .filter(|path| path.join("case.toml").is_file())
        .map(|path| Case::read(&path).unwrap_or_else(|error| panic!("{error}")))
        .collect();
    cases.sort_by(|a, b| a.name.cmp(&b.name));
    cases
}

impl Case {
    fn read(path: &Path) -> Result<Self, String> {
        let toml = path.join("case.toml");
        let failed = |error: &dyn std::fmt::Display| format!("{}: {error}", toml.display());
        let text = fs::read_to_string(&toml).map_err(|error| failed(&error))?;
        Ok(Self {
            name: path
                .file_name()
                .map(|name| name.to_string_lossy().into_owned())
                .unwrap_or_default(),
            path: path.to_path_buf(),
            script: toml::from_str(&text).map_err(|error| failed(&error))?,
        })
    }

    /// The case's files: each `.wat`, also in folders, is a `.wasm`; any other file is as it is. A case without a main
    /// module has the one beside the cases.
    pub fn files(&self) -> Result<Files, String> {
        let mut files = Files::default();
        files.library_path.clone_from(&self.script.library_path);
        self.add_folder(&self.path, &mut files)?;
        if files.identify(MAIN).is_none() {
            let common = cases_folder().join("main.wat");
            files.add(MAIN, compile(&common)?);
        }
        for (path, of) in &self.script.links {
            files.link(path, of);
        }
        Ok(files)
    }

    fn add_folder(&self, folder: &Path, files: &mut Files) -> Result<(), String> {
        let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
        let mut paths = fs::read_dir(folder)
            .map_err(failed)?
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<Result<Vec<_>, _>>()
            .map_err(failed)?;
        paths.sort();
        for path in paths {
            if path.is_dir() {
                self.add_folder(&path, files)?;
                continue;
            }
            let name = path.strip_prefix(&self.path).unwrap_or(&path);
            let name = name.to_string_lossy();
            let (name, mut content) = match name.strip_suffix(".wat") {
                Some(stem) => (format!("{stem}.wasm"), compile(&path)?),
                None => {
                    let content = fs::read(&path);
                    let content =
                        content.map_err(|error| format!("{}: {error}", path.display()))?;
                    (name.into_owned(), content)
                }
            };
            if let Some(length) = self.script.cut.get(&name) {
                content.truncate(*length);
            }
            files.add(&name, content);
        }
        Ok(())
    }
}

fn compile(path: &Path) -> Result<Vec<u8>, String> {
    wat::parse_file(path).map_err(|error| error.to_string())
}
