//! The C modules of the standard library: linked into python.wasm, or loaded at run time.
//!
//! A side module costs nothing until it is imported, so large modules that few programs import are side modules. A module
//! that is not named here is linked into python.wasm if CPython's configure enables it for WASI.
//!
//! Some are not available: `mmap`, because what is written to libc's emulation never reaches the file; `fcntl`,
//! `resource`, `termios`, `_posixsubprocess` and `_multiprocessing`, because WASI has no such thing; `_ctypes` and
//! `_ssl`, because libffi and OpenSSL have not been brought here.

/// A module of the standard library that is loaded at run time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SideModule {
    /// Its name, which is also its file's.
    pub(crate) name: &'static str,
    /// Its own sources, below CPython's `Modules/`.
    pub(crate) sources: &'static [&'static str],
    /// Flags of its own sources; `{modules}` stands for CPython's `Modules/`.
    pub(crate) flags: &'static [&'static str],
    /// The library that is linked into it.
    pub(crate) library: Option<Library>,
}

/// A C library, compiled into the one side module that uses it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Library {
    Bzip2,
    Expat,
    Lzma,
    Mpdecimal,
    Sqlite,
    Zlib,
}

const fn plain(name: &'static str, sources: &'static [&'static str]) -> SideModule {
    SideModule {
        name,
        sources,
        flags: &[],
        library: None,
    }
}

/// A module that is linked into python.wasm though configure leaves it out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LinkedModule {
    pub(crate) name: &'static str,
    pub(crate) source: &'static str,
    /// The library that it needs.
    pub(crate) library: Option<Library>,
}

const fn linked(
    name: &'static str,
    source: &'static str,
    library: Option<Library>,
) -> LinkedModule {
    LinkedModule {
        name,
        source,
        library,
    }
}

/// `shutil` imports the compressors to see which it has, and half of the library imports `shutil`. Configure takes `grp` and `pwd`
/// for stubs on WASI; `runtime/user.c` has their functions.
pub(crate) const LINKED: &[LinkedModule] = &[
    linked("_bz2", "_bz2module.c", Some(Library::Bzip2)),
    linked("_lzma", "_lzmamodule.c", Some(Library::Lzma)),
    linked("grp", "grpmodule.c", None),
    linked("pwd", "pwdmodule.c", None),
    linked("zlib", "zlibmodule.c", Some(Library::Zlib)),
];

/// The side modules of the standard library, sorted by name.
pub(crate) const SIDE: &[SideModule] = &[
    plain("_codecs_cn", &["cjkcodecs/_codecs_cn.c"]),
    plain("_codecs_hk", &["cjkcodecs/_codecs_hk.c"]),
    plain("_codecs_iso2022", &["cjkcodecs/_codecs_iso2022.c"]),
    plain("_codecs_jp", &["cjkcodecs/_codecs_jp.c"]),
    plain("_codecs_kr", &["cjkcodecs/_codecs_kr.c"]),
    plain("_codecs_tw", &["cjkcodecs/_codecs_tw.c"]),
    SideModule {
        flags: &["-I{modules}/_decimal/libmpdec", "-DCONFIG_32=1", "-DANSI=1"],
        library: Some(Library::Mpdecimal),
        ..plain("_decimal", &["_decimal/_decimal.c"])
    },
    SideModule {
        flags: &["-I{modules}/expat"],
        ..plain("_elementtree", &["_elementtree.c"])
    },
    plain("_interpchannels", &["_interpchannelsmodule.c"]),
    plain("_interpqueues", &["_interpqueuesmodule.c"]),
    plain("_interpreters", &["_interpretersmodule.c"]),
    plain("_lsprof", &["_lsprof.c", "rotatingtree.c"]),
    plain("_multibytecodec", &["cjkcodecs/multibytecodec.c"]),
    SideModule {
        flags: &["-I{modules}/_sqlite"],
        library: Some(Library::Sqlite),
        ..plain(
            "_sqlite3",
            &[
                "_sqlite/blob.c",
                "_sqlite/connection.c",
                "_sqlite/cursor.c",
                "_sqlite/microprotocols.c",
                "_sqlite/module.c",
                "_sqlite/prepare_protocol.c",
                "_sqlite/row.c",
                "_sqlite/statement.c",
                "_sqlite/util.c",
            ],
        )
    },
    plain("cmath", &["cmathmodule.c"]),
    SideModule {
        flags: &["-I{modules}/expat"],
        library: Some(Library::Expat),
        ..plain("pyexpat", &["pyexpat.c"])
    },
    plain("unicodedata", &["unicodedata.c"]),
];

/// `Modules/Setup.local`: adds the linked modules to libpython and takes the side modules out of it. `flags` are those
/// of each linked module, in their order.
pub(crate) fn setup_local(flags: &[Vec<String>]) -> String {
    let mut text = String::from("*static*\n");
    for (module, flags) in LINKED.iter().zip(flags) {
        text.push_str(&format!(
            "{} {} {}\n",
            module.name,
            module.source,
            flags.join(" ")
        ));
    }
    text.push_str("*disabled*\n");
    for module in SIDE {
        text.push_str(module.name);
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{SIDE, setup_local};

    #[test]
    fn side_modules_are_sorted_and_distinct() {
        assert!(SIDE.is_sorted_by(|a, b| a.name < b.name));
    }

    #[test]
    fn linked_modules_are_added_and_side_modules_taken_out() {
        let text = setup_local(&[
            vec!["-I/b".into()],
            vec![],
            vec![],
            vec![],
            vec!["-I/z".into(), "-DZ".into()],
        ]);
        let mut lines = text.lines();
        let first: Vec<_> = lines.by_ref().take(7).collect();
        assert_eq!(
            first,
            [
                "*static*",
                "_bz2 _bz2module.c -I/b",
                "_lzma _lzmamodule.c ",
                "grp grpmodule.c ",
                "pwd pwdmodule.c ",
                "zlib zlibmodule.c -I/z -DZ",
                "*disabled*"
            ]
        );
        assert!(lines.eq(SIDE.iter().map(|module| module.name)));
    }
}
