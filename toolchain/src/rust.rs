//! A Rust toolchain that builds for WebAssembly, from the one that builds pymode.
//!
//! In the order tried: the target is installed already; rustup installs it; a private toolchain is made in the cache, which
//! is the machine's own compiler (hard links) with a standard library built from the source of exactly its version. The
//! source is the machine's `rust-src` component, a tar file that `PYMODE_RUST_SRC` names, or Debian's package from the archive
//! that the machine's apt uses.

mod apt;

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::archive::{ArchiveError, unpack};
use crate::cache::{Cache, CacheError};
use crate::debian;
use crate::files::{link, link_tree, list_dir, remove, write};
use crate::key::Key;
use crate::reporter::Reporter;
use crate::step::{Step, StepError};

use apt::{Apt, matching_version};

/// The environment variable that names a `rust-library-VERSION.tar.xz`: the directory `library/` of Rust's source.
pub const SOURCE: &str = "PYMODE_RUST_SRC";

/// A target of a Rust toolchain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Target {
    /// `wasm32-unknown-unknown`: code that runs inside a Worker.
    Worker,
    /// `wasm32-wasip1` with position-independent code and without a libc of its own: side modules.
    Side,
}

impl Target {
    /// Returns the name that `--target` takes.
    pub fn triple(self) -> &'static str {
        match self {
            Target::Worker => "wasm32-unknown-unknown",
            Target::Side => "wasm32-wasip1",
        }
    }

    fn std_flags(self) -> &'static str {
        match self {
            // Without the bitcode, `lto = true` fails later on.
            Target::Worker => "-Cembed-bitcode=yes",
            Target::Side => "-Cembed-bitcode=yes -Crelocation-model=pic",
        }
    }

    /// Returns true if rustup's standard library can be used: that of WASI is not position-independent.
    fn takes_rustups(self) -> bool {
        self == Target::Worker
    }
}

/// An error while providing Rust for WebAssembly.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RustError {
    /// The cache or a file failed.
    #[error(transparent)]
    Cache(#[from] CacheError),
    /// The standard library did not build.
    #[error(transparent)]
    Step(#[from] StepError),
    /// The source's tar file is damaged.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// rustc failed.
    #[error("`rustc {question}` failed: {answer}\n  hint: install Rust with rustup")]
    Rustc {
        /// The arguments.
        question: String,
        /// Its error output.
        answer: String,
    },
    /// The target is not installed, and there is no source to build it from.
    #[error(
        "could not find Rust's standard library for `{}`, and could not find `rust-src` for rustc {version} to build it{}\n  hint: run `rustup target add {0}` with a network connection, or set `{SOURCE}` to a `rust-library-{version}.tar.xz`",
        target.triple(), list(tried)
    )]
    NoSource {
        /// The target.
        target: Target,
        /// The version of the compiler.
        version: String,
        /// The places that were searched, each with the reason why it does not help.
        tried: Vec<String>,
    },
}

/// A toolchain with the target's standard library.
#[derive(Clone, Debug)]
pub struct RustWasm {
    /// The directory of its `bin`, unless it is the machine's own toolchain.
    private: Option<PathBuf>,
    version: String,
}

impl RustWasm {
    /// Returns a command for this toolchain's `cargo`, without the environment that an outer cargo sets.
    pub fn cargo(&self) -> Command {
        let mut cargo = Command::new(match &self.private {
            Some(dir) => dir.join("bin/cargo").into_os_string(),
            None => "cargo".into(),
        });
        clean(&mut cargo);
        if let Some(dir) = &self.private {
            cargo.env("PATH", path_with(&dir.join("bin")));
        }
        cargo
    }

    /// Returns the directory that must come first in `PATH`; none if the machine's own toolchain is used.
    pub fn bin(&self) -> Option<PathBuf> {
        self.private.as_ref().map(|dir| dir.join("bin"))
    }

    /// Returns the output of `rustc --version --verbose`: equal texts mean equal output.
    pub fn version(&self) -> &str {
        &self.version
    }
}

