//! Our own C: CPython's hook for the loader, `main`, the entry points of a persistent interpreter, and functions that libc lacks.

use std::path::{Path, PathBuf};

use pymode_toolchain::Key;

use crate::error::Error;
use crate::files::write;

/// A C file that is compiled into this program as text, so that an installed `pymode` needs no checkout.
struct Text {
    path: &'static str,
    text: &'static str,
}

macro_rules! text {
    ($from:literal, $path:literal) => {
        Text {
            path: $path,
            text: include_str!(concat!("../", $from, $path)),
        }
    };
}

/// CPython's Makefile compiles it, by its `DYNLOADFILE` hook.
const DYNLOAD: Text = text!("../", "dynload_pymode.c");

/// Headers that configure, the objects below, CPython, and its modules see before libc's.
const HEADERS: &[Text] = &[
    text!("runtime/include/", "arpa/inet.h"),
    text!("runtime/include/", "fcntl.h"),
    text!("runtime/include/", "sys/socket.h"),
    text!("runtime/include/", "sys/stat.h"),
    text!("../toolchain/src/process/include/", "time.h"),
    text!("runtime/include/", "unistd.h"),
];

/// Comes before the headers of the eval loop.
const PREEMPT: Text = text!("runtime/include/", "pymode_preempt.h");

/// The host's functions. Configure asks for none of them, and need not run again when there is a new one.
const CONTRACT: Text = text!("../abi/include/", "pymode.h");

/// Headers that the objects share.
const OWN_HEADERS: &[Text] = &[text!("runtime/", "runtime.h")];

/// Linked first, so that they come before libc's own.
const OBJECTS: &[Text] = &[
    text!("runtime/", "absent.c"),
    text!("runtime/", "descriptor.c"),
    text!("runtime/", "fcntl.c"),
    text!("runtime/", "main.c"),
    text!("runtime/", "module.c"),
    text!("runtime/", "netdb.c"),
    text!("runtime/", "recursion.c"),
    text!("runtime/", "serve.c"),
    text!("runtime/", "socket.c"),
    text!("runtime/", "start.c"),
    text!("runtime/", "threads.c"),
    text!("runtime/", "user.c"),
];

/// Compiled into the side module `_sqlite3`: includes SQLite's own source.
const SQLITE: Text = text!("runtime/", "sqlite.c");

/// Writes CPython's hook for the loader where its Makefile looks for it, below `Python/`.
pub(crate) fn write_dynload(build: &Path) -> Result<(), Error> {
    write(&build.join("Python").join(DYNLOAD.path), DYNLOAD.text)
}

/// Writes the header of the eval loop, and has its object compiled with it: the rest of a makefile that is read after CPython's.
pub(crate) fn write_preempt(build: &Path) -> Result<PathBuf, Error> {
    let header = build.join(PREEMPT.path);
    write(&header, PREEMPT.text)?;
    let rules = build.join("preempt.mk");
    let text = format!(
        "Python/ceval.o: PY_CORE_CFLAGS += -include {}\n",
        header.display()
    );
    write(&rules, text)?;
    Ok(rules)
}

/// Key of what [`write_preempt`] writes.
pub(crate) fn preempt_key() -> Key {
    key("preempt", &[PREEMPT])
}

/// Writes the headers below a directory.
pub(crate) fn write_headers(include: &Path) -> Result<(), Error> {
    HEADERS
        .iter()
        .try_for_each(|header| write(&include.join(header.path), header.text))
}

/// The names of the objects, in the order of the sources.
pub(crate) fn object_names() -> Vec<String> {
    OBJECTS
        .iter()
        .map(|object| object.path.replace(".c", ".o"))
        .collect()
}

/// Writes the sources into a directory and returns their paths.
pub(crate) fn write_sources(dir: &Path) -> Result<Vec<PathBuf>, Error> {
    for header in OWN_HEADERS {
        write(&dir.join(header.path), header.text)?;
    }
    OBJECTS
        .iter()
        .map(|object| {
            let path = dir.join(object.path);
            write(&path, object.text)?;
            Ok(path)
        })
        .collect()
}

/// Writes the header of the host's functions below a directory.
pub(crate) fn write_contract(include: &Path) -> Result<(), Error> {
    write(&include.join(CONTRACT.path), CONTRACT.text)
}

/// Writes the source that stands for SQLite into a directory.
pub(crate) fn write_sqlite(dir: &Path) -> Result<(), Error> {
    write(&dir.join(SQLITE.path), SQLITE.text)
}

/// Key of what [`write_sqlite`] writes.
pub(crate) fn sqlite_key() -> Key {
    key("sqlite", &[SQLITE])
}

/// Key of the headers.
pub(crate) fn headers_key() -> Key {
    key("headers", HEADERS)
}

/// Key of the hook for the loader, and of the host functions that it calls. The others may change without compiling CPython
/// again.
pub(crate) fn dynload_key() -> Key {
    pymode_abi::IMPORTS
        .iter()
        .filter(|import| import.name.starts_with("dl_"))
        .fold(key("dynload", &[DYNLOAD]), |key, import| {
            key.field(import.name, import.signature.to_string())
        })
}

/// Key of the header of the host's functions.
pub(crate) fn contract_key() -> Key {
    key("contract", &[CONTRACT])
}

/// Key of the objects' sources.
pub(crate) fn objects_key() -> Key {
    key("objects", OBJECTS).key("headers", &key("own", OWN_HEADERS))
}

fn key(name: &str, texts: &[Text]) -> Key {
    texts
        .iter()
        .fold(Key::new(name), |key, text| key.field(text.path, text.text))
}
