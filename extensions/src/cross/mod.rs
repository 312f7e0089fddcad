//! Cross-compilation settings: standard variables and files that tell a build on this machine to build for the guest.
//!
//! | tool | setting |
//! |---|---|
//! | `sysconfig`, and with it distutils, setuptools, Cython, pybind11 | the guest's own data, `_PYTHON_SYSCONFIGDATA_NAME`, `_PYTHON_HOST_PLATFORM` |
//! | make | `CC`, `CXX`, `AR`, `RANLIB`, `LDSHARED` |
//! | meson | a cross file |
//! | CMake | a toolchain file |
//! | `configure` | `CONFIG_SITE` |
//! | meson and CMake, to run a program | `pymode dl run` |
//! | library lookup | `PKG_CONFIG` with its own directories, the libraries' own `…-config` in `PATH`, `CMAKE_PREFIX_PATH`, `CPPFLAGS`, `LDFLAGS` |
//! | cargo, PyO3, maturin, setuptools-rust | `CARGO_BUILD_TARGET`, flags and linker of that target, `PYO3_CROSS_LIB_DIR` |
//!
//! The hook's own process reports `wasi` as `sys.platform` and `platform.system()`, as crossenv does: a `setup.py` uses them
//! to choose its code. The programs that it starts are tools of this machine, and see this machine.

mod cmake;
mod meson;
mod rust;

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use pymode_abi::VERSION;
use pymode_python::Built;
use pymode_toolchain::rust::RustWasm;
use pymode_toolchain::{Cache, CacheError, Key, Reporter, tools};
use serde::Serialize;

use crate::SOURCES;
use crate::error::Error;
use crate::library::Prefix;

pub(crate) use rust::is_needed as needs_rust;

/// The parts of a built Python that an extension is built against.
#[derive(Clone, Debug)]
pub struct Target {
    /// The native Python that runs the build.
    pub native: PathBuf,
    /// The guest's headers.
    pub include: PathBuf,
    /// The guest's `_sysconfigdata_….py`.
    pub sysconfigdata: PathBuf,
}

impl From<&Built> for Target {
    fn from(built: &Built) -> Self {
        Self {
            native: built.native.clone(),
            include: built.include.clone(),
            sysconfigdata: built.sysconfigdata.clone(),
        }
    }
}

impl Target {
    /// A key that changes when Python changes. The paths are keyed by content.
    pub(crate) fn key(&self) -> Key {
        let mut key = Key::new("target");
        for path in [&self.native, &self.include, &self.sysconfigdata] {
            key = key.field("path", path.to_string_lossy());
        }
        key
    }
}

/// Variables that a build inherits: search paths and network settings, no flags.
const INHERITED: &[&str] = &[
    "HOME",
    "PATH",
    "TMPDIR",
    "CARGO_HOME",
    "RUSTUP_HOME",
    "RUSTUP_TOOLCHAIN",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "PYMODE_CACHE",
];

/// 1980, the earliest time of a zip archive: wheels do not depend on the time of the build.
const EPOCH: &str = "315532800";

/// Variables that make a native Python report the guest's platform.
const DATA: &str = "_PYTHON_SYSCONFIGDATA_NAME";
const PLATFORM: &str = "_PYTHON_HOST_PLATFORM";

const MESON: &str = "meson-cross.ini";
const CMAKE: &str = "toolchain.cmake";
const PKG_CONFIG: &str = "path/pkg-config";
const CONFIG_SITE: &str = "config.site";
const CONFIG_SITE_TEXT: &str = include_str!("../../helpers/config.site");

/// The compilers as single words, the guest's `sysconfig`, and the settings files of build systems.
#[derive(Clone, Debug)]
pub(crate) struct Cross {
    target: Target,
    dir: PathBuf,
    cache: PathBuf,
}

/// Settings of the build helper that are not in its environment.
#[derive(Debug, Serialize)]
pub(crate) struct Settings {
    /// Number of compilers that may run at once.
    jobs: usize,
    /// Argument of `meson setup`.
    meson_cross_file: PathBuf,
    /// Directory for the files that the helper writes for the backend.
    scratch: PathBuf,
}