/// Returns the toolchain for `target`: the machine's own, or a private one from the cache. Making one takes about a minute.
///
/// # Errors
/// If there is no rustc, or if neither the target nor its source can be found.
pub fn provision(
    cache: &Cache,
    reporter: &Reporter,
    target: Target,
) -> Result<RustWasm, RustError> {
    let compiler = Compiler::ask()?;
    let private = |dir| RustWasm {
        private: Some(dir),
        version: compiler.verbose.clone(),
    };
    let key = compiler.key(target);
    if let Some(dir) = cache.get("rust", &key) {
        return Ok(private(dir));
    }
    if target.takes_rustups() && (is_installed(target) || rustup_adds(reporter, target)) {
        return Ok(RustWasm {
            private: None,
            version: compiler.verbose,
        });
    }
    let dir = cache.entry("rust", &key, |dir| {
        compiler.link_into(dir)?;
        let library = dir.join("lib/rustlib/src/rust/library");
        compiler.library_source(cache, reporter, target, &library)?;
        build_std(cache, reporter, target, dir)
    })?;
    Ok(private(dir))
}

/// The machine's own compiler.
struct Compiler {
    sysroot: PathBuf,
    host: String,
    version: String,
    verbose: String,
}

impl Compiler {
    fn ask() -> Result<Self, RustError> {
        let verbose = rustc(&["--version", "--verbose"])?;
        let field = |name: &str| {
            verbose
                .lines()
                .find_map(|line| line.strip_prefix(name))
                .map(|value| value.trim().to_owned())
                .ok_or_else(|| RustError::Rustc {
                    question: "--version --verbose".to_owned(),
                    answer: verbose.clone(),
                })
        };
        let (host, version) = (field("host:")?, field("release:")?);
        Ok(Self {
            sysroot: rustc(&["--print", "sysroot"])?.into(),
            host,
            version,
            verbose,
        })
    }

    fn key(&self, target: Target) -> Key {
        Key::new(target.triple())
            .field("rustc", &self.verbose)
            .field("sysroot", self.sysroot.to_string_lossy())
            .field("flags", target.std_flags())
    }

    /// Hard links to what a toolchain needs to run: compilers find their library beside themselves.
    fn link_into(&self, dir: &Path) -> Result<(), CacheError> {
        for name in ["rustc", "rustdoc", "cargo", "cargo-clippy", "clippy-driver"] {
            let program = self.sysroot.join("bin").join(name);
            if program.is_file() {
                link(&program, &dir.join("bin").join(name))?;
            }
        }
        let lib = self.sysroot.join("lib");
        for entry in list_dir(&lib)? {
            let name = entry.file_name();
            let text = name.to_string_lossy();
            if text.starts_with("librustc_driver")
                || text.starts_with("libLLVM")
                || text.starts_with("libstd-")
            {
                link(&entry.path(), &dir.join("lib").join(&name))?;
            }
        }
        link_tree(
            &lib.join("rustlib").join(&self.host),
            &dir.join("lib/rustlib").join(&self.host),
        )
    }

    /// Puts the source of the standard library at `library`.
    fn library_source(
        &self,
        cache: &Cache,
        reporter: &Reporter,
        target: Target,
        library: &Path,
    ) -> Result<(), RustError> {
        let parent = library.parent().unwrap_or(library);
        let component = self.sysroot.join("lib/rustlib/src/rust/library");
        let mut tried = Vec::new();
        if component.join("std/Cargo.toml").is_file() {
            return Ok(link_tree(&component, library)?);
        }
        tried.push("the component `rust-src` is not installed".to_owned());
        if let Some(tar) = std::env::var_os(SOURCE).filter(|path| !path.is_empty()) {
            let tar = PathBuf::from(tar);
            fs::create_dir_all(parent).map_err(CacheError::io("create", parent))?;
            unpack(&tar, parent)?;
            if library.join("std/Cargo.toml").is_file() {
                return Ok(());
            }
            tried.push(format!("no `library/std` in `{}`", tar.display()));
        }
        match self.debian_source(cache, reporter, library)? {
            Ok(()) => Ok(()),
            Err(why) => {
                tried.push(why);
                Err(RustError::NoSource {
                    target,
                    version: self.version.clone(),
                    tried,
                })
            }
        }
    }

