//! Hints for missing headers: they belong to a library, or to a part of a system that WASI lacks.

use crate::library::Library;

/// Libraries that pymode cannot build, by the prefixes of their headers.
const OTHERS: &[(&str, &str)] = &[
    ("ffi.h", "libffi"),
    ("openssl/", "OpenSSL"),
    ("curl/", "libcurl"),
    ("libpq-fe.h", "PostgreSQL's libpq"),
    ("pg_config.h", "PostgreSQL's libpq"),
    ("mysql", "MySQL's client library"),
    ("sqlite3.h", "SQLite"),
    ("bzlib.h", "bzip2"),
    ("lzma.h", "liblzma"),
    ("zstd.h", "zstd"),
    ("lz4", "lz4"),
    ("snappy", "snappy"),
    ("brotli/", "Brotli"),
    ("ft2build.h", "FreeType"),
    ("png.h", "libpng"),
    ("tiff", "libtiff"),
    ("webp/", "libwebp"),
    ("lcms2.h", "Little CMS"),
    ("openjpeg.h", "OpenJPEG"),
    ("proj.h", "PROJ"),
    ("gdal", "GDAL"),
    ("geos_c.h", "GEOS"),
    ("hdf5.h", "HDF5"),
    ("netcdf.h", "netCDF"),
    ("gmp.h", "GMP"),
    ("mpfr.h", "MPFR"),
    ("cblas.h", "a BLAS"),
    ("lapack", "LAPACK"),
    ("fftw3.h", "FFTW"),
    ("boost/", "Boost"),
    ("Eigen/", "Eigen"),
    ("sodium.h", "libsodium"),
    ("zmq.h", "ZeroMQ"),
    ("event2/", "libevent"),
    ("uv.h", "libuv"),
    ("librdkafka/", "librdkafka"),
    ("hiredis/", "hiredis"),
    ("pcre2.h", "PCRE2"),
    ("re2/", "RE2"),
    ("magic.h", "libmagic"),
    ("readline/", "readline"),
    ("gtk/", "GTK"),
    ("glib.h", "GLib"),
    ("X11/", "Xlib"),
    ("GL/", "OpenGL"),
    ("SDL", "SDL"),
    ("alsa/", "ALSA"),
    ("portaudio.h", "PortAudio"),
    ("cuda", "CUDA"),
];

/// Features that WASI lacks, by the prefixes of their headers.
const SYSTEM: &[(&str, &str)] = &[
    ("sys/wait.h", "processes are not supported on WASI"),
    ("spawn.h", "processes are not supported on WASI"),
    ("sys/ptrace.h", "processes are not supported on WASI"),
    ("omp.h", "OpenMP is not supported on WASI"),
    ("sys/ipc.h", "shared memory is not supported on WASI"),
    ("sys/shm.h", "shared memory is not supported on WASI"),
    (
        "sys/sem.h",
        "semaphores between processes are not supported on WASI",
    ),
    ("termios.h", "terminals are not supported on WASI"),
    ("pty.h", "terminals are not supported on WASI"),
    ("utmp", "users are not supported on WASI"),
    ("pwd.h", "users are not supported on WASI"),
    ("grp.h", "users are not supported on WASI"),
    (
        "ifaddrs.h",
        "listing network interfaces is not supported on WASI",
    ),
    (
        "net/if",
        "listing network interfaces is not supported on WASI",
    ),
    ("netpacket/", "raw sockets are not supported on WASI"),
    (
        "execinfo.h",
        "walking the stack is not supported in WebAssembly",
    ),
    ("linux/", "part of Linux"),
    ("asm/", "part of Linux"),
    ("sys/syscall.h", "part of Linux"),
    ("sys/epoll.h", "part of Linux"),
    ("sys/sysinfo.h", "part of Linux"),
    ("sys/sendfile.h", "part of Linux"),
    ("mach/", "part of macOS"),
    ("windows.h", "part of Windows"),
    ("Windows.h", "part of Windows"),
    ("winsock", "part of Windows"),
    ("arm_neon.h", "for another processor"),
    ("cpuid.h", "for another processor"),
];

/// Returns a hint for a header that was not found.
pub(crate) fn hint(header: &str) -> String {
    if let Some(library) = Library::with_header(header) {
        return format!(
            "`{header}` belongs to {name}, which can be built for the guest: add `libraries = [\"{name}\"]` to a recipe",
            name = library.name
        );
    }
    let named = |list: &[(&str, &'static str)]| {
        let found = list.iter().find(|(start, _)| header.starts_with(start));
        found.map(|(_, what)| *what)
    };
    if let Some(why) = named(SYSTEM) {
        return format!("`{header}`: {why}; look for a build option that leaves this out");
    }
    match named(OTHERS) {
        Some(library) => format!(
            "`{header}` belongs to {library}, a system library that is not available; look for a build option that leaves it out, or that builds the package's own copy"
        ),
        None => format!(
            "`{header}` belongs to an unknown library or system; look for a build option that leaves it out"
        ),
    }
}

/// Returns a hint for a library that the linker did not find, by its name after `-l`.
pub(crate) fn hint_of_archive(name: &str) -> String {
    match Library::with_archive(name) {
        Some(library) => format!(
            "`-l{name}` is {library}, which can be built for the guest: add `libraries = [\"{library}\"]` to a recipe",
            library = library.name
        ),
        None => format!(
            "the system library `{name}` is not available for wasm32-wasi; look for a build option that leaves it out"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::{hint, hint_of_archive};

    #[test]
    fn a_header_tells_what_it_belongs_to() {
        assert!(hint("yaml.h").contains("libraries = [\"libyaml\"]"));
        assert!(hint("openssl/ssl.h").contains("OpenSSL, a system library that is not available"));
        assert!(hint("sys/wait.h").contains("processes are not supported"));
        assert!(hint("frobnicate.h").contains("`frobnicate.h` belongs to an unknown library"));
        assert!(hint_of_archive("jpeg").contains("libjpeg-turbo"));
        assert!(hint_of_archive("ffi").contains("system library `ffi`"));
    }
}
