//! Wheels of tools where pip is missing, has no network, or offers something else.

use std::fs;
use std::path::PathBuf;

use pymode_toolchain::pypi::{HostPython, PinnedWheel};
use pymode_toolchain::{Cache, Reporter};

const TOOL: PinnedWheel = PinnedWheel {
    name: "tool",
    version: "1.0",
    sha256: &["ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"],
};

/// A program that stands for Python, made of a shell script.
struct Fake {
    dir: tempfile::TempDir,
    python: HostPython,
}

impl Fake {
    fn new(script: &str) -> Self {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("python");
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("executable");
        Self {
            python: HostPython::at(&path.to_string_lossy()),
            dir,
        }
    }

    fn offers(url: &str, sha256: &str) -> Self {
        let info = format!(
            r#"{{"url": "{url}", "archive_info": {{"hashes": {{"sha256": "{sha256}"}}}}}}"#
        );
        Self::new(&format!(
            r#"echo '{{"install": [{{"download_info": {info}}}]}}'"#
        ))
    }

    fn fetch(&self) -> Result<PathBuf, String> {
        let cache = Cache::at(&self.dir.path().join("cache")).expect("a cache");
        TOOL.fetch_with(&self.python, &cache, &Reporter::quiet())
            .map_err(|e| e.to_string())
    }
}

fn contains(result: Result<PathBuf, String>, wanted: &[&str]) {
    let error = result.expect_err("not available");
    for wanted in wanted {
        assert!(error.contains(wanted), "`{wanted}` is not in:\n{error}");
    }
}

#[test]
fn without_python_or_pip_the_error_says_what_to_install() {
    let dir = tempfile::tempdir().expect("a directory");
    let cache = Cache::at(dir.path()).expect("a cache");
    let none = HostPython::at("pymode-no-such-python");
    let error = TOOL
        .fetch_with(&none, &cache, &Reporter::quiet())
        .map_err(|e| e.to_string());
    contains(
        error,
        &["`pymode-no-such-python`", "hint: install Python 3 with pip"],
    );
    contains(
        Fake::new("echo 'python: No module named pip' >&2; exit 1").fetch(),
        &["`tool==1.0`", "has no pip", "hint: install it"],
    );
}

#[test]
fn what_pip_says_is_shown() {
    contains(
        Fake::new("echo 'ERROR: Could not find a version that satisfies tool==1.0' >&2; exit 1")
            .fetch(),
        &[
            "Could not find a version",
            "hint: check the network connection",
        ],
    );
    contains(
        Fake::new("echo 'not JSON'").fetch(),
        &["could not get `tool==1.0`"],
    );
}

#[test]
fn only_a_pinned_wheel_is_taken() {
    let other = "0".repeat(64);
    contains(
        Fake::offers("http://127.0.0.1:1/tool-1.0.whl", &other).fetch(),
        &["`tool-1.0.whl`", "not one of the pinned"],
    );
    for name in ["..", "%2e%2e/x y", ".hidden", ""] {
        let fake = Fake::offers(&format!("http://127.0.0.1:1/{name}"), TOOL.sha256[0]);
        contains(fake.fetch(), &["not one of the pinned"]);
    }
    // Pinned, but no server listens there.
    let fake = Fake::offers(
        "http://127.0.0.1:1/tool-1.0-py3-none-any.whl",
        TOOL.sha256[0],
    );
    contains(
        fake.fetch(),
        &[
            "could not download `tool-1.0-py3-none-any.whl`",
            "hint: check the network connection",
        ],
    );
}

#[test]
fn a_local_wheel_is_checked_like_any_other() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("tool-1.0-py3-none-any.whl");
    fs::write(&path, "abc").expect("written");
    let fake = Fake::offers(&format!("file://{}", path.display()), TOOL.sha256[0]);
    assert_eq!(fake.fetch().expect("sha256 of abc"), path);
    fs::write(&path, "abd").expect("written");
    contains(fake.fetch(), &["not one of the pinned"]);
}
