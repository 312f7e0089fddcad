//! Runs other programs.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use pymode_toolchain::rust;

use crate::error::Error;

/// The cargo that runs this task.
pub(crate) fn cargo() -> Command {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")));
    if env::var_os(rust::SOURCE).is_none()
        && let Some(source) = rust_source()
    {
        cargo.env(rust::SOURCE, source);
    }
    cargo
}

/// The source of Rust's standard library, if it lies beside the checkout: machines without a network cannot install the
/// targets for WebAssembly.
fn rust_source() -> Option<PathBuf> {
    let mut rustc = Command::new("rustc");
    rustc.args(["--version"]);
    let answer = stdout(rustc).ok()?;
    let version = answer.split_whitespace().nth(1)?;
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).parent()?;
    let folder = checkout.parent()?.join("shared/facts");
    let source = folder.join(format!("rust-library-{version}.tar.xz"));
    source.is_file().then_some(source)
}

/// Builds the `pymode` command of this checkout.
pub(crate) fn build_pymode(root: &Path) -> Result<(), Error> {
    let mut build = cargo();
    build
        .current_dir(root)
        .args(["build", "--release", "-p", "pymode"]);
    stdout(build).map(drop)
}

/// The program's standard output.
pub(crate) fn stdout(command: Command) -> Result<String, Error> {
    output(command).map(|output| String::from_utf8_lossy(&output.stdout).into_owned())
}

fn output(mut command: Command) -> Result<Output, Error> {
    let line = show(&command);
    let output = command.output().map_err(|source| Error::Start {
        command: line.clone(),
        source,
    })?;
    if output.status.success() {
        return Ok(output);
    }
    let stderr = String::from_utf8_lossy(&output.stderr)
        .trim_end()
        .to_owned();
    Err(Error::Command {
        command: line,
        status: output.status,
        stderr,
    })
}

/// The command as typed in a shell.
pub(crate) fn show(command: &Command) -> String {
    let program = Path::new(command.get_program())
        .file_name()
        .unwrap_or(command.get_program());
    let words = std::iter::once(program).chain(command.get_args());
    words
        .map(|word| word.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}
