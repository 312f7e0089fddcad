//! Runs zig for a parsed command line.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, ExitStatus};

use super::args::{Goal, Invocation, Language};
use super::failure::Notes;
use super::flags;
use super::linker::{Input, LinkArgs, Module};
use super::response::{self, ResponseError};
use crate::cache::{Cache, CacheError};
use crate::dlfcn::{self, Dlfcn};
use crate::libcxx::{self, Libcxx};
use crate::process;
use crate::reporter::Reporter;
use crate::zig::{self, Zig};

/// An error of the driver itself, as opposed to those that compiler and linker report.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(super) enum CcError {
    /// A word that is not valid Unicode.
    #[error("the argument `{}` is not valid Unicode", arg.display())]
    NotUnicode {
        /// The word.
        arg: OsString,
    },
    /// A response file.
    #[error(transparent)]
    Response(#[from] ResponseError),
    /// zig cannot be provided, or the cache failed.
    #[error(transparent)]
    Toolchain(#[from] crate::Error),
    /// A file that the driver reads or writes itself.
    #[error(transparent)]
    File(#[from] CacheError),
    /// zig cannot be started.
    #[error("cannot start `{}`: {source}", exe.display())]
    Start {
        /// The executable.
        exe: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// Nothing to do.
    #[error("no input files")]
    NoInput,
    /// A symbol of a library that a program cannot be linked with.
    #[error("`{symbol}` of `{}` cannot be linked with a program: {reason}", library.display())]
    Symbol {
        /// The symbol.
        symbol: String,
        /// The library.
        library: PathBuf,
        /// Why, and perhaps a hint.
        reason: &'static str,
    },
}

impl From<CacheError> for Box<CcError> {
    fn from(e: CacheError) -> Self {
        Box::new(CcError::File(e))
    }
}

/// Runs `pymode cc ARGS…` or `pymode c++ ARGS…`: gcc's command line, for wasm32-wasi. Returns the exit code of the compiler or
/// the linker.
pub fn run(language: Language, args: impl IntoIterator<Item = OsString>) -> ExitCode {
    report(Driver::new(language).and_then(|mut driver| driver.run(args)))
}

/// Runs `pymode ar ARGS…`.
pub fn ar(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    report(plain_tool("ar", args))
}

/// Runs `pymode ranlib ARGS…`.
pub fn ranlib(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    report(plain_tool("ranlib", args))
}

fn plain_tool(tool: &str, args: impl IntoIterator<Item = OsString>) -> Result<ToolExit, CcError> {
    let reporter = Reporter::stderr();
    let cache = Cache::open()
        .map_err(crate::Error::from)?
        .with_reporter(&reporter);
    let zig = zig::provision(&cache, &reporter)?;
    let mut command = zig.command(tool);
    command.args(args);
    status(&zig, command)
}

fn report(result: Result<ToolExit, CcError>) -> ExitCode {
    match result {
        Ok(ToolExit(code)) => ExitCode::from(code),
        Err(e) => {
            eprintln!("pymode cc: error: {e}");
            ExitCode::FAILURE
        }
    }
}

/// The exit code of compiler or linker.
pub(super) struct ToolExit(u8);

impl ToolExit {
    pub(super) const WELL: Self = Self(0);
    pub(super) const FAILED: Self = Self(1);

    pub(super) fn well(&self) -> bool {
        self.0 == 0
    }
}

pub(super) struct Driver {
    language: Language,
    cache: Cache,
    reporter: Reporter,
    zig: Zig,
    dlfcn: Dlfcn,
    /// Headers of what each program has besides libc.
    include: PathBuf,
    notes: Option<Notes>,
}

impl Driver {
    fn new(language: Language) -> Result<Self, CcError> {
        let reporter = Reporter::stderr();
        let cache = Cache::open()
            .map_err(crate::Error::from)?
            .with_reporter(&reporter);
        let zig = zig::provision(&cache, &reporter)?;
        let dlfcn = dlfcn::provision(&cache, &reporter, &zig)?;
        let include = process::include(&cache, &reporter, &zig)?;
        Ok(Self {
            language,
            cache,
            reporter,
            zig,
            dlfcn,
            include,
            notes: None,
        })
    }

    fn run(&mut self, args: impl IntoIterator<Item = OsString>) -> Result<ToolExit, CcError> {
        let args: Vec<String> = args
            .into_iter()
            .map(|arg| arg.into_string().map_err(|arg| CcError::NotUnicode { arg }))
            .collect::<Result<_, _>>()?;
        self.notes = Notes::of(self.language.tool(), &args);
        let mut invocation = Invocation::parse(&response::expand(&args)?);
        for note in &invocation.notes {
            eprintln!("pymode cc: note: {note}");
        }
        match invocation.goal {
            Goal::Ask => {
                let mut command = self.compiler(None);
                // clang calls the name that zig goes by deprecated; the answer on stdout is what was asked for.
                command.arg("-Wno-deprecated").args(&invocation.compile);
                self.status(command)
            }
            Goal::AskLinker => {
                let mut command = self.zig.command("wasm-ld");
                command.arg("--version");
                self.status(command)
            }
            Goal::Compile => {
                invocation.name_debug_info();
                self.compile(&invocation)
            }
            Goal::Link(module) => {
                invocation.name_debug_info();
                self.link(&invocation, module)
            }
        }
    }

    pub(super) fn status(&self, mut command: Command) -> Result<ToolExit, CcError> {
        match &self.notes {
            Some(notes) => notes
                .run(&mut command)
                .map(code)
                .map_err(cannot_start(&self.zig)),
            None => status(&self.zig, command),
        }
    }

    /// The compiler for `file`, or for no file in particular. A name that only C++ uses is C++ in both drivers: build
    /// systems compile with `CC`, and link with `CXX`.
    pub(super) fn compiler(&self, file: Option<&str>) -> Command {
        let language = match file {
            Some(file) if is_cxx_source(file) => Language::Cxx,
            _ => self.language,
        };
        let mut command = self.zig.command(language.tool());
        command
            .args(flags::COMPILE)
            .args(flags::EXCEPTIONS)
            .arg("-I")
            .arg(self.dlfcn.include())
            .arg("-I")
            .arg(&self.include);
        if language == Language::Cxx {
            command.args(flags::COMPILE_CXX).args(libcxx::COMPILE);
        }
        if std::env::var_os("SOURCE_DATE_EPOCH").is_none() {
            // `__DATE__` and `__TIME__`: the same source gives the same bytes.
            command.env("SOURCE_DATE_EPOCH", "0");
        }
        command
    }

    fn compile(&self, invocation: &Invocation) -> Result<ToolExit, CcError> {
        let sources: Vec<&str> = files(&invocation.link).collect();
        if let [file] = sources[..]
            && is_source(file)
        {
            let output = invocation.link.output.as_deref();
            let output: Vec<&str> = output.iter().flat_map(|path| ["-o", path]).collect();
            return self.object(file, &invocation.compile, &output);
        }
        let mut command = self.compiler(files(&invocation.link).next());
        command.args(&invocation.compile);
        if let Some(output) = &invocation.link.output {
            command.args(["-o", output]);
        }
        command.args(files(&invocation.link));
        self.status(command)
    }

    fn link(&self, invocation: &Invocation, module: Module) -> Result<ToolExit, CcError> {
        if files(&invocation.link).next().is_none() {
            return Err(CcError::NoInput);
        }
        let scratch =
            tempfile::tempdir().map_err(CacheError::io("create", &std::env::temp_dir()))?;
        let mut link = invocation.link.clone();
        if let Some(failed) = self.compile_sources(invocation, &mut link, scratch.path())? {
            return Ok(failed);
        }
        match module {
            Module::Side => self.link_side(&link, scratch.path()),
            Module::Main => self.link_program(&link, scratch.path()),
        }
    }

    /// Replaces each source on the link line by its object.
    fn compile_sources(
        &self,
        invocation: &Invocation,
        link: &mut LinkArgs,
        scratch: &Path,
    ) -> Result<Option<ToolExit>, CcError> {
        for (n, input) in link.inputs.iter_mut().enumerate() {
            let Input::File(file) = input else { continue };
            if !is_source(file) {
                continue;
            }
            let object = scratch
                .join(format!("{n}.o"))
                .to_string_lossy()
                .into_owned();
            let compile = [&invocation.compile[..], &["-c".to_owned()]].concat();
            let ended = self.object(file, &compile, &["-o", &object])?;
            if !ended.well() {
                return Ok(Some(ended));
            }
            *file = object;
        }
        Ok(None)
    }

    pub(super) fn cache(&self) -> &Cache {
        &self.cache
    }

    pub(super) fn reporter(&self) -> &Reporter {
        &self.reporter
    }

    pub(super) fn zig(&self) -> &Zig {
        &self.zig
    }

    pub(super) fn dlfcn(&self) -> &Dlfcn {
        &self.dlfcn
    }

    /// Returns true if it was called as the C++ compiler.
    pub(super) fn is_cxx(&self) -> bool {
        self.language == Language::Cxx
    }

    pub(super) fn needs_libcxx(&self, link: &LinkArgs) -> bool {
        self.language == Language::Cxx || link.cxx_library
    }

    pub(super) fn libcxx(&self) -> Result<Libcxx, CcError> {
        Ok(libcxx::provision(&self.cache, &self.reporter, &self.zig)?)
    }
}

pub(super) fn files(link: &LinkArgs) -> impl Iterator<Item = &str> {
    link.inputs.iter().filter_map(|input| match input {
        Input::File(file) => Some(file.as_str()),
        _ => None,
    })
}

fn is_source(file: &str) -> bool {
    is_cxx_source(file) || has_suffix(file, &["c", "s", "S", "i", "m"])
}

pub(super) fn is_cxx_source(file: &str) -> bool {
    has_suffix(file, &["cc", "cp", "cpp", "cxx", "c++", "CPP", "C", "ii"])
}

fn has_suffix(file: &str, suffixes: &[&str]) -> bool {
    Path::new(file)
        .extension()
        .and_then(|ext| ext.to_str())
        .is_some_and(|ext| suffixes.contains(&ext))
}

fn status(zig: &Zig, mut command: Command) -> Result<ToolExit, CcError> {
    command.status().map(code).map_err(cannot_start(zig))
}

fn cannot_start(zig: &Zig) -> impl FnOnce(io::Error) -> CcError {
    let exe = zig.exe.clone();
    move |source| CcError::Start { exe, source }
}

fn code(status: ExitStatus) -> ToolExit {
    match status.code() {
        Some(0) => ToolExit::WELL,
        Some(code) => ToolExit(u8::try_from(code).unwrap_or(1)),
        None => ToolExit(1), // ToolExit by a signal.
    }
}
