//! Hints for functions that WASI does not have.

/// Families of functions, and the reason why they are missing.
const FAMILIES: &[(&[&str], &str)] = &[
    (
        &[
            "fork",
            "vfork",
            "execv",
            "execve",
            "execvp",
            "execl",
            "execlp",
            "posix_spawn",
            "posix_spawnp",
            "waitpid",
            "wait",
            "wait4",
            "system",
            "popen",
            "pclose",
            "kill",
            "getppid",
        ],
        "processes are not supported on WASI; look for a build option that leaves this out",
    ),
    (
        &[
            "omp_get_num_threads",
            "omp_get_max_threads",
            "GOMP_parallel",
            "__kmpc_fork_call",
        ],
        "OpenMP is not supported on WASI; look for a build option that leaves it out",
    ),
    (
        &[
            "signal",
            "sigaction",
            "sigprocmask",
            "raise",
            "alarm",
            "setitimer",
            "sigsetjmp",
            "siglongjmp",
        ],
        "signals are not supported on WASI; look for a build option that leaves this out",
    ),
    (
        &[
            "mmap",
            "munmap",
            "mprotect",
            "msync",
            "madvise",
            "shm_open",
            "shm_unlink",
        ],
        "shared and mapped memory are not supported on WASI; look for a build option that reads files instead",
    ),
    (
        &[
            "getpwnam", "getpwuid", "getgrnam", "getgrgid", "getuid", "geteuid", "getgid",
            "getegid", "setuid", "chown", "chmod", "umask",
        ],
        "users and owners are not supported on WASI; look for a build option that leaves this out",
    ),
    (
        &[
            "socketpair",
            "gethostbyname",
            "getaddrinfo",
            "bind",
            "listen",
            "connect",
        ],
        "opening sockets is not supported on WASI preview 1",
    ),
    (
        &["dlopen", "dlsym", "dlclose", "dlerror", "dladdr"],
        "link with `pymode cc`, which gives each module these functions",
    ),
];

/// Returns the next step for a missing symbol, if one is known.
pub(crate) fn hint(name: &str) -> Option<&'static str> {
    if let Some((_, hint)) = FAMILIES.iter().find(|(names, _)| names.contains(&name)) {
        return Some(hint);
    }
    if name.starts_with("_Z") || name.starts_with("__cxa_") {
        Some("a C++ symbol: link with `pymode c++`, which brings the C++ library")
    } else if name.starts_with("_Py") || name.starts_with("Py") {
        Some("not in the C API of Python 3.13: private, removed, or newer")
    } else {
        None
    }
}
