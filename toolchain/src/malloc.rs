//! `malloc` and its kin for every module of a process: dlmalloc, with slabs for small blocks.
//!
//! zig's libc has an allocator of powers of two that never joins free blocks. A program links [`object`] before libc, and its
//! side modules import these functions. The source of dlmalloc comes with libffi, in the crate `libffi-sys`.

use std::fs;
use std::path::{Path, PathBuf};

use crate::Error;
use crate::cache::{Cache, CacheError};
use crate::cc::flags;
use crate::crates::CrateList;
use crate::key::Key;
use crate::reporter::Reporter;
use crate::step::Step;
use crate::zig::{self, Zig};

/// The crate with dlmalloc.
const CRATES: CrateList = CrateList {
    manifest: include_str!("../sources/malloc/Cargo.toml"),
    lock: include_str!("../sources/malloc/Cargo.lock"),
};

/// The directory of `dlmalloc.c` in the crate `libffi-sys`.
const DLMALLOC: &str = "libffi/src";

/// The first is compiled and includes the others.
const TEXTS: [(&str, &str); 3] = [
    ("malloc.c", include_str!("malloc/malloc.c")),
    ("large.h", include_str!("malloc/large.h")),
    ("small.h", include_str!("malloc/small.h")),
];

const OBJECT: &str = "malloc.o";

/// Not position-independent, as side modules never contain it. Warnings are off, because dlmalloc predates most of them.
const FLAGS: [&str; 6] = [
    "-target",
    flags::TARGET,
    "-fno-sanitize=undefined",
    "-O2",
    "-g0",
    "-w",
];

/// The key of the object.
pub(crate) fn key() -> Key {
    TEXTS.iter().fold(
        Key::new("malloc")
            .field("zig", zig::VERSION)
            .field("crates", CRATES.lock)
            .field("flags", FLAGS.join(" "))
            .field("recipe", include_str!("malloc.rs")),
        |key, (name, text)| key.field(name, text),
    )
}

/// The object that a program links before libc.
pub(crate) fn object(cache: &Cache, reporter: &Reporter, zig: &Zig) -> Result<PathBuf, Error> {
    let dir = cache.entry("tools", &key(), |dir| {
        let sources = CRATES.sources(cache, reporter)?;
        for (name, text) in TEXTS {
            let path = dir.join(name);
            fs::write(&path, text).map_err(CacheError::io("write", &path))?;
        }
        compile(cache, reporter, zig, &sources.dir("libffi-sys"), dir)
    })?;
    Ok(dir.join(OBJECT))
}

fn compile(
    cache: &Cache,
    reporter: &Reporter,
    zig: &Zig,
    libffi: &Path,
    dir: &Path,
) -> Result<(), Error> {
    let mut command = zig.command("cc");
    command
        .args(FLAGS)
        .arg("-I")
        .arg(libffi.join(DLMALLOC))
        .arg("-c")
        .arg(dir.join(TEXTS[0].0))
        .arg("-o")
        .arg(dir.join(OBJECT));
    let log = cache.root().join("logs/malloc.log");
    Ok(Step::run(
        reporter,
        "compiling the allocator",
        command,
        &log,
    )?)
}
