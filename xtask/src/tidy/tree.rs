//! The files of the checkout that git tracks or would add.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::error::Error;
use crate::run;

/// A text file.
#[derive(Debug, Clone)]
pub(super) struct File {
    /// Path from the root, with `/`.
    pub(super) path: String,
    pub(super) text: String,
}

impl File {
    #[cfg(test)]
    pub(super) fn new(path: &str, text: &str) -> Self {
        Self {
            path: path.to_owned(),
            text: text.to_owned(),
        }
    }

    pub(super) fn has_extension(&self, extensions: &[&str]) -> bool {
        self.path
            .rsplit_once('.')
            .is_some_and(|(_, extension)| extensions.contains(&extension))
    }

    pub(super) fn is_under(&self, folder: &str) -> bool {
        self.path
            .strip_prefix(folder)
            .is_some_and(|rest| rest.starts_with('/'))
    }

    pub(super) fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }

    /// Lines with their numbers, from 1.
    pub(super) fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text
            .lines()
            .enumerate()
            .map(|(at, line)| (at + 1, line))
    }
}

/// All text files, in order of path.
#[derive(Debug, Clone)]
pub(super) struct Tree(pub(super) Vec<File>);

impl Tree {
    pub(super) fn read(root: &Path) -> Result<Self, Error> {
        let mut git = Command::new("git");
        git.current_dir(root).args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
            "--deduplicate",
        ]);
        let mut files = Vec::new();
        for path in run::stdout(git)?
            .split('\0')
            .filter(|path| !path.is_empty())
        {
            let file = root.join(path);
            // The index still lists a deleted file before the commit.
            if !file.is_file() {
                continue;
            }
            let bytes = fs::read(&file).map_err(|source| Error::File { path: file, source })?;
            if let Ok(text) = String::from_utf8(bytes) {
                files.push(File {
                    path: path.to_owned(),
                    text,
                });
            }
        }
        Ok(Self(files))
    }

    pub(super) fn get(&self, path: &str) -> Option<&File> {
        self.0.iter().find(|file| file.path == path)
    }
}
