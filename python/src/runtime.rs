//! Our own C: CPython's door to the loader, `main`, and what libc lacks.

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

/// Headers that the objects below, CPython, and its modules see before libc's.
const HEADERS: &[Text] = &[
    text!("runtime/include/", "sys/socket.h"),
    text!("../abi/include/", "pymode.h"),
];

/// Linked first, so that they come before libc's own.
const OBJECTS: &[Text] = &[
    text!("runtime/", "main.c"),
    text!("runtime/", "netdb.c"),
    text!("runtime/", "pthread_key.c"),
    text!("runtime/", "socket.c"),
];

/// The name of CPython's door to the loader, as its Makefile looks for it below `Python/`.
pub(crate) fn write_dynload(build: &Path) -> Result<(), Error> {
    write(&build.join("Python").join(DYNLOAD.path), DYNLOAD.text)
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

/// Writes the sources into a directory and says where they are.
pub(crate) fn write_sources(dir: &Path) -> Result<Vec<PathBuf>, Error> {
    OBJECTS
        .iter()
        .map(|object| {
            let path = dir.join(object.path);
            write(&path, object.text)?;
            Ok(path)
        })
        .collect()
}

/// What the headers say.
pub(crate) fn headers_key() -> Key {
    key("headers", HEADERS)
}

/// What the door to the loader says.
pub(crate) fn dynload_key() -> Key {
    key("dynload", &[DYNLOAD])
}

/// What the objects are made from.
pub(crate) fn objects_key() -> Key {
    key("objects", OBJECTS)
}

fn key(name: &str, texts: &[Text]) -> Key {
    texts
        .iter()
        .fold(Key::new(name), |key, text| key.field(text.path, text.text))
}