    /// Puts Debian's `rust-src` of this version, from the machine's own mirror, at `library`; the machine's package lists do not
    /// change. The inner error is the reason why there is none.
    fn debian_source(
        &self,
        cache: &Cache,
        reporter: &Reporter,
        library: &Path,
    ) -> Result<Result<(), String>, RustError> {
        const SUITES: [&str; 3] = ["trixie-backports", "trixie", "sid"];
        let Some(base) = debian::mirrors("")
            .into_iter()
            .map(|source| source.0)
            .find(|base| base.trim_end_matches('/').ends_with("/debian"))
        else {
            return Ok(Err(
                "no Debian archive is configured on this machine".to_owned()
            ));
        };
        let work = cache
            .root()
            .join("rust")
            .join(format!(".apt-{}", self.version));
        let _lock = cache.lock(&work.with_extension("lock"))?;
        remove(&work)?;
        let apt = Apt::new(&work, &base, &SUITES)?;
        let log = |name: &str| cache.root().join("logs").join(format!("rust-{name}.log"));
        let result = (|| {
            Step::run(
                reporter,
                "reading Debian's package lists",
                apt.command("apt-get", &["-qq", "update"]),
                &log("apt"),
            )?;
            let listing =
                output(apt.command("apt-cache", &["madison", "rust-src"])).unwrap_or_default();
            let Some(version) = matching_version(&listing, &self.version) else {
                return Ok(Err(format!(
                    "Debian has no `rust-src` {} in {}",
                    self.version,
                    SUITES.join(", ")
                )));
            };
            let package = format!("rust-src={version}");
            Step::run(
                reporter,
                &format!("downloading {package}"),
                apt.command("apt-get", &["-qq", "download", &package]),
                &log("apt"),
            )?;
            let deb = list_dir(&work)?
                .into_iter()
                .map(|entry| entry.path())
                .find(|p| p.extension() == Some(OsStr::new("deb")));
            let Some(deb) = deb else {
                return Ok(Err(format!("apt did not leave a file for {package}")));
            };
            let mut dpkg = Command::new("dpkg-deb");
            dpkg.arg("--extract").arg(&deb).arg(work.join("unpacked"));
            Step::run(reporter, "unpacking it", dpkg, &log("apt"))?;
            let from = work.join(format!("unpacked/usr/src/rustc-{}/library", self.version));
            // Debian's copies of the dependencies lack the checksums of the lock file; cargo has its own.
            remove(&from.join("vendor"))?;
            link_tree(&from, library)?;
            Ok(Ok(()))
        })();
        remove(&work)?;
        match result {
            // No network, or a mirror without that suite: the caller reports it with the other places.
            Err(RustError::Step(e)) => Ok(Err(e.to_string())),
            other => other,
        }
    }
}

