//! Guesses how to run the tests of a package without a recipe, from its sdist.

use std::fs;
use std::path::Path;

use pymode_toolchain::CacheError;
use toml::{Table, Value};

use crate::error::Error;
use crate::recipe::TestRecipe;
use crate::skips::Skips;

/// Usual directories of tests. The first that exists counts.
const PLACES: &[&str] = &["tests", "test", "testing", "Tests"];

/// Configuration files of pytest besides `pyproject.toml`. They are copied beside the tests.
const CONFIGURATION: &[&str] = &[
    "pytest.ini",
    "tox.ini",
    "setup.cfg",
    "pyproject.toml",
    "conftest.py",
];

/// Usual names for the list of test requirements.
const GROUPS: &[&str] = &["test", "tests", "testing"];

/// Development tools that tests run without. Many of them only run natively.
const TOOLS: &[&str] = &[
    "black",
    "build",
    "codecov",
    "coverage",
    "cython",
    "flake8",
    "isort",
    "mypy",
    "nox",
    "pre-commit",
    "pylint",
    "pytest-benchmark",
    "pytest-codspeed",
    "pytest-cov",
    "pytest-xdist",
    "ruff",
    "setuptools",
    "tox",
    "twine",
    "wheel",
];

/// The test runner, in the version that recipes name.
const PYTEST: &str = "pytest==9.0.1";

/// Arguments of pytest. A project's own options often need plugins for coverage or parallel runs.
const RUN_PYTEST: [&str; 5] = [
    "-m",
    "pytest",
    "-o",
    "addopts=",
    "--continue-on-collection-errors",
];

/// Missing modules of the standard library: a test that uses one is skipped, the rest of its file runs.
const ABSENT: &[&str] = &["ctypes", "curses", "mmap", "readline", "ssl"];

/// Skips of a suite that nobody has reviewed.
pub(super) fn skips() -> Skips {
    let skip = |module: &&str| {
        let why = format!("needs the standard library's {module}, which is missing");
        (format!("import {module}"), why)
    };
    ABSENT.iter().map(skip).collect()
}

/// Guessed test settings, and their source.
#[derive(Debug)]
pub(super) struct Guess {
    pub(super) test: TestRecipe,
    /// Source of the guess.
    pub(super) source: String,
}

impl Guess {
    /// Inspects a source tree. `None` if it has no tests in the usual places.
    pub(super) fn of(tree: &Path) -> Result<Option<Self>, Error> {
        let pyproject = read(tree, "pyproject.toml")?.and_then(|text| text.parse::<Table>().ok());
        let settings = pyproject
            .as_ref()
            .and_then(|table| at(table, &["tool", "pytest"]));
        let options = settings.and_then(Value::as_table).map(|table| {
            let inner = table.get("ini_options").and_then(Value::as_table);
            inner.unwrap_or(table)
        });
        let mut paths: Vec<String> = options
            .map(|options| texts(options.get("testpaths")))
            .unwrap_or_default();
        // Ignores a path outside the sdist or without a directory.
        paths.retain(|path| is_inside(path) && tree.join(path).exists());
        let mut source = "`pyproject.toml` says".to_owned();
        if paths.is_empty() {
            let Some(place) = PLACES.iter().find(|place| tree.join(place).is_dir()) else {
                return Ok(None);
            };
            paths = vec![(*place).to_owned()];
            source = format!("`{place}` is there");
        }
        let configured = options.is_some() || has_section(tree)?;
        let by_pytest = configured || wants_pytest(tree, &paths)?;
        let configuration = CONFIGURATION
            .iter()
            .filter(|file| tree.join(file).is_file());
        let from = paths
            .iter()
            .cloned()
            .chain(configuration.map(|file| (*file).to_owned()));
        let mut requires = pyproject.as_ref().map(required).unwrap_or_default();
        let run: Vec<String> = if by_pytest {
            if !requires
                .iter()
                .any(|requirement| name(requirement) == "pytest")
            {
                requires.push(PYTEST.to_owned());
            }
            let words = RUN_PYTEST.map(str::to_owned);
            words.into_iter().chain(paths.iter().cloned()).collect()
        } else {
            ["-m", "unittest", "discover", "-s", &paths[0]]
                .map(str::to_owned)
                .into()
        };
        let test = TestRecipe {
            requires,
            from: from.collect(),
            run,
            ..TestRecipe::default()
        };
        Ok(Some(Self { test, source }))
    }

    /// Inspects the installed modules: many packages contain their tests.
    pub(super) fn among<'m>(files: impl IntoIterator<Item = &'m str>) -> Option<Self> {
        let mut packages: Vec<&str> = files.into_iter().filter_map(tested_package).collect();
        packages.sort_unstable();
        packages.dedup();
        let test = TestRecipe {
            requires: vec![PYTEST.to_owned()],
            run: RUN_PYTEST
                .iter()
                .chain(&["--pyargs"])
                .chain(&packages)
                .map(|word| (*word).to_owned())
                .collect(),
            ..TestRecipe::default()
        };
        (!packages.is_empty()).then(|| Self {
            test,
            source: "the package holds its tests".to_owned(),
        })
    }
}

/// The top-level package that a file tests, if it is a test: `a/tests/x.py`, `a/b/test_x.py`.
fn tested_package(file: &str) -> Option<&str> {
    let (package, below) = file.split_once('/')?;
    let (dirs, name) = below.rsplit_once('/').unwrap_or(("", below));
    let in_tests = dirs.split('/').any(|dir| PLACES.contains(&dir));
    let is_test =
        name.ends_with(".py") && (name.starts_with("test_") || in_tests && name != "__init__.py");
    let is_package = !package.contains(['.', '-']);
    (is_test && is_package).then_some(package)
}

