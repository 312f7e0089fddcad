//! Source trees: unpacked from an untrusted sdist, or copied from a directory.

use std::fs;
use std::path::{Path, PathBuf};

use pymode_toolchain::archive::unpack;
use pymode_toolchain::{CacheError, Key, Sha256Hex};
use walkdir::{DirEntry, WalkDir};

use crate::error::Error;
use crate::name::ProjectName;
use crate::version::Version;

/// Directories of a source tree that builds or tools create.
const MADE: &[&str] = &[
    "build",
    "dist",
    "target",
    "__pycache__",
    "node_modules",
    "venv",
];

/// Maximum number of files of a source tree.
const MOST_FILES: usize = 100_000;

/// Unpacks an sdist into an empty directory. Returns the one directory that it holds.
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

/// The project and the version in an sdist's name, `NAME-VERSION.tar.gz`. Old names have hyphens in either part, so the first
/// hyphen with a version after it divides them.
pub(crate) fn named(file: &str) -> Option<(ProjectName, Version)> {
    let stem = [".tar.gz", ".tgz", ".tar.xz", ".zip"]
        .iter()
        .find_map(|suffix| file.strip_suffix(suffix))?;
    stem.match_indices('-').find_map(|(at, _)| {
        let (name, version) = (&stem[..at], &stem[at + 1..]);
        Some((name.parse().ok()?, version.parse().ok()?))
    })
}

/// The files of a directory by relative path, in order, without hidden and generated ones.
fn files(root: &Path) -> Result<Vec<PathBuf>, Error> {
    let is_source = |entry: &DirEntry| {
        let name = entry.file_name().to_string_lossy();
        let generated = MADE.contains(&&*name) && entry.depth() == 1 || name == "__pycache__";
        !entry.file_type().is_dir()
            || entry.depth() == 0
            || !(generated || name.starts_with('.') || name.ends_with(".egg-info"))
    };
    let mut files = Vec::new();
    for entry in WalkDir::new(root).into_iter().filter_entry(is_source) {
        let entry = entry.map_err(|e| CacheError::io("read", root)(e.into()))?;
        // Follows a link to a file, and leaves out a link to a directory, which may lead anywhere.
        if !entry.path().is_file() {
            continue;
        }
        let file = entry
            .path()
            .strip_prefix(root)
            .expect("the walk begins there");
        files.push(file.to_path_buf());
        if files.len() > MOST_FILES {
            return Err(Error::NotAnSdist {
                path: root.to_path_buf(),
                reason: "it has more than 100000 files",
            });
        }
    }
    files.sort();
    Ok(files)
}

/// The key of a source tree: the path and the contents of each file.
pub(crate) fn tree_key(root: &Path) -> Result<Key, Error> {
    let mut key = Key::new("tree");
    for file in files(root)? {
        let path = root.join(&file);
        let digest = Sha256Hex::of_file(&path).map_err(CacheError::io("read", &path))?;
        key = key.field(&file.to_string_lossy(), digest.as_str());
    }
    Ok(key)
}

/// Copies a source tree, so that a build leaves nothing in it. `only` selects files and directories; empty selects all.
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
        for (file, project, release) in [
            (
                "ruamel.yaml.clib-0.2.12.tar.gz",
                "ruamel-yaml-clib",
                "0.2.12",
            ),
            ("pytest-cov-1.0-rc1.zip", "pytest-cov", "1.0rc1"),
            (
                "a_b-1!2.0.post1.dev3+cpu.tar.gz",
                "a-b",
                "1!2.0.post1.dev3+cpu",
            ),
        ] {
            let (name, version) = named(file).expect(file);
            assert_eq!((name.as_str(), &*version.to_string()), (project, release));
        }
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
