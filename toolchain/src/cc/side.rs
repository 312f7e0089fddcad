//! Side modules: the linker's arguments, and additions to its output.

use std::fs;
use std::path::Path;

use super::driver::{CcError, Driver, ToolExit};
use super::inputs::found_libraries;
use super::linker::{LinkArgs, Symbolic};
use super::references::References;
use super::symbols::{hide_functions, hide_weak_definitions, init_functions, weaken_functions};
use super::{abi_section, finish, flags, sizes};
use crate::cache::CacheError;
use crate::process;

impl Driver {
    pub(super) fn link_side(&self, link: &LinkArgs, scratch: &Path) -> Result<ToolExit, CcError> {
        let output = link.output.as_deref().unwrap_or("a.out");
        let mut words = found_libraries(link, &["a", "so", "wasm"]);
        let inits = all_init_functions(&words);
        let module = python_module(output, &inits, &link.flags).map(str::to_owned);
        let binding = Binding::of(link, module.is_some());
        let objects = references(&words);
        let hidden = binding.change(&mut words, scratch)?;

        let mut command = self.zig().command("wasm-ld");
        command.args(flags::LINK_SIDE).args(&link.flags);
        if binding == Binding::Own {
            command.arg(flags::BIND_OWN);
        }
        match &module {
            // Python looks up init functions only, and each other export costs time at every load and keeps code that nobody
            // calls: rustc leaves all of its library visible. A file may hold several modules, and a package's `__init__` is
            // named after a directory that may not be the one it is linked in.
            Some(module) if !link.lends_all => {
                command.arg("--no-export-dynamic");
                command.args(
                    ["PyInit_", "PyInitU_"]
                        .map(|init| format!("--export-if-defined={init}{module}")),
                );
                command.args(
                    inits
                        .iter()
                        .map(|init| format!("--export-if-defined={init}")),
                );
            }
            _ => {
                let names = scratch.join("exports.rsp");
                let text: String = hidden
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
            .arg(self.dlfcn().side_archive())
            .arg(process::side_archive(
                self.cache(),
                self.reporter(),
                self.zig(),
            )?)
            .args(["-o", output]);
        let ended = self.status(command)?;
        if ended.well() {
            finish::file(Path::new(output), |linked| {
                let mut sections = abi_section(pymode_abi::VERSION);
                sections.extend(sizes::section(linked, &objects).unwrap_or_default());
                sections
            })?;
        }
        Ok(ended)
    }
}

/// Which definition a module's own symbols are bound to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Binding {
    /// Its own.
    Own,
    /// Its own for functions.
    OwnFunctions,
    /// The first in scope, as ELF has it, but for calls of strong functions: wasm-ld binds these to its own.
    First,
    /// The first in scope for all.
    FirstForAll,
}

impl Binding {
    fn of(link: &LinkArgs, is_python_module: bool) -> Self {
        match link.symbolic {
            // No other module uses its few symbols, and a module that reaches them directly is smaller and has fewer imports.
            _ if is_python_module => Self::Own,
            Some(Symbolic::All) => Self::Own,
            Some(Symbolic::Functions) => Self::OwnFunctions,
            None if link.interposes => Self::FirstForAll,
            None => Self::First,
        }
    }

    /// Replaces each object and archive in which something has to be bound otherwise by a copy; gives the names of symbols that
    /// are hidden now.
    fn change(self, words: &mut [String], scratch: &Path) -> Result<Vec<String>, CcError> {
        match self {
            Self::Own => change(words, scratch, hide_weak_definitions),
            Self::OwnFunctions => change(words, scratch, hide_functions),
            Self::First => Ok(Vec::new()),
            Self::FirstForAll => change(words, scratch, weaken_functions).map(|_| Vec::new()),
        }
    }
}

/// The symbols of the objects and archives among these words.
fn references(words: &[String]) -> References {
    let mut references = References::default();
    let files = words.iter().filter(|word| !word.starts_with('-'));
    for bytes in files.filter_map(|file| fs::read(file).ok()) {
        references.add(&bytes);
    }
    references
}

/// The Python module that is linked from these words, if it is one. Build systems know many names for its file
/// (`m.abi3.so`, `libm.so` before it is moved), and a `.wasm` may be any library: what makes it a module is its init function, or
/// the suffix that nothing else has. Rust's file is called after the crate, and rustc names the init function.
fn python_module<'o>(output: &'o str, inits: &[String], flags: &'o [String]) -> Option<&'o str> {
    let named = |flag: &'o String| flag.strip_prefix("--export=PyInit_");
    if let Some(module) = flags.iter().find_map(named) {
        return Some(module);
    }
    if output.ends_with(pymode_abi::EXT_SUFFIX) {
        return flags::python_module(output);
    }
    let (dir, file) = output.rsplit_once('/').unwrap_or(("", output));
    let stem = file.split('.').next()?;
    let modules = [
        stem,
        stem.strip_prefix("lib").unwrap_or(stem),
        flags::module_of(dir, stem),
    ];
    modules
        .into_iter()
        .find(|module| inits.contains(&format!("PyInit_{module}")))
}

/// The init functions of Python modules that the objects and archives among these words define.
fn all_init_functions(words: &[String]) -> Vec<String> {
    let files = words.iter().filter(|word| !word.starts_with('-'));
    files
        .filter_map(|file| fs::read(file).ok())
        .flat_map(|bytes| init_functions(&bytes))
        .collect()
}

/// Replaces each object and archive in which `change` changes something by a copy; the names that it gives.
fn change(
    words: &mut [String],
    scratch: &Path,
    change: fn(&mut [u8]) -> Vec<String>,
) -> Result<Vec<String>, CcError> {
    let mut all = Vec::new();
    for (n, word) in words.iter_mut().enumerate() {
        if word.starts_with('-') {
            continue;
        }
        let path = Path::new(word.as_str());
        let Ok(mut bytes) = fs::read(path) else {
            continue;
        }; // The linker says what is wrong with it.
        let names = change(&mut bytes);
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