/// The project's test requirements, without the tools.
fn required(pyproject: &Table) -> Vec<String> {
    let of = |path: &[&str]| {
        let table = at(pyproject, path).and_then(Value::as_table);
        GROUPS.iter().find_map(|group| table?.get(*group))
    };
    let group = of(&["project", "optional-dependencies"]).or_else(|| of(&["dependency-groups"]));
    let mut requires = texts(group);
    requires.retain(|requirement| !TOOLS.contains(&name(requirement).as_str()));
    requires
}

/// The project's name in a requirement.
fn name(requirement: &str) -> String {
    let end = requirement.find(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c)));
    let name = &requirement[..end.unwrap_or(requirement.len())];
    name.to_ascii_lowercase().replace(['_', '.'], "-")
}

/// Returns `true` if a configuration file has a section for pytest.
fn has_section(tree: &Path) -> Result<bool, Error> {
    for (file, section) in [
        ("pytest.ini", "[pytest]"),
        ("tox.ini", "[pytest]"),
        ("setup.cfg", "[tool:pytest]"),
    ] {
        if read(tree, file)?.is_some_and(|text| text.lines().any(|line| line.trim() == section)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Returns `true` if tests need pytest: one has `import pytest`, or is written as functions.
fn wants_pytest(tree: &Path, paths: &[String]) -> Result<bool, Error> {
    let mut uses_unittest = false;
    for path in paths {
        let dir = tree.join(path);
        if !dir.is_dir() {
            continue;
        }
        for entry in fs::read_dir(&dir).map_err(CacheError::io("read", &dir))? {
            let file = entry.map_err(CacheError::io("read", &dir))?.path();
            let text = match file.extension() {
                Some(suffix) if suffix == "py" => fs::read(&file).unwrap_or_default(),
                _ => continue,
            };
            let text = String::from_utf8_lossy(&text);
            if text.contains("import pytest") || text.contains("from pytest") {
                return Ok(true);
            }
            uses_unittest |= text.contains("unittest");
        }
    }
    Ok(!uses_unittest)
}

fn read(tree: &Path, file: &str) -> Result<Option<String>, Error> {
    let path = tree.join(file);
    match fs::read(&path) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(CacheError::io("read", &path)(e).into()),
    }
}

fn at<'t>(table: &'t Table, path: &[&str]) -> Option<&'t Value> {
    let (first, rest) = path.split_first()?;
    let value = table.get(*first)?;
    match rest {
        [] => Some(value),
        rest => at(value.as_table()?, rest),
    }
}

/// A text, or the texts of a list.
fn texts(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::String(text)) => text.split_whitespace().map(str::to_owned).collect(),
        Some(Value::Array(list)) => list
            .iter()
            .filter_map(|item| item.as_str().map(str::to_owned))
            .collect(),
        _ => Vec::new(),
    }
}

fn is_inside(path: &str) -> bool {
    !path.starts_with('/') && path.split('/').all(|part| !matches!(part, "" | "." | ".."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guess(files: &[(&str, &str)]) -> Option<Guess> {
        let dir = tempfile::tempdir().expect("a directory");
        for (name, text) in files {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().expect("a parent")).expect("made");
            fs::write(path, text).expect("written");
        }
        Guess::of(dir.path()).expect("it can be read")
    }

    #[test]
    fn what_the_project_says_counts() {
        let text = "[tool.pytest.ini_options]\ntestpaths = ['check', '../out']\naddopts = '--cov'\n
            [project.optional-dependencies]\ntest = ['pytest>=8', 'hypothesis', 'pytest_cov']";
        let found = guess(&[
            ("pyproject.toml", text),
            ("check/test_a.py", ""),
            ("tests/x.py", ""),
        ])
        .expect("tests");
        assert_eq!(
            found.test.run,
            [
                "-m",
                "pytest",
                "-o",
                "addopts=",
                "--continue-on-collection-errors",
                "check"
            ]
        );
        assert_eq!(found.test.requires, ["pytest>=8", "hypothesis"]);
        assert_eq!(found.test.from, ["check", "pyproject.toml"]);
        let groups = "[dependency-groups]\ntests = ['attrs', {include-group = 'x'}]";
        let found = guess(&[
            ("pyproject.toml", groups),
            ("tests/test_a.py", "import pytest"),
        ])
        .expect("tests");
        assert_eq!(found.test.requires, ["attrs", PYTEST]);
    }

    #[test]
    fn what_is_there_tells_the_rest() {
        let found = guess(&[("test/test_a.py", "import unittest")]).expect("tests");
        assert_eq!(found.test.run, ["-m", "unittest", "discover", "-s", "test"]);
        assert!(
            found.test.requires.is_empty() && found.source.contains("`test` is there"),
            "{found:?}"
        );
        let found = guess(&[("tests/test_a.py", "def test_a(): pass")]).expect("tests");
        assert_eq!(found.test.requires, [PYTEST]);
        let found = guess(&[
            ("setup.cfg", "[tool:pytest]\n"),
            ("tests/test_a.py", "unittest"),
        ])
        .expect("tests");
        assert_eq!(found.test.run[1], "pytest");
        assert!(guess(&[("setup.py", "")]).is_none());
    }

    #[test]
    fn a_package_may_hold_its_tests() {
        let files = [
            "a/__init__.py",
            "a/b/tests/x.py",
            "a/test_a.py",
            "b/test.py",
            "c-1.dist-info/test_x.py",
            "test_top.py",
        ];
        let found = Guess::among(files).expect("tests");
        assert_eq!(
            found.test.run,
            [
                "-m",
                "pytest",
                "-o",
                "addopts=",
                "--continue-on-collection-errors",
                "--pyargs",
                "a"
            ]
        );
        assert!(Guess::among(["a/tests/__init__.py", "a/contest.py"]).is_none());
    }
}
