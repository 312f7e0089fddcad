//! What to do about a function that WASI does not have.

/// Families of functions, and why they are missing.
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
        "there are no processes in WASI; look for a build option that leaves this out",
    ),
    (
        &[
            "pthread_create",
            "pthread_join",
            "pthread_detach",
            "thrd_create",
            "omp_get_num_threads",
            "omp_get_max_threads",
            "GOMP_parallel",
            "__kmpc_fork_call",
        ],
        "there are no threads here; look for a build option such as `-DNO_THREADS`",
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
        "there are no signals in WASI; look for a build option that leaves this out",
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
        "there is no shared or mapped memory in WASI; look for a build option that reads files instead",
    ),
    (
        &[
            "getpwnam", "getpwuid", "getgrnam", "getgrgid", "getuid", "geteuid", "getgid",
            "getegid", "setuid", "chown", "chmod", "umask",
        ],
        "there are no users and no owners in WASI; look for a build option that leaves this out",
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
        "sockets cannot be opened by C code in WASI preview 1",
    ),
    (
        &["dlopen", "dlsym", "dlclose", "dlerror", "dladdr"],
        "linked by something else than `pymode cc`, which gives each module these functions",
    ),
];

/// The next step for a missing symbol, if one is known.
pub(crate) fn hint(name: &str) -> Option<&'static str> {
    if let Some((_, hint)) = FAMILIES.iter().find(|(names, _)| names.contains(&name)) {
        return Some(hint);
    }
    if name.starts_with("_Z") || name.starts_with("__cxa_") {
        Some("a C++ symbol: link with `pymode c++`, which brings the C++ library")
    } else if name.starts_with("_Py") || name.starts_with("Py") {
        Some("not in Python 3.13's C API: private, removed, or of a later version")
    } else {
        None
    }
}
