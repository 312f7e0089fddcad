//! The files of a case: a small file system with hard links.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hasher};
use std::sync::Arc;

use pymode_dylink::{ClosedSet, ContentHash, FileId, ModuleInfo, Plan, SetFile, normal_path};

/// Paths and contents. Main is at `main.wasm`.
#[derive(Debug, Clone, Default)]
pub struct Files {
    paths: BTreeMap<String, (u64, Arc<[u8]>)>,
    /// Directories in which names without a slash are looked for.
    pub library_path: Vec<String>,
}

/// Path of every case's main module.
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

    /// The names in a directory.
    #[must_use]
    pub fn list(&self, directory: &str) -> Vec<String> {
        let folder = normal(directory);
        let inside = |path: &String| {
            let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
            (parent == folder).then(|| name.to_string())
        };
        self.paths.keys().filter_map(inside).collect()
    }

    /// The content of a file.
    ///
    /// # Errors
    /// When there is no such file.
    pub fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        let file = self.paths.get(&normal(path));
        file.map(|(_, content)| content.to_vec())
            .ok_or_else(|| "there is no such file".to_string())
    }
}

impl Files {
    /// A link plan for main and all files that are side modules, by way of its bytes.
    ///
    /// # Panics
    /// If main cannot be read, or the plan's own bytes cannot.
    #[must_use]
    pub fn plan(&self, has_host: &dyn Fn(&str, &str) -> bool) -> Arc<Plan> {
        self.plan_hashed(has_host, &hash)
    }

    /// The same with another hash.
    ///
    /// # Panics
    /// As there.
    #[must_use]
    pub fn plan_hashed(
        &self,
        has_host: &dyn Fn(&str, &str) -> bool,
        hash: &dyn Fn(&[u8]) -> ContentHash,
    ) -> Arc<Plan> {
        self.plan_for(self, has_host, hash)
    }

    /// The same for files that stand for others: the modules at the same paths in `loaded`.
    ///
    /// # Panics
    /// As there.
    #[must_use]
    pub fn plan_for(
        &self,
        loaded: &Files,
        has_host: &dyn Fn(&str, &str) -> bool,
        hash: &dyn Fn(&[u8]) -> ContentHash,
    ) -> Arc<Plan> {
        let main = self.read(MAIN).expect("a case has a main module");
        let info = ModuleInfo::main_from_bytes(&main).expect("the main module can be read");
        let mut sides: Vec<(u64, SetFile)> = Vec::new();
        for (path, (file, content)) in &self.paths {
            let path_of_guest = format!("/{path}");
            if let Some((_, side)) = sides.iter_mut().find(|(other, _)| other == file) {
                side.aliases.push(path_of_guest);
                continue;
            }
            let code = loaded.paths.get(path).map_or(content, |(_, code)| code);
            if let Ok(info) = ModuleInfo::from_bytes(code) {
                let side = SetFile::new(&path_of_guest, hash(content), info.clone());
                sides.push((*file, side.compiled_from(hash(code), info)));
            }
        }
        let (plan, _) = Plan::for_set(ClosedSet {
            main: SetFile::new(MAIN, hash(&main), info),
            sides: sides.into_iter().map(|(_, side)| side).collect(),
            config: crate::config(self),
            has_host,
            hash,
            remake: "run the case again",
        });
        plan.check().expect("what was written is whole");
        let read = Plan::from_bytes(&plan.to_bytes()).expect("what was written can be read");
        Arc::new(read)
    }
}

/// The hash of a content: the suite's own. Any function that tells its files apart will do.
#[must_use]
pub fn hash(content: &[u8]) -> ContentHash {
    let mut hash = [0; 32];
    for (at, part) in (0u8..).zip(hash.chunks_exact_mut(8)) {
        let mut hasher = DefaultHasher::new();
        hasher.write_u8(at);
        hasher.write(content);
        part.copy_from_slice(&hasher.finish().to_le_bytes());
    }
    ContentHash(hash)
}

/// Resolves `.` and `..`, relative to the root.
fn normal(path: &str) -> String {
    normal_path(path).trim_start_matches('/').to_owned()
}
