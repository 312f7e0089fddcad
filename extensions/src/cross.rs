//! How a build that runs on this machine is told that it builds for the guest: in the standard ways, none of ours.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use pymode_abi::VERSION;
use pymode_python::Built;
use pymode_toolchain::{Cache, CacheError, Key};

use crate::error::Error;

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
    /// What changes when Python changes: the paths are keyed by content.
    pub(crate) fn key(&self) -> Key {
        let mut key = Key::new("target");
        for path in [&self.native, &self.include, &self.sysconfigdata] {
            key = key.field("path", path.to_string_lossy());
        }
        key
    }
}

/// What a build inherits of the caller's environment: where things are and how the network is reached, and no flags.
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

/// 1980, the earliest time that a zip archive can hold: wheels do not depend on when they are built.
const EPOCH: &str = "315532800";

/// The compilers as single words, and the guest's `sysconfig`.
#[derive(Clone, Debug)]
pub(crate) struct Cross {
    target: Target,
    bin: PathBuf,
    modules: PathBuf,
    cache: PathBuf,
}

impl Cross {
    /// Lays them out in the cache.
    pub(crate) fn provision(cache: &Cache, target: &Target, driver: &Path) -> Result<Self, Error> {
        let key = Key::new("cross")
            .key("target", &target.key())
            .field("driver", driver.to_string_lossy())
            .field("recipe", include_str!("cross.rs"));
        let dir = cache.entry("cross", &key, |dir| {
            // Build systems want a compiler that is one word, and some ask for it by a name they know.
            for (name, tool) in [
                ("cc", "cc"),
                ("c++", "c++"),
                ("ar", "ar"),
                ("ranlib", "ranlib"),
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
            let name = target.sysconfigdata.file_name().unwrap_or_default();
            let copy = dir.join("modules").join(name);
            make_parent(&copy)?;
            fs::copy(&target.sysconfigdata, &copy)
                .map_err(CacheError::io("copy", &target.sysconfigdata))?;
            Ok::<_, Error>(())
        })?;
        Ok(Self {
            target: target.clone(),
            bin: dir.join("bin"),
            modules: dir.join("modules"),
            cache: cache.root().to_path_buf(),
        })
    }

    /// A Python that runs on this machine and believes that it is the guest's: `sysconfig` and the compilers are. What it
    /// imports beside its own library is in `packages`.
    pub(crate) fn python(&self, packages: &Path) -> Command {
        let mut command = Command::new(&self.target.native);
        command.env_clear();
        for name in INHERITED {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        let path = |dirs: &[&Path]| {
            let inherited = std::env::var_os("PATH").unwrap_or_default();
            let rest = std::env::split_paths(&inherited).collect::<Vec<_>>();
            std::env::join_paths(dirs.iter().map(|dir| dir.to_path_buf()).chain(rest))
                .unwrap_or(inherited)
        };
        let tool = |name: &str| self.bin.join(format!("pymode-{name}"));
        let module = self.target.sysconfigdata.file_stem().unwrap_or_default();
        let python_path = std::env::join_paths([&self.modules, packages]).unwrap_or_default();
        let (cc, cxx) = (tool("cc"), tool("c++"));
        let shared = |tool: &Path| format!("{} -shared", quoted(tool));
        command
            .arg("-s")
            .env("LC_ALL", "C.UTF-8")
            .env("SOURCE_DATE_EPOCH", EPOCH)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("PYTHONHASHSEED", "0")
            .env("PYTHONPATH", python_path)
            .env("PATH", path(&[&packages.join("bin")]))
            .env("PYMODE_CACHE", &self.cache)
            .env("_PYTHON_SYSCONFIGDATA_NAME", module)
            .env("_PYTHON_HOST_PLATFORM", format!("pymode-{VERSION}-wasm32"))
            .env("LDSHARED", shared(&cc))
            .env("LDCXXSHARED", shared(&cxx))
            .env("CC", cc)
            .env("CXX", cxx)
            .env("AR", tool("ar"))
            .env("RANLIB", tool("ranlib"));
        command
    }
}

/// A path as one word of a shell.
fn quoted(path: &Path) -> String {
    let text = path.to_string_lossy();
    if text
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || "/._+-".contains(c))
    {
        text.into_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

fn make_parent(path: &Path) -> Result<(), CacheError> {
    let parent = path.parent().unwrap_or(path);
    fs::create_dir_all(parent).map_err(CacheError::io("create", parent))
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