impl Cross {
    /// Creates the files in the cache.
    pub(crate) fn provision(
        cache: &Cache,
        reporter: &Reporter,
        target: &Target,
        driver: &Path,
    ) -> Result<Self, Error> {
        let pkgconf = tools::pkgconf(cache, reporter)?;
        let key = Key::new("cross")
            .key("target", &target.key())
            .field("pkgconf", pkgconf.to_string_lossy())
            .field("driver", driver.to_string_lossy())
            .field("sources", SOURCES);
        let dir = cache.entry("cross", &key, |dir| {
            // Build systems expect a compiler that is one word, and some look for it by a known name.
            for (name, tool) in [
                ("cc", "cc"),
                ("c++", "c++"),
                ("ar", "ar"),
                ("ranlib", "ranlib"),
                // A build tests the platform by running a program: the guest runs it.
                ("run", "dl run"),
            ] {
                let headers = match tool {
                    "cc" | "c++" => format!(" -I{}", quoted(&target.include)),
                    _ => String::new(),
                };
                let text = format!(
                    "#!/bin/sh\nexec {} {tool}{headers} \"$@\"\n",
                    quoted(driver)
                );
                write_program(&dir.join("bin").join(format!("pymode-{name}")), &text)?;
            }
            // First in `PATH`, for tools that ignore `PKG_CONFIG`. Every library is linked statically.
            let text = format!("#!/bin/sh\nexec {} --static \"$@\"\n", quoted(&pkgconf));
            write_program(&dir.join(PKG_CONFIG), &text)?;
            write(&dir.join(CONFIG_SITE), CONFIG_SITE_TEXT)?;
            write(&dir.join(MESON), &meson::cross_file(&target.native))?;
            write(
                &dir.join(CMAKE),
                &cmake::toolchain_file(&target.native, &target.include),
            )?;
            let name = target.sysconfigdata.file_name().unwrap_or_default();
            let copy = dir.join("modules").join(name);
            make_parent(&copy)?;
            let mut data = fs::read_to_string(&target.sysconfigdata)
                .map_err(CacheError::io("read", &target.sysconfigdata))?;
            data.push_str(&build_suffixes());
            write(&copy, &data)?;
            // The linker has stripped the module; this machine's `strip` does not know the format.
            write_program(&dir.join("bin/pymode-strip"), "#!/bin/sh\nexit 0\n")?;
            Ok::<_, Error>(())
        })?;
        Ok(Self {
            target: target.clone(),
            dir,
            cache: cache.root().to_path_buf(),
        })
    }

    /// Settings of the build helper for a build in `scratch`.
    pub(crate) fn settings(&self, scratch: &Path) -> Settings {
        Settings {
            jobs: jobs(),
            meson_cross_file: self.dir.join(MESON),
            scratch: scratch.to_path_buf(),
        }
    }

    fn tool(&self, name: &str) -> PathBuf {
        self.dir.join("bin").join(format!("pymode-{name}"))
    }

    /// The directory that holds the guest's `sysconfig` data and nothing else.
    fn modules(&self) -> PathBuf {
        self.dir.join("modules")
    }

    /// A native Python that reports the guest's platform: `sysconfig` and the compilers are the guest's. It imports from
    /// `packages` and links with `libraries`.
    pub(crate) fn python(
        &self,
        packages: &Path,
        libraries: &[Prefix],
        rust: Option<&RustWasm>,
    ) -> Command {
        let mut command = Command::new(&self.target.native);
        let path = self.environment(&mut command, libraries);
        let path = before(packages.join("bin"), path);
        let module = self.target.sysconfigdata.file_stem().unwrap_or_default();
        let python_path =
            std::env::join_paths([self.modules().as_path(), packages]).unwrap_or_default();
        command
            .arg("-s")
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("PYTHONHASHSEED", "0")
            .env("PYTHONPATH", python_path)
            .env("PATH", &path)
            .env(DATA, module)
            .env(PLATFORM, format!("pymode-{VERSION}-wasm32"));
        if let Some(rust) = rust {
            self.with_rust(&mut command, rust.bin().as_deref(), path);
        }
        command
    }

