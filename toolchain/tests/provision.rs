//! The real things: zig, uv and the C sources, as this machine can have them.

use std::path::Path;

use pymode_toolchain::{Cache, Reporter, crates, uv, zig};

#[test]
fn zig_uv_and_c_sources_are_to_be_had() {
    let reporter = Reporter::stderr();
    let cache = Cache::open().expect("a cache").with_reporter(&reporter);
    let zig = zig::provision(&cache, &reporter).unwrap_or_else(|e| panic!("{e}"));
    let version = zig.command("version").output().expect("zig starts");
    assert_eq!(
        String::from_utf8_lossy(&version.stdout).trim(),
        zig::VERSION
    );

    let uv = uv::provision(&cache, &reporter).unwrap_or_else(|e| panic!("{e}"));
    let version = uv.command().arg("--version").output().expect("uv starts");
    assert!(String::from_utf8_lossy(&version.stdout).contains(uv::VERSION));

    let sources = crates::sources(&cache, &reporter).unwrap_or_else(|e| panic!("{e}"));
    let has = |name: &str, file: &str| {
        let path = sources.dir(name).join(Path::new(file));
        assert!(path.is_file(), "`{}` is missing", path.display());
    };
    has("libz-sys", "src/zlib/inflate.c");
    has("bzip2-sys", "bzip2-1.0.8/bzlib.c");
    has("liblzma-sys", "xz/src/liblzma/api/lzma.h");
    has("libsqlite3-sys", "sqlite3/sqlite3.c");
}
