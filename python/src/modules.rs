//! Which C modules of the standard library are side modules, which are not there at all.
//!
//! Whatever is not named here is linked into python.wasm, as CPython's configure decides for WASI. A side module costs
//! nothing until it is imported, so what is large and seldom imported is one; `bench/` has the sizes.

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

/// The side modules of the standard library, sorted by name.
pub(crate) const SIDE: &[SideModule] = &[
    SideModule {
        library: Some(Library::Bzip2),
        ..plain("_bz2", &["_bz2module.c"])
    },
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
    SideModule {
        library: Some(Library::Lzma),
        ..plain("_lzma", &["_lzmamodule.c"])
    },
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
    SideModule {
        library: Some(Library::Zlib),
        ..plain("zlib", &["zlibmodule.c"])
    },
];

/// `Modules/Setup.local`: takes the side modules out of libpython.
pub(crate) fn setup_local() -> String {
    let mut text = String::from("*disabled*\n");
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
    fn each_side_module_is_kept_out_of_libpython() {
        let text = setup_local();
        let mut lines = text.lines();
        assert_eq!(lines.next(), Some("*disabled*"));
        assert!(lines.eq(SIDE.iter().map(|module| module.name)));
    }
}
