//! Whose a header is that a compiler does not find: a library's, or a part of a system that WASI lacks.

use crate::library::Library;

/// Headers of libraries that are not here, by how their names begin.
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

/// Headers of what WASI has not, by how their names begin.
const SYSTEM: &[(&str, &str)] = &[
    ("sys/wait.h", "there are no processes in WASI"),
    ("spawn.h", "there are no processes in WASI"),
    ("sys/ptrace.h", "there are no processes in WASI"),
    ("pthread_np.h", "there are no threads here"),
    ("omp.h", "there are no threads here for OpenMP"),
    ("sys/ipc.h", "there is no shared memory in WASI"),
    ("sys/shm.h", "there is no shared memory in WASI"),
    (
        "sys/sem.h",
        "there are no semaphores between processes in WASI",
    ),
    ("termios.h", "there are no terminals in WASI"),
    ("pty.h", "there are no terminals in WASI"),
    ("utmp", "there are no users in WASI"),
    ("pwd.h", "there are no users in WASI"),
    ("grp.h", "there are no users in WASI"),
    ("ifaddrs.h", "network interfaces cannot be listed in WASI"),
    ("net/if", "network interfaces cannot be listed in WASI"),
    ("netpacket/", "there are no raw sockets in WASI"),
    ("execinfo.h", "the stack cannot be walked in WebAssembly"),
    ("linux/", "it is a part of Linux"),
    ("asm/", "it is a part of Linux"),
    ("sys/syscall.h", "it is a part of Linux"),
    ("sys/epoll.h", "it is a part of Linux"),
    ("sys/sysinfo.h", "it is a part of Linux"),
    ("sys/sendfile.h", "it is a part of Linux"),
    ("mach/", "it is a part of macOS"),
    ("windows.h", "it is a part of Windows"),
    ("Windows.h", "it is a part of Windows"),
    ("winsock", "it is a part of Windows"),
    ("arm_neon.h", "it is for another processor"),
    ("cpuid.h", "it is for another processor"),
];

/// What to do about a header that is not found.
pub(crate) fn hint(header: &str) -> String {
    if let Some(library) = Library::with_header(header) {
        return format!(
            "`{header}` belongs to {name}, which can be built for the guest: a recipe with `libraries = [\"{name}\"]` brings it",
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
            "`{header}` belongs to {library}, a system library that no recipe brings; look for a build option that leaves it out, or for one with which the package brings its own"
        ),
        None => format!(
            "the header belongs to a library or a system that is not there, and `{header}` tells not which; look for a build option that leaves it out"
        ),
    }
}

/// What to do about a library that the linker does not find, called as it is behind `-l`.
pub(crate) fn hint_of_archive(name: &str) -> String {
    match Library::with_archive(name) {
        Some(library) => format!(
            "`-l{name}` is {library}, which can be built for the guest: a recipe with `libraries = [\"{library}\"]` brings it",
            library = library.name
        ),
        None => format!(
            "the system library `{name}` is not there for wasm32-wasi, and no recipe brings it; look for a build option that leaves it out"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::{hint, hint_of_archive};

    #[test]
    fn a_header_tells_what_it_belongs_to() {
        assert!(hint("yaml.h").contains("libraries = [\"libyaml\"]"));
        assert!(hint("openssl/ssl.h").contains("OpenSSL, a system library that no recipe brings"));
        assert!(hint("sys/wait.h").contains("no processes"));
        assert!(hint("frobnicate.h").contains("`frobnicate.h` tells not which"));
        assert!(hint_of_archive("jpeg").contains("libjpeg-turbo"));
        assert!(hint_of_archive("ffi").contains("system library `ffi`"));
    }
}
