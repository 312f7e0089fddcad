//! Programs: the linker's arguments, what they lend to libraries, and what stands in for the libraries that they are linked
//! with.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::args::Language;
use super::driver::{CcError, Driver, ToolExit};
use super::finish::{self, without_debug_info};
use super::inputs::{found_libraries, search_dirs};
use super::library::Library;
use super::linker::LinkArgs;
use super::references::References;
use super::stubs::{CopiedDatum, Stubs, stub_name};
use super::{abi_section, flags, runtime};
use crate::cache::CacheError;
use crate::process::Threads;
use crate::{libcxx, process, threads};

/// Functions of a program that the loader calls.
const CALLED: [&str; 4] = ["__cxa_finalize", "aligned_alloc", "free", "malloc"];
/// With this it fills copies.
const COPIES: &str = "memcpy";

/// A program that is to be linked.
struct Plan<'a> {
    link: &'a LinkArgs,
    /// Objects, archives and words for the linker, without shared libraries.
    words: Vec<String>,
    objects: References,
    /// An object of the user's has debug information.
    has_debug_info: bool,
}

/// The exports of a program for libraries.
enum Lends {
    /// Nothing: it loads none.
    Nothing,
    /// Imports of the known libraries.
    Known(BTreeSet<String>),
    /// All of libc, for libraries that are not known yet, and the imports of those that are known.
    Libc(BTreeSet<String>),
}

impl Driver {
    pub(super) fn link_program(
        &self,
        link: &LinkArgs,
        scratch: &Path,
    ) -> Result<ToolExit, CcError> {
        let output = Path::new(link.output.as_deref().unwrap_or("a.out"));
        let mut libraries = Vec::new();
        let mut words = Vec::new();
        let mut place = None;
        for word in found_libraries(link, &["so", "wasm", "a"]) {
            match Library::read(Path::new(&word)).filter(|_| !word.starts_with('-')) {
                Some(library) => {
                    place.get_or_insert(words.len());
                    libraries.push(library);
                }
                None => words.push(word),
            }
        }
        let mut plan = Plan::new(link, words);
        let Some(place) = place else {
            return self.link_alone(&plan, output);
        };
        let stubs = plan.stubs(&libraries)?;
        if !stubs.is_empty() {
            let object = self.assemble(&stubs, &libraries, scratch)?;
            let Some(object) = object else {
                return Ok(ToolExit::FAILED);
            };
            // In the place of the libraries: what an archive before them defines is the archive's.
            plan.words.insert(place, object);
        }
        let lends = plan.lends(self, &libraries, !stubs.copies.is_empty())?;
        let more = [self.dlfcn().linked_object()];
        let copies = stubs.copies.keys().map(String::as_str);
        let ended = self.call_linker(&plan, output, &lends, &more, copies)?;
        if ended.well() {
            finish::file(output, |linked| {
                let exports = runtime::exports(linked);
                let needed: Vec<String> = libraries.iter().map(Library::name).collect();
                let paths = [&link.runtime_path[..], &link.absolute_path].concat();
                let mut sections =
                    stubs.section(&needed, &paths, |name| exports.contains(&stub_name(name)));
                sections.extend(abi_section(pymode_abi::VERSION));
                sections
            })?;
        }
        Ok(ended)
    }

    /// Links a program that is linked with no shared library; perhaps it opens some.
    fn link_alone(&self, plan: &Plan<'_>, output: &Path) -> Result<ToolExit, CcError> {
        let mut lends = if plan.link.may_dlopen {
            Lends::Libc(BTreeSet::new())
        } else {
            Lends::Nothing
        };
        let none = || std::iter::empty::<&str>();
        let mut ended = self.call_linker(plan, output, &lends, &[], none())?;
        if ended.well() && matches!(lends, Lends::Nothing) && runtime::loads_modules(output) {
            // Nobody said so, but it calls `dlopen`: with glibc that is enough.
            lends = Lends::Libc(BTreeSet::new());
            ended = self.call_linker(plan, output, &lends, &[], none())?;
        }
        if ended.well() {
            finish::file(output, |_| match lends {
                Lends::Nothing => Vec::new(),
                _ => abi_section(pymode_abi::VERSION),
            })?;
        }
        Ok(ended)
    }

