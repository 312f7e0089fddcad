//! Builds C libraries with their own CMake build, configured for the guest, and installs them in a prefix.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use pymode_python::zlib;
use pymode_toolchain::archive::unpack;
use pymode_toolchain::{
    Cache, CacheError, Reporter, Step, cc, crates, debian, download, link_tree, tools,
};

use super::{CRATES, Library, Source};
use crate::SOURCES;
use crate::cross::{Cross, jobs};
use crate::error::Error;

/// A directory with `include`, `lib` and `lib/pkgconfig`.
#[derive(Clone, Debug)]
pub(crate) struct Prefix(pub(crate) PathBuf);

/// Returns the libraries and those that they need, from the cache or built now.
///
/// # Errors
/// When a source is not available or does not build.
pub(crate) fn provision(
    cache: &Cache,
    reporter: &Reporter,
    cross: &Cross,
    libraries: &[Library],
) -> Result<Vec<Prefix>, Error> {
    let mut prefixes: Vec<Prefix> = Vec::new();
    for library in libraries {
        let needs = provision(cache, reporter, cross, &library.needs)?;
        let key = library
            .key()
            .key("cc", &cc::key())
            .field("sources", SOURCES);
        // Files of a prefix contain its path, so they are built for the final one.
        let prefix = cache.root().join("libraries").join(key.hex());
        let dir = cache.entry("libraries", &key, |dir| {
            let work = Work {
                cache,
                reporter,
                cross,
                library,
                needs: &needs,
                dir: &cache.root().join("builds").join(key.hex()),
            };
            remove(work.dir)?;
            work.make(&prefix, dir)?;
            Ok::<_, Error>(remove(work.dir)?)
        })?;
        for prefix in needs.into_iter().chain([Prefix(dir)]) {
            if prefixes.iter().all(|known| known.0 != prefix.0) {
                prefixes.push(prefix);
            }
        }
    }
    Ok(prefixes)
}

struct Work<'w> {
    cache: &'w Cache,
    reporter: &'w Reporter,
    cross: &'w Cross,
    library: &'w Library,
    needs: &'w [Prefix],
    dir: &'w Path,
}

