//! What zig brings: its libc's archives and the names in its headers.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use pymode_toolchain::zig::Zig;

use crate::error::Error;
use crate::run;

/// The parts of libc that CPython and side modules are compiled with: the macros that open the headers, and the
/// libraries that hold what is behind them.
const EMULATED: [(&str, &str); 4] = [
    ("_WASI_EMULATED_SIGNAL", "wasi-emulated-signal"),
    ("_WASI_EMULATED_GETPID", "wasi-emulated-getpid"),
    (
        "_WASI_EMULATED_PROCESS_CLOCKS",
        "wasi-emulated-process-clocks",
    ),
    ("_WASI_EMULATED_MMAN", "wasi-emulated-mman"),
];

/// The archives that zig links into a program, in the linker's order: libc, the part of it that is written in Zig, and
/// the compiler's runtime. zig builds them at first use, into its own cache.
pub(crate) fn archives(zig: &Zig) -> Result<Vec<PathBuf>, Error> {
    let dir = tempfile::tempdir().map_err(|source| Error::File {
        path: std::env::temp_dir(),
        source,
    })?;
    let source = dir.path().join("main.c");
    fs::write(&source, "int main(void) { return 0; }\n").map_err(|error| Error::File {
        path: source.clone(),
        source: error,
    })?;
    let mut command = zig.command("cc");
    command
        .args(["-target", "wasm32-wasi"])
        .arg(&source)
        .arg("-o")
        .arg(dir.path().join("main.wasm"));
    command
        .args(EMULATED.map(|(_, library)| format!("-l{library}")))
        .env("ZIG_VERBOSE_LINK", "1");
    let talk = run::stderr(command)?;
    let line = talk
        .lines()
        .rfind(|line| line.starts_with("wasm-ld "))
        .unwrap_or_default();
    let archives: Vec<_> = line
        .split_whitespace()
        .filter(|word| word.ends_with(".a") && !word.ends_with("libubsan_rt.a"))
        .map(PathBuf::from)
        .collect();
    if archives.is_empty() {
        return Err(Error::NoLink {
            zig: zig.exe.clone(),
            talk,
        });
    }
    Ok(archives)
}

/// Every identifier in the headers after the preprocessor, macro bodies included: a macro may name a symbol that no
/// declaration names.
pub(crate) fn names(zig: &Zig, headers: &[String]) -> Result<BTreeSet<String>, Error> {
    let dir = tempfile::tempdir().map_err(|source| Error::File {
        path: std::env::temp_dir(),
        source,
    })?;
    let source = dir.path().join("headers.c");
    let text: String = headers
        .iter()
        .map(|header| format!("#include <{header}>\n"))
        .collect();
    fs::write(&source, text).map_err(|error| Error::File {
        path: source.clone(),
        source: error,
    })?;
    let mut command = zig.command("cc");
    command
        .args(["-target", "wasm32-wasi", "-D_GNU_SOURCE", "-E", "-dD"])
        .arg(&source);
    command.args(EMULATED.map(|(define, _)| format!("-D{define}")));
    let text = run::stdout(command)?;
    let words = text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
    Ok(words
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect())
}
