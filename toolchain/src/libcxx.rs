//! The C++ library with exceptions, made from zig's own sources: a side module that all C++ modules of a process share,
//! and an archive for C++ programs.
//!
//! zig builds its libc++ for WASI without exceptions, threads and file system. This build has exceptions and RTTI across
//! modules; `std::thread` and its kin, over the threads of the program; and `std::filesystem`. One copy serves the process, because the state of exceptions in flight, the standard
//! streams, and the current `new` handler must be one.
//!
//! A module refers to [`MODULE`] through its `needed`, as any module that is linked with that file on the line.

use std::fs;
use std::path::{Path, PathBuf};

use crate::Error;
use crate::cache::{Cache, CacheError};
use crate::cc::{abi_section, flags, hide_weak_definitions, without_zeros};
use crate::key::Key;
use crate::reporter::Reporter;
use crate::step::Step;
use crate::zig::{self, Zig};

/// The side module's name, as it stands in the `needed` of others.
pub const MODULE: &str = "libc++.wasm";

const ARCHIVE: &str = "libc++.a";

/// For each C++ object, the library's own included: what it is made of, where zig's defaults differ.
///
/// They are part of the ABI: objects that are compiled without them do not fit.
pub const COMPILE: &[&str] = &[
    "-U_LIBCPP_HAS_THREADS",
    "-D_LIBCPP_HAS_THREADS=1",
    "-D_LIBCPP_HAS_THREAD_API_PTHREAD=1",
    "-U_LIBCPP_HAS_FILESYSTEM",
    "-D_LIBCPP_HAS_FILESYSTEM=1",
    // Types are compared by name: a module that binds its own symbols, and an extension module that exports none of
    // them, has its own `type_info` of a class whose code is all in headers.
    "-D_LIBCPP_TYPEINFO_COMPARISON_IMPLEMENTATION=2",
    // zig builds one static copy, and hides it.
    "-U_LIBCPP_DISABLE_VISIBILITY_ANNOTATIONS",
    "-U_LIBCXXABI_DISABLE_VISIBILITY_ANNOTATIONS",
];

/// Directories of the sources below zig's `lib`: all their `.cpp` files, without subdirectories.
const SOURCES: &[&str] = &[
    "libcxx/src",
    "libcxx/src/filesystem",
    "libcxx/src/ryu",
    "libcxxabi/src",
];

const LEFT_OUT: &[&str] = &[
    // For builds without exceptions.
    "cxa_noexception.cpp",
    // The operators that libc++abi defines too.
    "new.cpp",
    // compiler-rt has it.
    "int128_builtins.cpp",
];

/// The part of the unwinder that is left to do when the engine unwinds.
const UNWIND: &str = "libunwind/src/Unwind-wasm.c";

const OURS: [(&str, &str); 2] = [
    ("wasi.h", include_str!("libcxx/wasi.h")),
    ("wasi.c", include_str!("libcxx/wasi.c")),
];

/// The library, built.
#[derive(Clone, Debug)]
pub struct Libcxx {
    dir: PathBuf,
}

impl Libcxx {
    /// The side module, [`MODULE`] by name: on the link line of a side module, and where the loader finds libraries.
    pub fn module(&self) -> PathBuf {
        self.dir.join(MODULE)
    }

    /// The archive for a program. One that lends its C++ library to side modules takes the whole of it.
    pub fn archive(&self) -> PathBuf {
        self.dir.join(ARCHIVE)
    }
}

/// Returns the key of the library's inputs.
pub fn key() -> Key {
    OURS.iter().fold(
        Key::new("libcxx")
            .field("zig", zig::VERSION)
            .field("exceptions", flags::EXCEPTIONS.join(" "))
            .field("flags", flags::COMPILE_CXX.join(" "))
            .field("link", flags::LINK_SIDE.join(" "))
            .field("abi", pymode_abi::VERSION.to_string())
            .field("recipe", include_str!("libcxx.rs")),
        |key, (name, text)| key.field(name, text),
    )
}

/// The library from the cache, or built: three quarters of a minute of processor time.
///
/// # Errors
/// When it cannot be compiled or linked.
pub fn provision(cache: &Cache, reporter: &Reporter, zig: &Zig) -> Result<Libcxx, Error> {
    let dir = cache.entry("tools", &key(), |dir| {
        compile(cache, reporter, zig, dir)?;
        link(cache, reporter, zig, dir)
    })?;
    Ok(Libcxx { dir })
}

