//! Selects the files of packages for a Worker.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::Path;

use pymode_toolchain::CacheError;

/// Selection of a tree's files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// All files that are not specific to this machine.
    All,
    /// No tests, and no files for compilers and type checkers.
    ToRun,
}

/// Copies the selected files. Links are followed, because their targets may be outside of the guest's files.
pub(crate) fn copy(from: &Path, to: &Path, wanted: Wanted) -> Result<(), CacheError> {
    fs::create_dir_all(to).map_err(CacheError::io("create", to))?;
    copy_directory(from, to, wanted, false)
}

fn copy_directory(from: &Path, to: &Path, wanted: Wanted, tests: bool) -> Result<(), CacheError> {
    let create = |dir: &Path| fs::create_dir_all(dir).map_err(CacheError::io("create", dir));
    // An empty directory would be importable as a namespace package.
    if wanted == Wanted::All {
        create(to)?;
    }
    let entries = fs::read_dir(from).and_then(Iterator::collect::<io::Result<Vec<_>>>);
    for entry in entries.map_err(CacheError::io("list", from))? {
        let name = entry.file_name();
        let (source, target) = (entry.path(), to.join(&name));
        if is_of_this_machine(&name) {
            continue;
        }
        if source.is_dir() {
            copy_directory(&source, &target, wanted, tests || name == "tests")?;
        } else if wanted == Wanted::All || is_to_run(&name, tests) {
            create(to)?;
            fs::copy(&source, &target).map_err(CacheError::io("copy", &source))?;
        }
    }
    Ok(())
}

/// Files of this machine: bytecode of another Python, and hidden files.
fn is_of_this_machine(name: &OsStr) -> bool {
    name == "__pycache__" || name.as_encoded_bytes().starts_with(b".")
}

/// Returns `true` if a running program may need a file; `tests` is `true` inside a directory `tests`, at any depth.
///
/// Keeps other files of such a directory: some packages import a module from it that is not a test. And a package
/// may read its `__init__.pyi` when it is imported, to know what it loads later.
fn is_to_run(name: &OsStr, tests: bool) -> bool {
    let Some(name) = name.to_str() else {
        return true;
    };
    let (stem, extension) = name.rsplit_once('.').unwrap_or((name, ""));
    match extension {
        "a" | "h" | "hpp" | "pxd" | "pxi" | "pyx" => false,
        "pyi" => stem == "__init__",
        "py" => !(tests && is_test(stem)),
        "wasm" | "so" => true,
        _ => !tests,
    }
}

/// Matches the files that pytest collects.
fn is_test(stem: &str) -> bool {
    stem == "conftest" || stem.starts_with("test_") || stem.ends_with("_test")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(wanted: Wanted) -> Vec<String> {
        let dir = tempfile::tempdir().expect("a folder");
        let (from, to) = (dir.path().join("from"), dir.path().join("to"));
        for path in [
            "thing/__init__.py",
            "thing/__init__.pyi",
            "thing/core.pyi",
            "thing/core.cpython-313-wasm32-pymode1.wasm",
            "thing/include/thing.h",
            "thing/lib/libthing.a",
            "thing/test_data.json",
            "thing/test_api.py",
            "thing/tests/__init__.py",
            "thing/tests/conftest.py",
            "thing/tests/test_core.py",
            "thing/tests/util.py",
            "thing/tests/data/large.bin",
            "thing/__pycache__/core.cpython-313.pyc",
            "thing-1.dist-info/METADATA",
        ] {
            let path = from.join(path);
            fs::create_dir_all(path.parent().expect("it is in a folder")).expect("a folder");
            fs::write(path, "").expect("a file");
        }
        copy(&from, &to, wanted).expect("it can be copied");
        let mut found = Vec::new();
        list(&to, &to, &mut found);
        found.sort();
        found
    }

    fn list(root: &Path, dir: &Path, found: &mut Vec<String>) {
        for entry in fs::read_dir(dir).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                list(root, &path, found);
            } else {
                let path = path.strip_prefix(root).expect("it lies below");
                found.push(path.to_str().expect("UTF-8").to_owned());
            }
        }
    }

    /// A module outside of `tests` may have a test's name, and a package may import one inside.
    #[test]
    fn tests_and_what_compilers_read_stay_behind() {
        assert_eq!(
            files(Wanted::ToRun),
            [
                "thing-1.dist-info/METADATA",
                "thing/__init__.py",
                "thing/__init__.pyi",
                "thing/core.cpython-313-wasm32-pymode1.wasm",
                "thing/test_api.py",
                "thing/test_data.json",
                "thing/tests/__init__.py",
                "thing/tests/util.py",
            ]
        );
    }

    #[test]
    fn a_directory_of_which_nothing_stays_goes() {
        let dir = tempfile::tempdir().expect("a folder");
        let (from, to) = (dir.path().join("from"), dir.path().join("to"));
        fs::create_dir_all(from.join("thing/tests/data")).expect("a folder");
        fs::create_dir_all(from.join("thing/empty")).expect("a folder");
        for name in [
            "thing/__init__.py",
            "thing/tests/test_core.py",
            "thing/tests/data/large.bin",
        ] {
            fs::write(from.join(name), "").expect("a file");
        }
        copy(&from, &to, Wanted::ToRun).expect("it can be copied");
        assert!(to.join("thing/__init__.py").is_file());
        assert!(!to.join("thing/tests").exists() && !to.join("thing/empty").exists());
        let all = dir.path().join("all");
        copy(&from, &all, Wanted::All).expect("it can be copied");
        assert!(
            all.join("thing/empty").is_dir() && all.join("thing/tests/data/large.bin").is_file()
        );
    }

    #[test]
    fn all_is_all_but_what_is_of_this_machine() {
        let found = files(Wanted::All);
        assert_eq!(found.len(), 14, "{found:?}");
    }
}
