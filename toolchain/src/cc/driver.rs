//! Runs zig for a parsed command line.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, ExitStatus};

use super::args::{Goal, Invocation, Language};
use super::failure::Notes;
use super::linker::{Input, LinkArgs, Module};
use super::response::{self, ResponseError};
use super::symbols::{defines, hide_weak_definitions};
use super::{abi_section, flags, runtime};
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

fn plain_tool(tool: &str, args: impl IntoIterator<Item = OsString>) -> Result<Ended, CcError> {
    let reporter = Reporter::stderr();
    let cache = Cache::open()
        .map_err(crate::Error::from)?
        .with_reporter(&reporter);
    let zig = zig::provision(&cache, &reporter)?;
    let mut command = zig.command(tool);
    command.args(args);
    status(&zig, command)
}

fn report(result: Result<Ended, CcError>) -> ExitCode {
    match result {
        Ok(Ended(code)) => ExitCode::from(code),
        Err(e) => {
            eprintln!("pymode cc: error: {e}");
            ExitCode::FAILURE
        }
    }
}

/// The exit code of compiler or linker.
pub(super) struct Ended(u8);

impl Ended {
    pub(super) const WELL: Self = Self(0);

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

    fn run(&mut self, args: impl IntoIterator<Item = OsString>) -> Result<Ended, CcError> {
        let args: Vec<String> = args
            .into_iter()
            .map(|arg| arg.into_string().map_err(|arg| CcError::NotUnicode { arg }))
            .collect::<Result<_, _>>()?;
        self.notes = Notes::of(self.language.tool(), &args);
        let invocation = Invocation::parse(&response::expand(&args)?);
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
            Goal::Compile => self.compile(&invocation),
            Goal::Link(module) => self.link(&invocation, module),
        }
    }

    pub(super) fn status(&self, mut command: Command) -> Result<Ended, CcError> {
        match &self.notes {
            Some(notes) => notes
                .run(&mut command)
                .map(code)
                .map_err(cannot_start(&self.zig)),
            None => status(&self.zig, command),
        }
    }

    /// The compiler for `file`, or for no file in particular. A name that only C++ has is C++ whoever is called: build
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

    fn compile(&self, invocation: &Invocation) -> Result<Ended, CcError> {
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

    fn link(&self, invocation: &Invocation, module: Module) -> Result<Ended, CcError> {
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
            Module::Main => self.link_main(&link),
        }
    }

    /// Replaces each source on the link line by its object.
    fn compile_sources(
        &self,
        invocation: &Invocation,
        link: &mut LinkArgs,
        scratch: &Path,
    ) -> Result<Option<Ended>, CcError> {
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

    fn link_side(&self, link: &LinkArgs, scratch: &Path) -> Result<Ended, CcError> {
        let output = link.output.as_deref().unwrap_or("a.out");
        let mut words = found_libraries(link);
        let weak = hide_weak(&mut words, scratch)?;

        let mut command = self.zig.command("wasm-ld");
        command.args(flags::LINK_SIDE).args(&link.flags);
        match python_module(output, &words, &link.flags) {
            // Nobody looks for another symbol in an extension module than for those that were named, and each export costs time
            // at every load and keeps code that nobody calls: rustc names the one, and leaves all of its library visible.
            Some(module) if !link.lends_all => {
                command.arg("--no-export-dynamic");
                command.args(
                    ["PyInit_", "PyInitU_"]
                        .map(|init| format!("--export-if-defined={init}{module}")),
                );
            }
            _ => {
                let names = scratch.join("exports.rsp");
                let text: String = weak
                    .iter()
                    .map(|name| format!("--export-if-defined={name}\n"))
                    .collect();
                fs::write(&names, text).map_err(CacheError::io("write", &names))?;
                command
                    .arg("--export-dynamic")
                    .arg(format!("@{}", names.display()));
            }
        }
        command.args(link.runtime_path.iter().map(|dir| format!("--rpath={dir}")));
        command.args(words);
        if self.needs_libcxx(link) {
            command.arg(self.libcxx()?.module());
        }
        command
            .arg(self.dlfcn.side_archive())
            .arg(process::side_archive(
                &self.cache,
                &self.reporter,
                &self.zig,
            )?)
            .args(["-o", output]);
        let ended = self.status(command)?;
        if ended.well() {
            append(Path::new(output), &abi_section(pymode_abi::VERSION))?;
        }
        Ok(ended)
    }

    fn link_main(&self, link: &LinkArgs) -> Result<Ended, CcError> {
        let output = Path::new(link.output.as_deref().unwrap_or("a.out"));
        let mut loads = link.may_dlopen;
        let mut ended = self.link_program(link, output, loads)?;
        if ended.well() && !loads && runtime::loads_modules(output) {
            // No flag says so, but it calls `dlopen`: with glibc that is enough.
            loads = true;
            ended = self.link_program(link, output, loads)?;
        }
        if ended.well() && loads {
            append(output, &abi_section(pymode_abi::VERSION))?;
        }
        Ok(ended)
    }

    fn link_program(&self, link: &LinkArgs, output: &Path, loads: bool) -> Result<Ended, CcError> {
        // `cc` for C++ too: `c++` would add zig's own library, which does not throw.
        let mut command = self.zig.command(Language::C.tool());
        command
            .args(["-target", flags::TARGET])
            .args(process::objects(&self.cache, &self.reporter, &self.zig)?)
            .arg(self.dlfcn.main_object());
        if loads {
            command.args(flags::LINK_MAIN).args(runtime::lent_symbols());
        }
        if link.lends_all {
            command.arg("-rdynamic");
        }
        command.args(link.flags.iter().map(|flag| format!("-Wl,{flag}")));
        command.args(words(link));
        if self.needs_libcxx(link) {
            let archive = self.libcxx()?.archive();
            if loads {
                // Side modules find all of the library in the program, and never a second one's state.
                command
                    .arg("-Wl,--whole-archive")
                    .arg(archive)
                    .arg("-Wl,--no-whole-archive");
            } else {
                command.arg(archive);
            }
        }
        command.arg("-o").arg(output);
        self.status(command)
    }

    pub(super) fn cache(&self) -> &Cache {
        &self.cache
    }

    /// Returns true if it was called as the C++ compiler.
    pub(super) fn is_cxx(&self) -> bool {
        self.language == Language::Cxx
    }

    fn needs_libcxx(&self, link: &LinkArgs) -> bool {
        self.language == Language::Cxx || link.cxx_library
    }

    fn libcxx(&self) -> Result<Libcxx, CcError> {
        Ok(libcxx::provision(&self.cache, &self.reporter, &self.zig)?)
    }
}

