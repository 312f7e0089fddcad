//! Source trees: from an sdist, which nobody has checked, or from a directory, which stays as it is.

use std::fs;
use std::path::{Path, PathBuf};

use pymode_toolchain::archive::unpack;
use pymode_toolchain::{CacheError, Key, Sha256Hex};

use crate::error::Error;
use crate::spec::{ProjectName, Version};

/// Directories of a source tree that are made by building or by tools, and are no source.
const MADE: &[&str] = &[
    "build",
    "dist",
    "target",
    "__pycache__",
    "node_modules",
    "venv",
];

/// The most files of a source tree.
const MOST_FILES: usize = 100_000;

/// Unpacks an sdist into an empty directory; gives the one directory that it holds.
pub(crate) fn unpack_sdist(archive: &Path, into: &Path) -> Result<PathBuf, Error> {
    let not_one = |reason| Error::NotAnSdist {
        path: archive.to_path_buf(),
        reason,
    };
    unpack(archive, into)?;
    let mut dirs = Vec::new();
    for entry in fs::read_dir(into).map_err(CacheError::io("read", into))? {
        let entry = entry.map_err(CacheError::io("read", into))?;
        if entry.path().is_dir() {
            dirs.push(entry.path());
        }
    }
    match dirs.as_slice() {
        [dir] if dir.join("pyproject.toml").is_file() || dir.join("setup.py").is_file() => {
            Ok(dir.clone())
        }
        [_] => Err(not_one("it has neither `pyproject.toml` nor `setup.py`")),
        _ => Err(not_one("it does not hold exactly one directory")),
    }
}

/// The project and version that an sdist's name tells: `NAME-VERSION.tar.gz`.
pub(crate) fn named(file: &str) -> Option<(ProjectName, Version)> {
    let stem = [".tar.gz", ".tgz", ".tar.xz", ".zip"]
        .iter()
        .find_map(|suffix| file.strip_suffix(suffix))?;
    let (name, version) = stem.rsplit_once('-')?;
    Some((name.parse().ok()?, version.parse().ok()?))
}

/// A directory's files, by path below it, in order; without what is hidden or made.
fn files(root: &Path) -> Result<Vec<PathBuf>, Error> {
    let mut found = Vec::new();
    let mut left = vec![PathBuf::new()];
    while let Some(dir) = left.pop() {
        let path = root.join(&dir);
        for entry in fs::read_dir(&path).map_err(CacheError::io("read", &path))? {
            let entry = entry.map_err(CacheError::io("read", &path))?;
            let name = entry.file_name();
            let text = name.to_string_lossy();
            let kind = entry.file_type().map_err(CacheError::io("read", &path))?;
            let below = dir.join(&name);
            if kind.is_dir() {
                let made =
                    MADE.contains(&&*text) && dir.as_os_str().is_empty() || text == "__pycache__";
                if !made && !text.starts_with('.') && !text.ends_with(".egg-info") {
                    left.push(below);
                }
            } else if root.join(&below).is_file() {
                found.push(below);
            }
            if found.len() > MOST_FILES {
                return Err(Error::NotAnSdist {
                    path: root.to_path_buf(),
                    reason: "it has more than 100000 files",
                });
            }
        }
    }
    found.sort();
    Ok(found)
}

/// What a source tree's build depends on: each file's path and contents.
pub(crate) fn tree_key(root: &Path) -> Result<Key, Error> {
    let mut key = Key::new("tree");
    for file in files(root)? {
        let path = root.join(&file);
        let digest = Sha256Hex::of_file(&path).map_err(CacheError::io("read", &path))?;
        key = key.field(&file.to_string_lossy(), digest.as_str());
    }
    Ok(key)
}

/// Copies a source tree, so that building leaves nothing in it. `only` names files and directories below it; empty is all.
pub(crate) fn copy_tree(root: &Path, into: &Path, only: &[String]) -> Result<(), Error> {
    for file in files(root)? {
        if !only.is_empty() && !only.iter().any(|wanted| file.starts_with(wanted)) {
            continue;
        }
        let (from, to) = (root.join(&file), into.join(&file));
        if let Some(parent) = to.parent() {
            fs::create_dir_all(parent).map_err(CacheError::io("create", parent))?;
        }
        fs::copy(&from, &to).map_err(CacheError::io("copy", &from))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_sdist_is_named_after_its_project() {
        let (name, version) = named("ruamel.yaml.clib-0.2.12.tar.gz").expect("a name");
        assert_eq!(
            (name.as_str(), version.as_str()),
            ("ruamel-yaml-clib", "0.2.12")
        );
        assert!(named("archive.tar.gz").is_none());
    }

    #[test]
    fn a_tree_is_known_by_its_contents_and_not_by_what_was_built_in_it() {
        let dir = tempfile::tempdir().expect("a directory");
        let write = |path: &str, text: &str| {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().expect("a parent")).expect("made");
            fs::write(path, text).expect("written");
        };
        let key = || tree_key(dir.path()).expect("read").hex();
        write("setup.py", "1");
        write("pkg/build/a.py", "2");
        let first = key();
        write("build/lib/a.o", "3");
        write(".git/index", "4");
        write("pkg/__pycache__/a.pyc", "5");
        assert_eq!(key(), first);
        write("pkg/build/a.py", "6");
        assert_ne!(key(), first);
        let copy = tempfile::tempdir().expect("a directory");
        copy_tree(dir.path(), copy.path(), &[]).expect("copied");
        assert!(
            copy.path().join("pkg/build/a.py").is_file() && !copy.path().join("build").exists()
        );
    }
}
