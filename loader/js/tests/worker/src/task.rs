//! What is asked of the Worker. Both ends include this file.

use pymode_dylink_conformance::files::Files;
use serde::{Deserialize, Serialize};

/// A case.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Task {
    /// `case.toml`
    pub(crate) script: String,
    /// Whether every engine call is to fail once, instead of none.
    pub(crate) faults: bool,
    /// Paths, which file each is, and contents: skeletons where the file is a side module.
    pub(crate) files: Vec<(String, u64, Vec<u8>)>,
    /// Directories in which names without a slash are looked for.
    pub(crate) library_path: Vec<String>,
    /// The keys of the modules that the case may load.
    pub(crate) keys: Vec<String>,
}

/// What was said meanwhile.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Said {
    /// `error.txt`
    pub(crate) errors: String,
}

impl Task {
    /// The files, as the linker sees them.
    #[allow(dead_code, reason = "only the Worker's end does")]
    pub(crate) fn files(&self) -> Files {
        let mut files = Files::default();
        for (path, file, content) in &self.files {
            files.put(path, *file, content.clone());
        }
        files.library_path.clone_from(&self.library_path);
        files
    }
}
