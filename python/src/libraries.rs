//! The C libraries of the standard library's modules: which files, which flags.

use std::path::{Path, PathBuf};

use pymode_toolchain::crates::CrateSources;

use crate::error::Error;
use crate::files::walk;
use crate::modules::Library;

/// Sources of a library and the flags to compile them with.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct LibrarySources {
    /// Its files.
    pub sources: Vec<PathBuf>,
    /// Flags of its files.
    pub flags: Vec<String>,
    /// Flags of the module that uses it.
    pub user_flags: Vec<String>,
}

/// SQLite's options: what its distributions and Python's tests expect beyond the defaults.
const SQLITE: &[&str] = &[
    // It is the largest of all: 2.0 MB for speed, 1.3 MB for size.
    "-Os",
    // The flag of CPython's own sources must be the same.
    "-DSQLITE_OMIT_LOAD_EXTENSION",
    "-DSQLITE_THREADSAFE=0",
    "-DSQLITE_ENABLE_COLUMN_METADATA",
    "-DSQLITE_ENABLE_DBSTAT_VTAB",
    "-DSQLITE_ENABLE_FTS3",
    "-DSQLITE_ENABLE_FTS3_PARENTHESIS",
    "-DSQLITE_ENABLE_FTS4",
    "-DSQLITE_ENABLE_FTS5",
    "-DSQLITE_ENABLE_MATH_FUNCTIONS",
    "-DSQLITE_ENABLE_RTREE",
    "-DSQLITE_USE_URI",
    "-DSQLITE_DQS=0",
];

/// The sources of a library, in CPython's own tree or in the crates.
pub(crate) fn sources(
    library: Library,
    modules: &Path,
    crates: &CrateSources,
) -> Result<LibrarySources, Error> {
    Ok(match library {
        Library::Zlib => zlib(crates),
        Library::Bzip2 => {
            let dir = crates.dir("bzip2-sys").join("bzip2-1.0.8");
            LibrarySources {
                sources: list(
                    &dir,
                    "blocksort bzlib compress crctable decompress huffman randtable",
                ),
                // It opens descriptors with POSIX's `fdopen`, which strict C11 hides.
                flags: vec!["-std=gnu11".to_owned()],
                user_flags: vec![include(&dir)],
            }
        }
        Library::Lzma => lzma(crates)?,
        Library::Sqlite => {
            let dir = crates.dir("libsqlite3-sys").join("sqlite3");
            LibrarySources {
                // Ours, which includes SQLite's; it is written beside the makefile.
                sources: vec!["sqlite.c".into()],
                flags: [
                    SQLITE,
                    &["-D_WASI_EMULATED_MMAN", "-D_WASI_EMULATED_GETPID"],
                ]
                .concat()
                .iter()
                .map(|flag| (*flag).to_owned())
                .chain([include(&dir)])
                .collect(),
                user_flags: vec![
                    include(&dir),
                    "-DPY_SQLITE_HAVE_SERIALIZE=1".into(),
                    "-DSQLITE_OMIT_LOAD_EXTENSION".into(),
                ],
            }
        }
        Library::Expat => {
            let dir = modules.join("expat");
            LibrarySources {
                sources: list(&dir, "xmlparse xmlrole xmltok"),
                flags: vec![include(&dir)],
                user_flags: Vec::new(),
            }
        }
        Library::Mpdecimal => {
            let dir = modules.join("_decimal/libmpdec");
            LibrarySources {
                sources: list(
                    &dir,
                    "basearith constants context convolute crt difradix2 fnt fourstep io mpalloc mpdecimal mpsignal \
                     numbertheory sixstep transpose",
                ),
                flags: vec![include(&dir), "-DCONFIG_32=1".into(), "-DANSI=1".into()],
                user_flags: Vec::new(),
            }
        }
    })
}

/// zlib, which the native Python needs too, and packages.
pub fn zlib(crates: &CrateSources) -> LibrarySources {
    let dir = crates.dir("libz-sys").join("src/zlib");
    LibrarySources {
        sources: list(
            &dir,
            "adler32 compress crc32 deflate infback inffast inflate inftrees trees uncompr zutil",
        ),
        flags: vec![include(&dir)],
        user_flags: vec![include(&dir)],
    }
}

fn lzma(crates: &CrateSources) -> Result<LibrarySources, Error> {
    let root = crates.dir("liblzma-sys");
    let liblzma = root.join("xz/src/liblzma");
    let mut sources = Vec::new();
    for dir in [
        "check",
        "common",
        "delta",
        "lz",
        "lzma",
        "rangecoder",
        "simple",
    ] {
        let dir = liblzma.join(dir);
        sources.extend(
            walk(&dir)?
                .files
                .into_iter()
                .filter(|file| is_part_of_lzma(file))
                .map(|file| dir.join(file)),
        );
    }
    sources.extend(list(&root.join("xz/src/common"), "tuklib_physmem"));
    let api = liblzma.join("api");
    let mut flags = vec![
        "-DHAVE_CONFIG_H".to_owned(),
        include(&api),
        include(&root),
        include(&root.join("xz/src/common")),
    ];
    flags.extend(
        [
            "check",
            "common",
            "delta",
            "lz",
            "lzma",
            "rangecoder",
            "simple",
        ]
        .map(|dir| include(&liblzma.join(dir))),
    );
    Ok(LibrarySources {
        sources,
        flags,
        user_flags: vec![include(&api)],
    })
}

/// Returns `true` for a source of the library itself: not a program that generates tables, not a smaller variant of a
/// checksum, nothing with threads.
fn is_part_of_lzma(file: &Path) -> bool {
    let stem = file
        .file_stem()
        .map(|stem| stem.to_string_lossy())
        .unwrap_or_default();
    file.extension().is_some_and(|extension| extension == "c")
        && !stem.ends_with("tablegen")
        && !stem.ends_with("_mt")
        && !["crc32_small", "crc64_small", "crc_clmul_consts_gen"].contains(&&*stem)
}

fn include(dir: &Path) -> String {
    format!("-I{}", dir.display())
}

fn list(dir: &Path, stems: &str) -> Vec<PathBuf> {
    stems
        .split_whitespace()
        .map(|stem| dir.join(format!("{stem}.c")))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::is_part_of_lzma;

    #[test]
    fn lzma_is_compiled_without_generators_twins_and_threads() {
        let wanted = |name: &str| is_part_of_lzma(Path::new(name));
        assert!(wanted("lzma_encoder.c"));
        for name in [
            "fastpos_tablegen.c",
            "crc32_small.c",
            "stream_encoder_mt.c",
            "Makefile.inc",
            "check.h",
        ] {
            assert!(!wanted(name), "{name}");
        }
    }
}
