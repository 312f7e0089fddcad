//! POSIX threads for a program: cooperative, over the host's `pymode.thread_*`.
//!
//! A program with threads links their objects in front of libc, which has functions of these names that only know one thread. The
//! host sees by the imports that the program has threads.

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

/// Functions that start or wait for threads: a program that calls one of them has threads.
pub const STARTS: &[&str] = &[
    "pthread_create",
    "sem_clockwait",
    "sem_init",
    "sem_post",
    "sem_timedwait",
    "sem_wait",
];

/// Symbols of the objects that side modules import, besides those that libc defines, too.
pub const EXPORTS: &[&str] = &[
    "__imported_wasi_snapshot_preview1_fd_read",
    "__imported_wasi_snapshot_preview1_fd_write",
    "__imported_wasi_snapshot_preview1_poll_oneoff",
    "__imported_wasi_snapshot_preview1_sock_recv",
    "__imported_wasi_snapshot_preview1_sock_send",
    "pymode_thread_local",
    "sem_clockwait",
    "sem_destroy",
    "sem_getvalue",
    "sem_init",
    "sem_post",
    "sem_timedwait",
    "sem_trywait",
    "sem_wait",
];

/// The function of a program that the host calls on a new stack.
pub const START: &str = "pymode_thread_start";

/// Headers: those for everybody, and the objects' own.
pub(crate) const HEADERS: &[(&str, &str)] = &[
    (
        "include/pthread.h",
        include_str!("threads/include/pthread.h"),
    ),
    (
        "include/pymode_thread.h",
        include_str!("threads/include/pymode_thread.h"),
    ),
    (
        "include/semaphore.h",
        include_str!("threads/include/semaphore.h"),
    ),
];

const OWN_HEADERS: &[(&str, &str)] = &[
    ("pymode.h", include_str!("../../abi/include/pymode.h")),
    ("restoring.h", include_str!("threads/restoring.h")),
    ("threads.h", include_str!("threads/threads.h")),
];

/// zig names libc in front of them: each comes before those that call it, else libc's own is linked, too.
const SOURCES: &[(&str, &str)] = &[
    ("switch.c", include_str!("threads/switch.c")),
    ("mutex.c", include_str!("threads/mutex.c")),
    ("cond.c", include_str!("threads/cond.c")),
    ("key.c", include_str!("threads/key.c")),
    ("rwlock.c", include_str!("threads/rwlock.c")),
    ("barrier.c", include_str!("threads/barrier.c")),
    ("semaphore.c", include_str!("threads/semaphore.c")),
    ("once.c", include_str!("threads/once.c")),
    ("io.c", include_str!("threads/io.c")),
    ("thread.c", include_str!("threads/thread.c")),
];

/// Not position-independent, as side modules never contain them.
const FLAGS: &[&str] = &[
    "-target",
    flags::TARGET,
    "-fno-sanitize=undefined",
    "-std=gnu11",
    "-D_GNU_SOURCE",
    "-Os",
    "-g0",
    "-Wall",
    "-Wextra",
    "-Werror",
];

/// The key of the objects.
pub(crate) fn key() -> Key {
    let key = Key::new("threads")
        .field("zig", zig::VERSION)
        .field("flags", FLAGS.join(" "))
        .field("exceptions", flags::EXCEPTIONS.join(" "))
        .field("recipe", include_str!("threads.rs"));
    let texts = SOURCES.iter().chain(HEADERS).chain(OWN_HEADERS);
    texts.fold(key, |key, (name, text)| key.field(name, text))
}

/// The objects that a program with threads links in front of libc.
pub(crate) fn objects(
    cache: &Cache,
    reporter: &Reporter,
    zig: &Zig,
) -> Result<Vec<PathBuf>, Error> {
    let dir = cache.entry("tools", &key(), |dir| -> Result<(), Error> {
        let progress = reporter.start("compiling threads");
        for (name, text) in SOURCES.iter().chain(HEADERS).chain(OWN_HEADERS) {
            let path = dir.join(name);
            let folder = path.parent().unwrap_or(dir);
            fs::create_dir_all(folder).map_err(CacheError::io("create", folder))?;
            fs::write(&path, text).map_err(CacheError::io("write", &path))?;
        }
        for (name, _) in SOURCES {
            compile(cache, zig, dir, name)?;
        }
        progress.finish();
        Ok(())
    })?;
    let object = |name: &str| dir.join(name).with_extension("o");
    Ok(SOURCES.iter().map(|(name, _)| object(name)).collect())
}

fn compile(cache: &Cache, zig: &Zig, dir: &Path, name: &str) -> Result<(), Error> {
    let source = dir.join(name);
    let mut command: Command = zig.command("cc");
    command
        .args(FLAGS)
        .args(flags::EXCEPTIONS)
        .arg("-I")
        .arg(dir.join("include"))
        .arg("-c")
        .arg(&source)
        .arg("-o")
        .arg(source.with_extension("o"));
    let log = cache.root().join("logs/threads.log");
    Ok(Step::run(
        &Reporter::quiet(),
        "compiling threads",
        command,
        &log,
    )?)
}
