//! The files of a case: a small file system with hard links.

use std::collections::BTreeMap;
use std::sync::Arc;

use pymode_dylink::FileId;

/// Paths and contents. Main is at `main.wasm`.
#[derive(Debug, Clone, Default)]
pub struct Files {
    paths: BTreeMap<String, (u64, Arc<[u8]>)>,
    /// Directories in which names without a slash are looked for.
    pub library_path: Vec<String>,
}

/// Where every case has its main module.
pub const MAIN: &str = "main.wasm";

impl Files {
    /// Adds a file.
    pub fn add(&mut self, path: &str, content: Vec<u8>) {
        let id = self.paths.len() as u64 + 1;
        self.paths.insert(normal(path), (id, content.into()));
    }

    /// Adds a file by its number: two paths with one number are one file.
    pub fn put(&mut self, path: &str, file: u64, content: Vec<u8>) {
        self.paths.insert(normal(path), (file, content.into()));
    }

    /// Gives a file a second name.
    ///
    /// # Panics
    /// If there is no file `of`.
    pub fn link(&mut self, path: &str, of: &str) {
        let file = self.paths.get(&normal(of)).expect("a link leads to a file");
        self.paths.insert(normal(path), file.clone());
    }

    /// All paths, in order.
    pub fn paths(&self) -> impl Iterator<Item = String> {
        self.paths.keys().cloned()
    }

    /// Path, number and content of each file, in the order of the paths.
    pub fn entries(&self) -> impl Iterator<Item = (&str, u64, &[u8])> {
        let paths = self.paths.iter();
        paths.map(|(path, (file, content))| (path.as_str(), *file, &**content))
    }

    /// Which file a path leads to.
    #[must_use]
    pub fn identify(&self, path: &str) -> Option<FileId> {
        let (file, _) = self.paths.get(&normal(path))?;
        Some(FileId {
            volume: 0,
            file: *file,
        })
    }

    /// The content of a file.
    pub fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        let file = self.paths.get(&normal(path));
        file.map(|(_, content)| content.to_vec())
            .ok_or_else(|| "there is no such file".to_string())
    }
}

/// Resolves `.` and `..`.
fn normal(path: &str) -> String {
    let mut parts = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}