impl Work<'_> {
    fn make(&self, prefix: &Path, into: &Path) -> Result<(), Error> {
        let source = self.source()?;
        let build = self.dir.join("build");
        let cmake = tools::cmake(self.cache, self.reporter)?;
        let command = || {
            let mut command = Command::new(&cmake);
            self.cross.environment(&mut command, self.needs);
            command
        };
        let mut configure = command();
        configure
            .args(["-G", "Unix Makefiles", "-DCMAKE_BUILD_TYPE=Release"])
            .args(["-DBUILD_SHARED_LIBS=OFF", "-DBUILD_TESTING=OFF"])
            .args(["-DCMAKE_INSTALL_LIBDIR=lib", "-DCMAKE_C_FLAGS=-DNDEBUG"])
            .arg(format!("-DCMAKE_INSTALL_PREFIX={}", prefix.display()))
            .args(self.library.cmake.iter().map(|(k, v)| format!("-D{k}={v}")))
            .arg("-S")
            .arg(&source)
            .arg("-B")
            .arg(&build);
        self.run("configuring", configure)?;
        let mut compile = command();
        compile
            .arg("--build")
            .arg(&build)
            .arg(format!("-j{}", jobs()));
        self.run("building", compile)?;
        let stage = self.dir.join("stage");
        let mut install = command();
        install.arg("--install").arg(&build).env("DESTDIR", &stage);
        self.run("installing", install)?;

        let below = prefix.strip_prefix("/").unwrap_or(prefix);
        link_tree(&stage.join(below), into)?;
        self.require(into)
    }

    /// Fails unless the library's headers and archives were installed.
    fn require(&self, dir: &Path) -> Result<(), Error> {
        let headers = self.library.headers.iter();
        let archives = self.library.archives.iter();
        let include = self.library.include.as_ref();
        let include = include.map_or("include".to_owned(), |below| format!("include/{below}"));
        let missing: Vec<String> = headers
            .map(|header| format!("{include}/{header}"))
            .chain(archives.map(|name| format!("lib/lib{name}.a")))
            .filter(|file| !dir.join(file).is_file())
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        Err(Error::Build {
            what: format!("{} {}", self.library.name, self.library.version),
            reason: format!("  its build did not install {}", missing.join(", ")),
        })
    }

    /// The library's source tree, with a `CMakeLists.txt`.
    fn source(&self) -> Result<PathBuf, Error> {
        match &self.library.source {
            Source::Python => self.of_python(),
            Source::Crate { name, dir } => {
                let crates = CRATES.sources(self.cache, self.reporter)?;
                Ok(crates.dir(name).join(dir))
            }
            Source::Archive { path, sha256, dir } => {
                let file = path.rsplit('/').next().unwrap_or(path);
                let archive = download(
                    self.cache,
                    self.reporter,
                    file,
                    &debian::mirrors(path),
                    sha256,
                )?;
                let source = self.dir.join("source");
                unpack(&archive, &source)?;
                Ok(source.join(dir))
            }
        }
    }

    /// A `CMakeLists.txt` for the library's files in Python's own build.
    fn of_python(&self) -> Result<PathBuf, Error> {
        let sources = zlib(&crates::sources(self.cache, self.reporter)?);
        let (name, version) = (&self.library.archives[0], &self.library.version);
        let quoted = |text: &str| format!("[==[{text}]==]");
        let list = |paths: Vec<String>| {
            paths
                .iter()
                .map(|path| quoted(path))
                .collect::<Vec<_>>()
                .join("\n  ")
        };
        let dir = sources.sources[0].parent().unwrap_or(Path::new("/"));
        let headers = self.library.headers.iter();
        let headers = list(
            headers
                .map(|header| dir.join(header).display().to_string())
                .collect(),
        );
        let files = sources
            .sources
            .iter()
            .map(|path| path.display().to_string());
        let text = format!(
            "cmake_minimum_required(VERSION 3.15)
project({name} C)
add_library({name} STATIC
  {files})
target_compile_options({name} PRIVATE
  {flags})
install(TARGETS {name} ARCHIVE DESTINATION lib)
install(FILES
  {headers}
  DESTINATION include)
file(WRITE ${{CMAKE_BINARY_DIR}}/{package}.pc \"prefix=${{CMAKE_INSTALL_PREFIX}}\\nName: {package}\\nDescription: {package}\\nVersion: {version}\\nLibs: -L\\${{prefix}}/lib -l{name}\\nCflags: -I\\${{prefix}}/include\\n\")
install(FILES ${{CMAKE_BINARY_DIR}}/{package}.pc DESTINATION lib/pkgconfig)
",
            files = list(files.collect()),
            flags = list(sources.flags.clone()),
            package = self.library.name,
        );
        let source = self.dir.join("source");
        fs::create_dir_all(&source).map_err(CacheError::io("create", &source))?;
        let file = source.join("CMakeLists.txt");
        fs::write(&file, text).map_err(CacheError::io("write", &file))?;
        Ok(source)
    }

    fn run(&self, doing: &str, command: Command) -> Result<(), Error> {
        let name = format!("{} {}", self.library.name, self.library.version);
        let log = self.cache.root().join("logs");
        let log = log.join(format!("{}-{doing}.log", name.replace(' ', "-")));
        Ok(Step::run(
            self.reporter,
            &format!("{doing} {name}"),
            command,
            &log,
        )?)
    }
}

fn remove(dir: &Path) -> Result<(), CacheError> {
    match fs::remove_dir_all(dir) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(CacheError::io("delete", dir)(e)),
        _ => Ok(()),
    }
}