fn files(link: &LinkArgs) -> impl Iterator<Item = &str> {
    link.inputs.iter().filter_map(|input| match input {
        Input::File(file) => Some(file.as_str()),
        _ => None,
    })
}

fn words(link: &LinkArgs) -> impl Iterator<Item = String> + '_ {
    link.inputs.iter().map(|input| match input {
        Input::File(word) | Input::Flag(word) => word.clone(),
        Input::Library(name) => format!("-l{name}"),
        Input::SearchDir(dir) => format!("-L{dir}"),
    })
}

/// The words of the link line, with each `-lNAME` that lies in one of its directories as that file.
fn found_libraries(link: &LinkArgs) -> Vec<String> {
    let dirs: Vec<&str> = link
        .inputs
        .iter()
        .filter_map(|input| match input {
            Input::SearchDir(dir) => Some(dir.as_str()),
            _ => None,
        })
        .collect();
    let find = |name: &str| {
        let names = [
            format!("lib{name}.a"),
            format!("lib{name}.so"),
            format!("lib{name}.wasm"),
        ];
        let mut paths = dirs
            .iter()
            .flat_map(|dir| names.iter().map(move |name| format!("{dir}/{name}")));
        paths.find(|path| Path::new(path).is_file())
    };
    link.inputs
        .iter()
        .zip(words(link))
        .map(|(input, word)| match input {
            Input::Library(name) => find(name).unwrap_or(word),
            _ => word,
        })
        .collect()
}

/// The Python module that is linked from these words, if it is one. Build systems know many names for its file
/// (`m.abi3.so`, `libm.so` before it is moved), and a `.wasm` may be any library: what makes it a module is its init function, or
/// the suffix that nothing else has. Rust's file is called after the crate, and rustc names the init function.
fn python_module<'o>(output: &'o str, words: &[String], flags: &'o [String]) -> Option<&'o str> {
    let named = |flag: &'o String| flag.strip_prefix("--export=PyInit_");
    if let Some(module) = flags.iter().find_map(named) {
        return Some(module);
    }
    if output.ends_with(pymode_abi::EXT_SUFFIX) {
        return flags::python_module(output);
    }
    let file = output.rsplit('/').next()?;
    let stem = file.split('.').next()?;
    let modules = [stem, stem.strip_prefix("lib").unwrap_or(stem)];
    modules.into_iter().find(|module| {
        let init = format!("PyInit_{module}");
        let files = words.iter().filter(|word| !word.starts_with('-'));
        files
            .filter_map(|file| fs::read(file).ok())
            .any(|bytes| defines(&bytes, &init))
    })
}

/// Replaces each object and archive that has weak definitions by a copy in which they are hidden; their names.
fn hide_weak(words: &mut [String], scratch: &Path) -> Result<Vec<String>, CcError> {
    let mut all = Vec::new();
    for (n, word) in words.iter_mut().enumerate() {
        if word.starts_with('-') {
            continue;
        }
        let path = Path::new(word.as_str());
        let Ok(mut bytes) = fs::read(path) else {
            continue;
        }; // The linker says what is wrong with it.
        let names = hide_weak_definitions(&mut bytes);
        if names.is_empty() {
            continue;
        }
        // The name stays: the linker's messages, and NEEDED, are made of it.
        let dir = scratch.join(n.to_string());
        fs::create_dir_all(&dir).map_err(CacheError::io("create", &dir))?;
        let copy = dir.join(path.file_name().unwrap_or_default());
        fs::write(&copy, bytes).map_err(CacheError::io("write", &copy))?;
        *word = copy.to_string_lossy().into_owned();
        all.extend(names);
    }
    Ok(all)
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

fn append(path: &Path, bytes: &[u8]) -> Result<(), CacheError> {
    use io::Write;
    fs::OpenOptions::new()
        .append(true)
        .open(path)
        .and_then(|mut file| file.write_all(bytes))
        .map_err(CacheError::io("write", path))
}

fn status(zig: &Zig, mut command: Command) -> Result<Ended, CcError> {
    command.status().map(code).map_err(cannot_start(zig))
}

fn cannot_start(zig: &Zig) -> impl FnOnce(io::Error) -> CcError {
    let exe = zig.exe.clone();
    move |source| CcError::Start { exe, source }
}

fn code(status: ExitStatus) -> Ended {
    match status.code() {
        Some(0) => Ended::WELL,
        Some(code) => Ended(u8::try_from(code).unwrap_or(1)),
        None => Ended(1), // Ended by a signal.
    }
}