/// Builds the standard library and puts it where the compiler searches for it.
fn build_std(
    cache: &Cache,
    reporter: &Reporter,
    target: Target,
    dir: &Path,
) -> Result<(), RustError> {
    let work = dir.join("work");
    let project = work.join("project");
    write(&project.join("src/lib.rs"), "")?;
    write(
        &project.join("Cargo.toml"),
        "[package]\nname = \"nothing\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n\
         [profile.release]\nopt-level = 3\npanic = \"abort\"\n",
    )?;
    let mut cargo = RustWasm {
        private: Some(dir.to_path_buf()),
        version: String::new(),
    }
    .cargo();
    let flags = format!(
        "CARGO_TARGET_{}_RUSTFLAGS",
        target.triple().to_uppercase().replace('-', "_")
    );
    cargo
        .args([
            "build",
            "--release",
            "-Zbuild-std=std,panic_abort,test",
            "--target",
            target.triple(),
        ])
        // Building std is a nightly feature; the result is as stable as the compiler's own.
        .env("RUSTC_BOOTSTRAP", "1")
        .env("CARGO_TARGET_DIR", work.join("target"))
        .env(flags, target.std_flags())
        .current_dir(&project);
    let title = format!("building Rust's standard library for {}", target.triple());
    Step::run(
        reporter,
        &title,
        cargo,
        &cache
            .root()
            .join("logs")
            .join(format!("rust-std-{}.log", target.triple())),
    )?;

    let lib = dir.join("lib/rustlib").join(target.triple()).join("lib");
    for entry in list_dir(
        &work
            .join("target")
            .join(target.triple())
            .join("release/deps"),
    )? {
        let name = entry.file_name();
        let text = name.to_string_lossy();
        if text.ends_with(".rlib") && !text.starts_with("libnothing-") {
            link(&entry.path(), &lib.join(&name))?;
        }
    }
    if target == Target::Side {
        // libc comes from the main module: an archive without members satisfies rustc's `-lc`.
        write(&lib.join("self-contained/libc.a"), "!<arch>\n")?;
    }
    Ok(remove(&work)?)
}

fn is_installed(target: Target) -> bool {
    rustc(&["--print", "target-libdir", "--target", target.triple()])
        .is_ok_and(|dir| Path::new(&dir).is_dir())
}

/// Installs the target with rustup. Returns false without rustup, or without a network.
fn rustup_adds(reporter: &Reporter, target: Target) -> bool {
    let mut rustup = Command::new("rustup");
    rustup.args(["target", "add", target.triple()]);
    clean(&mut rustup);
    rustup
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let progress = reporter.start(&format!("rustup target add {}", target.triple()));
    let added = rustup.status().is_ok_and(|status| status.success()) && is_installed(target);
    if added {
        progress.finish();
    }
    added
}

fn rustc(args: &[&str]) -> Result<String, RustError> {
    let mut rustc = Command::new("rustc");
    clean(&mut rustc);
    rustc.args(args);
    output(rustc)
        .map(|text| text.trim().to_owned())
        .map_err(|answer| RustError::Rustc {
            question: args.join(" "),
            answer,
        })
}

/// Runs a command. Returns its standard output, or a description of its failure.
fn output(mut command: Command) -> Result<String, String> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|e| e.to_string())?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        Err(format!(
            "{}\n{}",
            output.status,
            String::from_utf8_lossy(&output.stderr).trim()
        ))
    }
}

/// Removes the environment that an outer cargo, or its user, has set: rustup's cargo exports `LD_LIBRARY_PATH`, through which a
/// private rustc would silently load the libraries of another one.
fn clean(command: &mut Command) {
    for name in [
        "LD_LIBRARY_PATH",
        "DYLD_LIBRARY_PATH",
        "DYLD_FALLBACK_LIBRARY_PATH",
        "CARGO",
        "CARGO_BUILD_RUSTFLAGS",
        "CARGO_BUILD_TARGET",
        "CARGO_ENCODED_RUSTFLAGS",
        "CARGO_MANIFEST_DIR",
        "CARGO_TARGET_DIR",
        "RUSTC",
        "RUSTC_WRAPPER",
        "RUSTC_WORKSPACE_WRAPPER",
        "RUSTDOC",
        "RUSTFLAGS",
    ] {
        command.env_remove(name);
    }
}

fn path_with(first: &Path) -> OsString {
    let rest = std::env::var_os("PATH").unwrap_or_default();
    let all = std::iter::once(first.to_path_buf()).chain(std::env::split_paths(&rest));
    std::env::join_paths(all).unwrap_or_else(|_| first.into())
}

fn list(tried: &[String]) -> String {
    tried
        .iter()
        .map(|line| format!("\n  {}", line.replace('\n', "\n    ")))
        .collect()
}