/// One call of zig for all sources: it compiles them side by side, and packs the archive.
fn compile(cache: &Cache, reporter: &Reporter, zig: &Zig, dir: &Path) -> Result<(), Error> {
    for (name, text) in OURS {
        write(&dir.join(name), text.as_bytes())?;
    }
    let lib = zig.dir.join("lib");
    let include = |path: &str| format!("-I{}", lib.join(path).display());
    let generate = [
        "-fPIC",
        "-fno-sanitize=undefined",
        "-O2",
        "-w",
        "-fvisibility=hidden",
        // Its inline functions are in every module that calls them; to export each of them costs time at every load.
        "-fvisibility-inlines-hidden",
    ];

    let mut command = zig.command("build-lib");
    command
        .args(["-static", "-target", flags::TARGET, "-fPIC", "-fstrip"])
        .args(["-mcpu=baseline+exception_handling", "-O", "ReleaseFast"])
        .args(["-lc", "-lc++"]) // For their headers.
        .arg(format!("-femit-bin={}", dir.join(ARCHIVE).display()))
        .arg("-cflags")
        .args(generate)
        .args(flags::EXCEPTIONS)
        .args(flags::COMPILE_CXX)
        .args(COMPILE)
        .args([
            "-std=c++23",
            "-D_LIBCPP_BUILDING_LIBRARY",
            "-D_LIBCXXABI_BUILDING_LIBRARY",
            "-DLIBCXX_BUILDING_LIBCXXABI",
            "-DLIBC_NAMESPACE=__llvm_libc_common_utils",
        ])
        .args(["libcxx/src", "libcxx/libc", "libcxxabi/src"].map(include))
        .arg("-include")
        .arg(dir.join("wasi.h"))
        .arg("--")
        .args(sources(&lib)?)
        .arg("-cflags")
        .args(generate)
        .args(flags::EXCEPTIONS)
        .args(flags::COMPILE_CXX) // The unwinder asks whether C++ has them.
        // Its annotations do not know wasm; all of it is for everybody.
        .args(["-D_LIBUNWIND_HIDE_SYMBOLS", "-fvisibility=default"])
        .arg(include("libunwind/include"))
        .arg("--")
        .arg(lib.join(UNWIND))
        .arg("-cflags")
        .args(generate)
        .arg("--")
        .arg(dir.join("wasi.c"));
    let log = cache.root().join("logs/libcxx.log");
    Ok(Step::run(
        reporter,
        "building the C++ library",
        command,
        &log,
    )?)
}

/// The sources in the order of their names: the archive is the same everywhere.
fn sources(lib: &Path) -> Result<Vec<PathBuf>, CacheError> {
    let mut all = Vec::new();
    for dir in SOURCES.iter().map(|dir| lib.join(dir)) {
        let entries = fs::read_dir(&dir).map_err(CacheError::io("read", &dir))?;
        for entry in entries {
            let path = entry.map_err(CacheError::io("read", &dir))?.path();
            let wanted = path.extension().is_some_and(|ext| ext == "cpp")
                && !LEFT_OUT.iter().any(|name| path.ends_with(name));
            if wanted {
                all.push(path);
            }
        }
    }
    all.sort();
    Ok(all)
}

/// The whole archive as a side module, which defines all its own symbols by itself and exports those that are visible.
fn link(cache: &Cache, reporter: &Reporter, zig: &Zig, dir: &Path) -> Result<(), Error> {
    let archive = dir.join(ARCHIVE);
    let mut bytes = fs::read(&archive).map_err(CacheError::io("read", &archive))?;
    let mut visible = hide_weak_definitions(&mut bytes);
    visible.sort();
    visible.dedup();

    let scratch = tempfile::tempdir().map_err(CacheError::io("create", &std::env::temp_dir()))?;
    let hidden = scratch.path().join(ARCHIVE);
    write(&hidden, &bytes)?;
    let exports = scratch.path().join("exports");
    let lines: String = visible
        .iter()
        .map(|name| format!("--export-if-defined={name}\n"))
        .collect();
    write(&exports, lines.as_bytes())?;

    let module = dir.join(MODULE);
    let mut command = zig.command("wasm-ld");
    command
        .args(flags::LINK_SIDE)
        .args([flags::BIND_OWN, "--export-dynamic", "--whole-archive"])
        .arg(&hidden)
        .arg(format!("@{}", exports.display()))
        .arg("-o")
        .arg(&module);
    let log = cache.root().join("logs/libcxx-link.log");
    Step::run(reporter, "linking the C++ library", command, &log)?;

    let linked = fs::read(&module).map_err(CacheError::io("read", &module))?;
    let mut bytes = without_zeros(&linked).unwrap_or(linked);
    bytes.extend(abi_section(pymode_abi::VERSION));
    Ok(write(&module, &bytes)?)
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), CacheError> {
    fs::write(path, bytes).map_err(CacheError::io("write", path))
}
