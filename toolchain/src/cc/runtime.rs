//! What is linked in beside the user's objects: the C++ library of a side module, `dlopen` of a program.

use std::fs;
use std::path::{Path, PathBuf};

use super::driver::CcError;
use super::flags;
use crate::Error;
use crate::cache::{Cache, CacheError};
use crate::key::Key;
use crate::step::{Step, StepError};
use crate::talk::Talk;
use crate::zig::{self, Zig};

const DLFCN: &str = include_str!("dlfcn.c");

/// The archives of the C++ library as position-independent code.
///
/// zig makes them when it links something that needs them, and says where they are; the first time takes a minute.
///
/// # Errors
/// When zig cannot make them.
pub(super) fn cxx(cache: &Cache, talk: &Talk, zig: &Zig) -> Result<[PathBuf; 2], Error> {
    const NAMES: [&str; 2] = ["libc++.a", "libc++abi.a"];
    let key = Key::new("libcxx")
        .field("zig", zig::VERSION)
        .field("flags", flags::COMPILE.join(" "));
    let dir = cache.entry("tools", &key, |dir| {
        let source = dir.join("probe.cpp");
        write(
            &source,
            "#include <string>\nstd::string probe() { return std::string(\"x\"); }\n",
        )?;
        let log = cache.root().join("logs/libcxx.log");
        let mut command = zig.command("c++");
        command
            .args(flags::COMPILE)
            .args(["-shared", "-O2", "-o"])
            .arg(dir.join("probe.wasm"))
            .arg(&source);
        command.env("ZIG_VERBOSE_LINK", "1");
        Step::run(talk, "building the C++ library", command, &log)?;
        let text = fs::read_to_string(&log).map_err(CacheError::io("read", &log))?;
        for name in NAMES {
            let archive = archive_of_link(&text, name).ok_or_else(|| StepError::Log {
                title: "building the C++ library".to_owned(),
                log: log.clone(),
                source: std::io::Error::other(format!("it does not say where `{name}` is")),
            })?;
            fs::copy(archive, dir.join(name)).map_err(CacheError::io("copy", archive))?;
        }
        Ok::<_, Error>(())
    })?;
    Ok(NAMES.map(|name| dir.join(name)))
}

/// The word of the printed link line that ends in `/NAME`.
fn archive_of_link<'t>(log: &'t str, name: &str) -> Option<&'t Path> {
    let line = log.lines().rfind(|line| line.starts_with("wasm-ld "))?;
    let word = line.split(' ').find(|word| {
        word.strip_suffix(name)
            .is_some_and(|dir| dir.ends_with('/'))
    })?;
    Some(Path::new(word))
}

/// The object that turns `<dlfcn.h>` into the host's `pymode.dl_*`.
pub(super) fn dlfcn(zig: &Zig, scratch: &Path) -> Result<PathBuf, CcError> {
    let source = scratch.join("dlfcn.c");
    let object = scratch.join("dlfcn.o");
    write(&source, DLFCN)?;
    let mut command = zig.command("cc");
    command
        .args(flags::COMPILE)
        .args(["-Os", "-c", "-o"])
        .arg(&object)
        .arg(&source);
    let log = scratch.join("dlfcn.log");
    Step::run(&Talk::quiet(), "compiling dlopen", command, &log).map_err(Error::from)?;
    Ok(object)
}

/// What a program exports so that modules find it there: all that python.wasm gives them of libc.
pub(super) fn lent_symbols() -> impl Iterator<Item = String> {
    pymode_abi::EXPORTS
        .iter()
        .filter(|export| {
            matches!(
                export.why,
                pymode_abi::Why::Libc | pymode_abi::Why::CompilerRt
            )
        })
        .map(|export| format!("-Wl,--export={}", export.name))
}

fn write(path: &Path, text: &str) -> Result<(), CacheError> {
    fs::write(path, text).map_err(CacheError::io("write", path))
}
