//! Requirements of a program, the same on every host.

use std::path::PathBuf;

/// The function that a program begins with.
pub const START: &str = "_start";

/// The function that a new thread begins with, in a program that starts threads.
pub const THREAD_START: &str = "pymode_thread_start";

/// Functions of `wasi_snapshot_preview1` that a program with threads has itself, because they let other threads run. Its side
/// modules import them from its exports instead, which are named after [`WAITS_PREFIX`].
pub const WAITS: [&str; 5] = [
    "fd_read",
    "fd_write",
    "poll_oneoff",
    "sock_recv",
    "sock_send",
];

/// The prefix of the exports for [`WAITS`]: wasi-libc's own.
pub const WAITS_PREFIX: &str = "__imported_wasi_snapshot_preview1_";

/// Exports that a program needs.
pub const EXPORTS: [&str; 2] = [START, "memory"];

/// Python's home directory. It is in memory on every host: besides the current directory, only there can be written.
pub const HOME: &str = "/tmp";

/// Why a module cannot be run as a program.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Unusable {
    /// The module cannot be compiled.
    #[error("cannot compile `{}`: {reason}", path.display())]
    Compile {
        /// The file.
        path: PathBuf,
        /// Error of the engine.
        reason: String,
    },
    /// The module is no program.
    #[error(
        "`{}` is not a program: it exports no function `{export}`\n  hint: link an executable; side modules are loaded by programs",
        path.display()
    )]
    NotAProgram {
        /// The file.
        path: PathBuf,
        /// The missing export.
        export: &'static str,
    },
    /// The module needs what no host gives.
    #[error("`{}` imports what this host does not give: {}", path.display(), imports.join(", "))]
    Imports {
        /// The file.
        path: PathBuf,
        /// All of them, as `` `module.name` ``.
        imports: Vec<String>,
    },
}
