//! `<dlfcn.h>` for any guest: the header with what wasi-libc leaves out, and the code that turns its functions into the host's
//! `pymode.dl_*`. A program that does not call them does not contain them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Error;
use crate::cache::{Cache, CacheError};
use crate::cc::flags;
use crate::key::Key;
use crate::reporter::Reporter;
use crate::step::Step;
use crate::zig::{self, Zig};

const SOURCE: &str = include_str!("dlfcn/dlfcn.c");
const LINKED: &str = include_str!("dlfcn/linked.c");
const HEADER: &str = include_str!("dlfcn/include/dlfcn.h");

/// Header and code, in the cache.
#[derive(Clone, Debug)]
pub struct Dlfcn {
    dir: PathBuf,
}

impl Dlfcn {
    /// For `-I`: zig puts what comes by `-isystem` behind its own libc.
    #[must_use]
    pub fn include(&self) -> PathBuf {
        self.dir.join("include")
    }

    /// Returns the object that a program links first: libc has functions of these names that always fail.
    #[must_use]
    pub fn main_object(&self) -> PathBuf {
        self.dir.join("dlfcn.o")
    }

    /// Returns the object that loads a program's linked libraries.
    #[must_use]
    pub fn linked_object(&self) -> PathBuf {
        self.dir.join("linked.o")
    }

    /// Returns the archive that a side module links last: the same functions, with hidden visibility.
    #[must_use]
    pub fn side_archive(&self) -> PathBuf {
        self.dir.join("libpymode_dl_side.a")
    }
}

/// Returns the key of its inputs.
pub fn key() -> Key {
    Key::new("dlfcn")
        .field("zig", zig::VERSION)
        .field("flags", flags::COMPILE.join(" "))
        .field("recipe", include_str!("dlfcn.rs"))
        .field("source", SOURCE)
        .field("linked", LINKED)
        .field("header", HEADER)
}

/// From the cache, or made.
///
/// # Errors
/// When it cannot be compiled.
pub fn provision(cache: &Cache, reporter: &Reporter, zig: &Zig) -> Result<Dlfcn, Error> {
    let dir = cache.entry("tools", &key(), |dir| -> Result<(), Error> {
        let progress = reporter.start("compiling dlopen");
        let made = Dlfcn { dir: dir.into() };
        let header = made.include().join("dlfcn.h");
        fs::create_dir_all(made.include()).map_err(CacheError::io("create", &made.include()))?;
        fs::write(&header, HEADER).map_err(CacheError::io("write", &header))?;
        let source = dir.join("dlfcn.c");
        fs::write(&source, SOURCE).map_err(CacheError::io("write", &source))?;
        compile(cache, zig, &source, "default", &made.main_object())?;
        let linked = dir.join("linked.c");
        fs::write(&linked, LINKED).map_err(CacheError::io("write", &linked))?;
        compile(cache, zig, &linked, "default", &made.linked_object())?;
        let side = made.side_archive().with_extension("o");
        compile(cache, zig, &source, "hidden", &side)?;
        let mut ar = zig.command("ar");
        ar.arg("rcs").arg(made.side_archive()).arg(&side);
        run(cache, ar)?;
        progress.finish();
        Ok(())
    })?;
    Ok(Dlfcn { dir })
}

fn compile(
    cache: &Cache,
    zig: &Zig,
    source: &Path,
    visibility: &str,
    object: &Path,
) -> Result<(), Error> {
    let mut compile = zig.command("cc");
    compile
        .args(flags::COMPILE)
        .args(["-D_GNU_SOURCE", "-Os", "-I"])
        .arg(source.with_file_name("include"))
        .arg(format!("-fvisibility={visibility}"))
        .arg("-c")
        .arg(source)
        .arg("-o")
        .arg(object);
    run(cache, compile)
}

fn run(cache: &Cache, command: Command) -> Result<(), Error> {
    let log = cache.root().join("logs/dlfcn.log");
    Ok(Step::run(
        &Reporter::quiet(),
        "compiling dlopen",
        command,
        &log,
    )?)
}
