//! CPython's configure for WASI, with the answers that it cannot find out.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use pymode_toolchain::cc::flags::TARGET;
use pymode_toolchain::{Key, zig};

use crate::context::BuildContext;
use crate::error::Error;
use crate::files::{make_directory, write};
use crate::native::NativePython;
use crate::runtime;
use crate::source::PythonSource;

const CONFIG_SITE: &str = include_str!("../cross/config.site");

const ARGUMENTS: &[&str] = &[
    "-q",
    "--host=wasm32-wasip1",
    "--prefix=/",
    "--with-suffix=.wasm",
    "--disable-ipv6",
    "--disable-test-modules",
    // CPython's default on WASI is to have neither. Measured: with its own allocator a mixed load takes 25 % less time;
    // mimalloc is for threads, and would be 100 KB.
    "--with-pymalloc",
    "--without-mimalloc",
];

// zig makes `__DATE__` an error; here it is the release's date.
const CFLAGS: &str = "-g0 -Wno-error=date-time -Wno-date-time";

/// The steps below.
const RECIPE: &str = include_str!("configured.rs");

/// A configured build tree.
///
/// | path | content |
/// |---|---|
/// | `src` | a link to CPython's source, so that no path of this machine gets into an object |
/// | `include` | our headers |
/// | `build` | what configure wrote |
#[derive(Clone, Debug)]
pub(crate) struct Configured {
    pub(crate) key: Key,
    pub(crate) dir: PathBuf,
}

pub(crate) fn provision(
    context: &BuildContext<'_>,
    source: &PythonSource,
    native: &NativePython,
) -> Result<Configured, Error> {
    let key = Key::new("configured")
        .key("native", &native.key)
        .key("source", &source.key)
        .key("headers", &runtime::headers_key())
        .field("zig", zig::VERSION)
        .field("site", CONFIG_SITE)
        .field("arguments", ARGUMENTS.join(" "))
        .field("flags", CFLAGS)
        .field("recipe", RECIPE);
    let dir = context.cache.entry("python", &key, |dir| {
        lay_out(dir, source)?;
        let build = dir.join("build");
        make_directory(&build)?;
        write(&dir.join("config.site"), CONFIG_SITE)?;

        let compiler = format!("{} -target {TARGET}", context.zig("cc"));
        let mut command = context.command("sh");
        command
            .arg("../src/configure")
            .args(ARGUMENTS)
            .arg(format!("--build={}", build_triple()))
            .arg(format!("--with-build-python={}", native.exe.display()))
            .env(
                "CONFIG_SITE",
                "../src/Tools/wasm/config.site-wasm32-wasi ../config.site",
            )
            .env("DYNLOADFILE", "dynload_pymode.o")
            .env("CC", &compiler)
            .env("CPP", format!("{compiler} -E"))
            .env("AR", context.zig("ar"))
            .env("RANLIB", context.zig("ranlib"))
            .env("CPPFLAGS", "-I../include")
            .env("CFLAGS", CFLAGS)
            // Else the build machine's own libraries are found.
            .env("PKG_CONFIG", "false")
            .env("PKG_CONFIG_LIBDIR", "")
            .current_dir(&build);
        context.run("configuring Python for WASI", "python-configure", command)
    })?;
    Ok(Configured { key, dir })
}

impl Configured {
    /// The same tree again, for a build that writes into it.
    pub(crate) fn copy_to(&self, dir: &Path, source: &PythonSource) -> Result<(), Error> {
        lay_out(dir, source)?;
        crate::files::copy_tree(&self.dir.join("build"), &dir.join("build"))
    }
}

/// The source and our headers, where relative paths find them from `build`.
fn lay_out(dir: &Path, source: &PythonSource) -> Result<(), Error> {
    make_directory(dir)?;
    let link = dir.join("src");
    // The entry's directory is new, so is the link.
    symlink(&source.dir, &link).map_err(Error::io("create", &link))?;
    runtime::write_headers(&dir.join("include"))
}

/// This machine, as GNU names it.
fn build_triple() -> String {
    let system = if cfg!(target_os = "macos") {
        "apple-darwin"
    } else {
        "pc-linux-gnu"
    };
    format!("{}-{system}", std::env::consts::ARCH)
}
