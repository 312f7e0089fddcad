//! Objects that a process has exactly once, in its program: the exception tags, the runtime of `setjmp`, exit handlers, mutexes,
//! and the initial directory.
//!
//! A program links [`objects`] before libc, which has some of these too, and exports [`EXPORTS`] if it loads modules. A
//! side module links [`side_archive`] after its own objects.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Error;
use crate::cache::{Cache, CacheError};
use crate::cc::flags;
use crate::key::Key;
use crate::malloc;
use crate::reporter::Reporter;
use crate::step::Step;
use crate::threads;
use crate::zig::{self, Zig};

/// Symbols of the objects that side modules import, besides libc's exit handlers: two tags `(i32)`, and the functions that clang
/// calls for `setjmp` and `longjmp`.
pub const EXPORTS: &[&str] = &[
    "__c_longjmp",
    "__cpp_exception",
    "__wasm_longjmp",
    "__wasm_setjmp",
    "__wasm_setjmp_test",
    "daylight",
    "fchdir",
    "timezone",
    "tzname",
    "tzset",
    "umask",
];

/// Tags and `throw` need it; linking these objects alone does not.
const FEATURE: &str = "-mexception-handling";

/// The threads of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Threads {
    /// Only main: functions of libc that would start one fail.
    One,
    /// As many as it starts.
    Many,
}

/// A C file of ours.
struct Text {
    stem: &'static str,
    text: &'static str,
}

/// zig names libc in front of them: one that stands for a part of libc comes before all that call it, else that part is linked too.
const PROGRAM: &[Text] = &[
    Text {
        stem: "strerror",
        text: include_str!("process/strerror.c"),
    },
    Text {
        stem: "path",
        text: include_str!("process/path.c"),
    },
    Text {
        stem: "zone_rule",
        text: include_str!("process/zone_rule.c"),
    },
    Text {
        stem: "zone_file",
        text: include_str!("process/zone_file.c"),
    },
    Text {
        stem: "timezone",
        text: include_str!("process/timezone.c"),
    },
    Text {
        stem: "strftime",
        text: include_str!("process/strftime.c"),
    },
    Text {
        stem: "tags",
        text: include_str!("process/tags.c"),
    },
    Text {
        stem: "exit",
        text: include_str!("process/exit.c"),
    },
    Text {
        stem: "mutex",
        text: include_str!("process/mutex.c"),
    },
    Text {
        stem: "workdir",
        text: include_str!("process/workdir.c"),
    },
];

/// Headers with what libc's leave out, in front of libc's own; and the host's functions, which the objects include.
const HEADERS: &[(&str, &str)] = &[
    (
        "include/sys/stat.h",
        include_str!("process/include/sys/stat.h"),
    ),
    ("include/time.h", include_str!("process/include/time.h")),
    ("include/unistd.h", include_str!("process/include/unistd.h")),
    ("pymode.h", include_str!("../../abi/include/pymode.h")),
    ("timezone.h", include_str!("process/timezone.h")),
];

const SIDE: Text = Text {
    stem: "side_exit",
    text: include_str!("process/side_exit.c"),
};

const SIDE_ARCHIVE: &str = "libpymode_side.a";

/// The runtime of `setjmp` in zig's libc. It is left out of a libc without exception handling, which a program's is: the
/// engine of a program that neither throws nor jumps needs no exceptions then, and libc is compiled only once.
const SETJMP: &str = "lib/libc/wasi/libc-top-half/musl/src/setjmp/wasm32/rt.c";

/// The objects that a program links first, in this order.
///
/// # Errors
/// When one cannot be compiled.
pub fn objects(
    cache: &Cache,
    reporter: &Reporter,
    zig: &Zig,
    program: Threads,
) -> Result<Vec<PathBuf>, Error> {
    let dir = provision(cache, reporter, zig)?;
    let mut objects = vec![malloc::object(cache, reporter, zig)?];
    let mut stems: Vec<&str> = PROGRAM.iter().map(|text| text.stem).collect();
    if program == Threads::Many {
        stems.retain(|stem| *stem != ONE_THREAD);
        objects.extend(threads::objects(cache, reporter, zig)?);
    }
    stems.push("setjmp");
    objects.extend(stems.iter().map(|stem| object(&dir, stem)));
    Ok(objects)
}

/// The object that stands for the threads of a program with one.
const ONE_THREAD: &str = "mutex";

/// The archive that a side module links last: its own `atexit`, taken only if it is called.
///
/// # Errors
/// When it cannot be made.
pub fn side_archive(cache: &Cache, reporter: &Reporter, zig: &Zig) -> Result<PathBuf, Error> {
    Ok(provision(cache, reporter, zig)?.join(SIDE_ARCHIVE))
}

/// For `-I`: headers of what the objects have and libc's headers leave out.
///
/// # Errors
/// When the objects cannot be compiled.
pub fn include(cache: &Cache, reporter: &Reporter, zig: &Zig) -> Result<PathBuf, Error> {
    Ok(provision(cache, reporter, zig)?.join("include"))
}

/// Returns the key of the inputs of the objects and the archive.
pub fn key() -> Key {
    own_key()
        .key("malloc", &malloc::key())
        .key("threads", &threads::key())
}

fn own_key() -> Key {
    let key = Key::new("process")
        .field("zig", zig::VERSION)
        .field("flags", flags::COMPILE.join(" "))
        .field("recipe", include_str!("process.rs"));
    let texts = PROGRAM.iter().chain([&SIDE]);
    texts
        .map(|text| (text.stem, text.text))
        .chain(HEADERS.iter().chain(threads::HEADERS).copied())
        .fold(key, |key, (name, text)| key.field(name, text))
}

fn provision(cache: &Cache, reporter: &Reporter, zig: &Zig) -> Result<PathBuf, Error> {
    cache.entry("tools", &own_key(), |dir| {
        let progress = reporter.start("compiling what a process has once");
        for (name, text) in HEADERS.iter().chain(threads::HEADERS) {
            let path = dir.join(name);
            let folder = path.parent().unwrap_or(dir);
            fs::create_dir_all(folder).map_err(CacheError::io("create", folder))?;
            fs::write(&path, text).map_err(CacheError::io("write", &path))?;
        }
        for text in PROGRAM.iter().chain([&SIDE]) {
            let source = dir.join(text.stem).with_extension("c");
            fs::write(&source, text.text).map_err(CacheError::io("write", &source))?;
            compile(cache, zig, &source, &object(dir, text.stem))?;
        }
        compile(cache, zig, &zig.dir.join(SETJMP), &object(dir, "setjmp"))?;

        let mut archive = zig.command("ar");
        archive
            .arg("rcs")
            .arg(dir.join(SIDE_ARCHIVE))
            .arg(object(dir, SIDE.stem));
        run(cache, archive)?;
        progress.finish();
        Ok(())
    })
}

fn compile(cache: &Cache, zig: &Zig, source: &Path, object: &Path) -> Result<(), Error> {
    let include = object.with_file_name("include");
    let mut command = zig.command("cc");
    command
        .args(flags::COMPILE)
        .arg("-I")
        .arg(include)
        .args([FEATURE, "-D_GNU_SOURCE", "-Os", "-c"])
        .arg(source)
        .arg("-o")
        .arg(object);
    run(cache, command)
}

fn run(cache: &Cache, command: Command) -> Result<(), Error> {
    let log = cache.root().join("logs/process.log");
    let title = "compiling what a process has once";
    Ok(Step::run(&Reporter::quiet(), title, command, &log)?)
}

fn object(dir: &Path, stem: &str) -> PathBuf {
    dir.join(stem).with_extension("o")
}