    fn call_linker<'a>(
        &self,
        plan: &Plan<'_>,
        output: &Path,
        lends: &Lends,
        objects: &[PathBuf],
        exports: impl Iterator<Item = &'a str>,
    ) -> Result<ToolExit, CcError> {
        // `cc` for C++ too: `c++` would add zig's own library, which does not throw.
        let mut command = self.zig().command(Language::C.tool());
        command
            .args(["-target", flags::TARGET])
            .args(process::objects(
                self.cache(),
                self.reporter(),
                self.zig(),
                plan.threads(),
            )?)
            .arg(self.dlfcn().main_object())
            .args(objects)
            .args(exports.map(|name| format!("-Wl,--export={name}")));
        let lent: BTreeSet<&str> = match lends {
            Lends::Nothing => BTreeSet::new(),
            Lends::Known(names) => names.iter().map(String::as_str).collect(),
            Lends::Libc(names) => {
                let mut all: BTreeSet<&str> = names.iter().map(String::as_str).collect();
                for name in runtime::lent_symbols() {
                    all.insert(name);
                }
                all
            }
        };
        if !matches!(lends, Lends::Nothing) {
            command.args(flags::LINK_MAIN);
            command.args(lent.iter().map(|name| format!("-Wl,--export={name}")));
        }
        if plan.threads() == Threads::Many {
            command.arg(format!("-Wl,--export={}", threads::START));
            if let Lends::Libc(_) = lends {
                let exports = threads::EXPORTS.iter();
                command.args(exports.map(|name| format!("-Wl,--export={name}")));
            }
        }
        if plan.link.lends_all {
            command.arg("-rdynamic");
        }
        command.args(plan.link.flags.iter().map(|flag| format!("-Wl,{flag}")));
        command.args(&plan.words);
        if self.needs_libcxx(plan.link) {
            let archive = self.libcxx()?.archive();
            if let Lends::Libc(_) = lends {
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
        let ended = self.status(command)?;
        if ended.well() && !plan.has_debug_info {
            // It is libc's, and three times as large as the rest.
            let linked = fs::read(output).map_err(CacheError::io("read", output))?;
            if let Ok(module) = without_debug_info(&linked) {
                fs::write(output, module).map_err(CacheError::io("write", output))?;
            }
        }
        Ok(ended)
    }

    /// The object of the stubs; `None` if the assembler fails.
    fn assemble(
        &self,
        stubs: &Stubs,
        libraries: &[Library],
        scratch: &Path,
    ) -> Result<Option<String>, CcError> {
        let text = stubs.assembly().map_err(|name| {
            symbol_error(libraries, &name, "its name or its type is none that C has")
        })?;
        let source = scratch.join("libraries.s");
        let object = scratch.join("libraries.o");
        fs::write(&source, text).map_err(CacheError::io("write", &source))?;
        let mut command = self.zig().command(Language::C.tool());
        command.args(["-target", flags::TARGET, "-c"]);
        command.arg(&source).arg("-o").arg(&object);
        let ended = self.status(command)?;
        Ok(ended.well().then(|| object.to_string_lossy().into_owned()))
    }
}

impl<'a> Plan<'a> {
    fn new(link: &'a LinkArgs, words: Vec<String>) -> Self {
        let mut objects = References::default();
        let mut has_debug_info = false;
        for word in words.iter().filter(|word| !word.starts_with('-')) {
            // What cannot be read, the linker complains about.
            let bytes = fs::read(word).unwrap_or_default();
            objects.add(&bytes);
            let mut windows = bytes.windows(DEBUG_INFO.len());
            has_debug_info |= windows.any(|window| window == DEBUG_INFO);
        }
        Self {
            link,
            words,
            objects,
            has_debug_info,
        }
    }

    /// As with glibc, calling a function that starts threads is enough; `-pthread` is for what its libraries call.
    fn threads(&self) -> Threads {
        let starts = |name: &&str| self.objects.needed.contains(*name);
        match self.link.has_threads || threads::STARTS.iter().any(starts) {
            true => Threads::Many,
            false => Threads::One,
        }
    }

    /// Stands in for each symbol that the objects need and do not define, and that the first library to define it has.
    fn stubs(&self, libraries: &[Library]) -> Result<Stubs, CcError> {
        let mut stubs = Stubs::default();
        for name in &self.objects.needed {
            if self.objects.defined.contains_key(name) {
                continue;
            }
            let Some(library) = libraries.iter().find(|library| library.defines(name)) else {
                continue;
            };
            if let Some(ty) = library.functions.get(name) {
                stubs.functions.insert(name.clone(), ty.clone());
            } else if let Some(datum) = library.data.get(name) {
                if datum.is_thread_local {
                    let reason = "each thread has its own\n  hint: call a function of the library that returns its address";
                    return Err(symbol_error(libraries, name, reason));
                }
                let size = datum.size.ok_or_else(|| {
                    let reason = "the library does not say how large it is\n  hint: build the library again, with this `pymode cc`";
                    symbol_error(libraries, name, reason)
                })?;
                let align = datum.align;
                stubs
                    .copies
                    .insert(name.clone(), CopiedDatum { size, align });
            }
        }
        Ok(stubs)
    }

    /// Returns the exports for the linked libraries and their dependencies.
    fn lends(
        &self,
        driver: &Driver,
        named: &[Library],
        has_copies: bool,
    ) -> Result<Lends, CcError> {
        let needed = Needed::of(self.link, named, driver);
        let all = || named.iter().chain(&needed.libraries);
        let wanted: BTreeSet<&String> = all().flat_map(|library| &library.imports).collect();
        let mut lent: BTreeSet<String> = CALLED.map(str::to_owned).into();
        lent.extend(has_copies.then(|| COPIES.to_owned()));
        lent.extend(
            runtime::lent_symbols()
                .filter(|name| wanted.contains(&(*name).to_owned()))
                .map(str::to_owned),
        );
        let mut own = References::default();
        if driver.needs_libcxx(self.link) {
            let archive = driver.libcxx()?.archive();
            own.add(&fs::read(&archive).map_err(CacheError::io("read", &archive))?);
        }
        let defined = self.objects.defined.iter().chain(&own.defined);
        let visible = defined.filter(|(name, defined)| defined.is_visible && wanted.contains(name));
        lent.extend(visible.map(|(name, _)| name.clone()));
        let opens = self.link.may_dlopen
            || self.objects.needed.contains("dlopen")
            || all().any(|library| library.opens || library.imports.contains("dlopen"));
        Ok(if opens || !needed.are_all {
            Lends::Libc(lent)
        } else {
            Lends::Known(lent)
        })
    }
}

/// The libraries that others need.
struct Needed {
    libraries: Vec<Library>,
    /// None is missing.
    are_all: bool,
}

impl Needed {
    /// As far as they lie beside those that need them, or where the linker looks for libraries.
    fn of(link: &LinkArgs, named: &[Library], driver: &Driver) -> Self {
        let mut seen: BTreeSet<String> = named.iter().map(Library::name).collect();
        let mut needed = Self {
            libraries: Vec::new(),
            are_all: true,
        };
        let mut todo: Vec<(PathBuf, String)> = Vec::new();
        let wants = |library: &Library| -> Vec<(PathBuf, String)> {
            let folder = library.path.parent().unwrap_or(Path::new("")).to_owned();
            let names = library.needed.iter();
            names.map(|name| (folder.clone(), name.clone())).collect()
        };
        todo.extend(named.iter().flat_map(wants));
        while let Some((folder, name)) = todo.pop() {
            if !seen.insert(name.clone()) {
                continue;
            }
            let mut places = vec![folder.join(&name)];
            places.extend(search_dirs(link).map(|dir| Path::new(dir).join(&name)));
            if name == libcxx::MODULE {
                places.extend(driver.libcxx().ok().map(|library| library.module()));
            }
            match places.iter().find_map(|path| Library::read(path)) {
                Some(library) => {
                    todo.extend(wants(&library));
                    needed.libraries.push(library);
                }
                None => needed.are_all = false,
            }
        }
        needed
    }
}

/// The name of a section that an object has if it was compiled with `-g`.
const DEBUG_INFO: &[u8] = b".debug_info";

fn symbol_error(libraries: &[Library], symbol: &str, reason: &'static str) -> CcError {
    let library = libraries.iter().find(|library| library.defines(symbol));
    CcError::Symbol {
        symbol: symbol.to_owned(),
        library: library
            .map(|library| library.path.clone())
            .unwrap_or_default(),
        reason,
    }
}