    /// Replaces a command's environment with that of a build for the guest. Returns its `PATH`.
    pub(crate) fn environment(&self, command: &mut Command, libraries: &[Prefix]) -> OsString {
        command.env_clear();
        for name in INHERITED {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        let pkg_config = self.dir.join(PKG_CONFIG);
        let mut path = std::env::var_os("PATH").unwrap_or_default();
        // Some libraries have a program such as `xml2-config`, and this machine may have one, too.
        for Prefix(dir) in libraries {
            path = before(dir.join("bin"), path);
        }
        let path = before(pkg_config.parent().unwrap_or(&self.dir).to_path_buf(), path);
        let (cc, cxx) = (self.tool("cc"), self.tool("c++"));
        let shared = |tool: &Path| format!("{} -shared", quoted(tool));
        let jobs = jobs().to_string();
        command
            .env("LC_ALL", "C.UTF-8")
            .env("SOURCE_DATE_EPOCH", EPOCH)
            .env("PATH", &path)
            .env("PYMODE_CACHE", &self.cache)
            .env("LDSHARED", shared(&cc))
            .env("LDCXXSHARED", shared(&cxx))
            .env("CC", cc)
            .env("CXX", cxx)
            .env("AR", self.tool("ar"))
            .env("RANLIB", self.tool("ranlib"))
            .env("CMAKE_TOOLCHAIN_FILE", self.dir.join(CMAKE))
            .env("CMAKE_BUILD_PARALLEL_LEVEL", &jobs)
            .env("CARGO_BUILD_JOBS", &jobs)
            .env("MAKEFLAGS", format!("-j{jobs}"))
            .env("CONFIG_SITE", self.dir.join(CONFIG_SITE))
            .env("PKG_CONFIG", pkg_config)
            // Set even if it is empty, so that this machine's packages are not found.
            .env("PKG_CONFIG_LIBDIR", joined(libraries, "lib/pkgconfig"));
        if !libraries.is_empty() {
            let flags = |flag: &str, below: &str| {
                let dirs = libraries.iter().map(|Prefix(dir)| dir.join(below));
                let flags = dirs.map(|dir| format!("{flag}{}", quoted(&dir)));
                flags.collect::<Vec<_>>().join(" ")
            };
            command
                .env("CMAKE_PREFIX_PATH", joined(libraries, ""))
                .env("CPPFLAGS", flags("-I", "include"))
                .env("LDFLAGS", flags("-L", "lib"));
        }
        path
    }

    /// Makes the Python report this machine's platform: the tools to install depend on the machine that builds.
    pub(crate) fn be_this_machine(&self, python: &mut Command) {
        python.env_remove(DATA).env_remove(PLATFORM);
    }
}

/// Prepends a directory to a list of directories.
fn before(dir: PathBuf, path: OsString) -> OsString {
    std::env::join_paths(std::iter::once(dir).chain(std::env::split_paths(&path))).unwrap_or(path)
}

/// A subdirectory of each prefix, as a list of directories.
fn joined(libraries: &[Prefix], below: &str) -> OsString {
    let dirs = libraries.iter().map(|Prefix(dir)| dir.join(below));
    std::env::join_paths(dirs).unwrap_or_default()
}

/// Number of compilers that may run at once.
pub(crate) fn jobs() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Lines for the guest's `sysconfig` data. During a build, modules have the name that build systems and manifests expect
/// (`*.so`); [`finish`](crate::finish) renames them.
fn build_suffixes() -> String {
    let suffix = pymode_abi::EXT_SUFFIX.trim_end_matches(".wasm");
    format!(
        "\nbuild_time_vars['EXT_SUFFIX'] = '{suffix}.so'\nbuild_time_vars['SHLIB_SUFFIX'] = '.so'\n"
    )
}

/// Quotes a path as one word of a shell.
fn quoted(path: &Path) -> String {
    let text = path.to_string_lossy();
    let quoted = shlex::try_quote(&text).expect("a path contains no NUL");
    quoted.into_owned()
}

fn make_parent(path: &Path) -> Result<(), CacheError> {
    let parent = path.parent().unwrap_or(path);
    fs::create_dir_all(parent).map_err(CacheError::io("create", parent))
}

fn write(path: &Path, text: &str) -> Result<(), CacheError> {
    fs::write(path, text).map_err(CacheError::io("write", path))
}

fn write_program(path: &Path, text: &str) -> Result<(), CacheError> {
    use std::io::Write;
    make_parent(path)?;
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o755);
    }
    options
        .open(path)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(CacheError::io("write", path))
}
