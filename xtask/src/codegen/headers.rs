//! Reads the names in libc's headers.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use pymode_toolchain::cc::flags::TARGET;
use pymode_toolchain::zig::Zig;

use crate::error::Error;
use crate::run;

/// Macros that enable the optional parts of libc's headers.
const DEFINED: [&str; 5] = [
    "-D_GNU_SOURCE",
    "-D_WASI_EMULATED_GETPID",
    "-D_WASI_EMULATED_MMAN",
    "-D_WASI_EMULATED_PROCESS_CLOCKS",
    "-D_WASI_EMULATED_SIGNAL",
];

/// Every identifier in the headers after preprocessing, including macro bodies: a macro may name a symbol without a
/// declaration. Headers in `ours` precede libc's, as they do when an extension module is compiled.
pub(super) fn names(
    zig: &Zig,
    ours: &[PathBuf],
    headers: &[String],
) -> Result<BTreeSet<String>, Error> {
    let broken = |path: &Path| {
        let path = path.to_owned();
        move |source| Error::File { path, source }
    };
    let dir = tempfile::tempdir().map_err(broken(&std::env::temp_dir()))?;
    let source = dir.path().join("headers.c");
    let text: String = headers
        .iter()
        .map(|header| format!("#include <{header}>\n"))
        .collect();
    fs::write(&source, text).map_err(broken(&source))?;
    let mut command = zig.command("cc");
    command
        .args(["-target", TARGET, "-E", "-dD"])
        .args(DEFINED)
        .args(
            ours.iter()
                .flat_map(|ours| [OsStr::new("-I"), ours.as_os_str()]),
        )
        .arg(&source);
    let text = run::stdout(command)?;
    // `# 1 "path"` gives the origin of the next lines: words of the path are not names.
    let lines = text.lines().filter(|line| !line.starts_with("# "));
    let letter = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let words = lines.flat_map(|line| line.split(move |other| !letter(other)));
    Ok(words.map(str::to_owned).collect())
}
