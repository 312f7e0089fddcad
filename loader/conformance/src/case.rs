//! The folders of `cases/`.

use std::fs;
use std::path::{Path, PathBuf};

use crate::files::{Files, MAIN};
use crate::script::Script;

/// One folder of `cases/`.
#[derive(Debug)]
pub struct Case {
    /// The folder's name.
    pub name: String,
    /// The folder.
    pub path: PathBuf,
    /// Content of `case.toml`.
    pub script: Script,
    /// Its text.
    pub text: String,
}

/// Returns the directory of the cases.
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
            script: Script::parse(&text).map_err(|error| failed(&error))?,
            text,
        })
    }

    /// The case's files: each `.wat`, also in folders, is a `.wasm`; any other file is as it is. A case without a main
    /// module has the one beside the cases.
    ///
    /// # Errors
    /// When a module of the case cannot be read.
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
