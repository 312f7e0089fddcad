//! The link of python.wasm, by plain LLD, with the exports that the contract names.

use std::path::{Path, PathBuf};

use pymode_abi::EXPORTS;
use pymode_toolchain::cc::{self, flags::TARGET};
use pymode_toolchain::{Key, process, zig};

use crate::SOURCES;
use crate::context::BuildContext;
use crate::error::Error;
use crate::files::{read, write};
use crate::finish::finish;
use crate::include::Include;
use crate::interpreter::Interpreter;
use crate::libc::Libc;
use crate::recipe::Recipe;
use crate::runtime;

/// Compiler flags of our own C code.
const RUNTIME_FLAGS: &[&str] = &[
    "-target",
    TARGET,
    "-std=gnu11",
    "-Os",
    "-g0",
    "-DNDEBUG",
    "-Wall",
    "-Wextra",
    "-Werror",
];

const LINK_FLAGS: &[&str] = &[
    "--error-limit=0",
    "--build-id=none",
    "--gc-sections",
    "--strip-debug",
    "--export-memory",
    "--export-table",
    // Else the exported table has a maximum, and no side module gets a slot.
    "--growable-table",
    // A stack that overflows traps at address 0 instead of running into data.
    "--stack-first",
    // 8 MB: `recursion.c` keeps recursion within it.
    "-z",
    "stack-size=8388608",
    // `recursion.c` again.
    "--wrap=_PyThreadState_Bind",
    "--wrap=_PyThreadState_NewBound",
    "--wrap=PyErr_SetFromErrno",
    "--wrap=PyObject_Hash",
    // `threads.c` again.
    "--wrap=PyThread_exit_thread",
];

/// Inputs of the link of python.wasm, from which `abi/exports.toml` is derived.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct LinkInputs {
    /// Our own objects, linked first.
    pub objects: Vec<PathBuf>,
    /// CPython.
    pub python: Vec<PathBuf>,
    /// libc, then the compiler's builtins, in the order of the link.
    pub libc: Vec<PathBuf>,
    key: Key,
    start: PathBuf,
}

/// The linked interpreter.
#[derive(Clone, Debug)]
pub(crate) struct Linked {
    dir: PathBuf,
}

impl Linked {
    pub(crate) fn wasm(&self) -> PathBuf {
        self.dir.join("python.wasm")
    }

    pub(crate) fn named(&self) -> PathBuf {
        self.dir.join("python.names.wasm")
    }
}

/// Compiles our objects and gathers the rest.
pub(crate) fn inputs(
    context: &BuildContext<'_>,
    interpreter: &Interpreter,
    include: &Include,
    libc: &Libc,
) -> Result<LinkInputs, Error> {
    let key = Key::new("runtime")
        .key("objects", &runtime::objects_key())
        .key("include", &include.key)
        .key("libc", &libc.key)
        .key("process", &process::key())
        .field("flags", RUNTIME_FLAGS.join(" "))
        .field("recipe", include_str!("link.rs"));
    let names = runtime::object_names();
    let process = process::include(context.cache, context.reporter, &context.zig)?;
    let dir = context.cache.entry("python", &key, |dir| {
        let mut recipe = Recipe::default();
        let mut flags: Vec<String> = RUNTIME_FLAGS
            .iter()
            .map(|flag| (*flag).to_owned())
            .collect();
        flags.push(format!("-I{}", include.dir.display()));
        let internal = include.dir.join("internal");
        flags.extend(["-isystem".to_owned(), internal.display().to_string()]);
        flags.push(format!("-I{}", process.display()));
        for (source, object) in runtime::write_sources(dir)?.iter().zip(&names) {
            recipe.compile(&context.zig("cc"), &flags, source, object);
        }
        write(&dir.join("Makefile"), recipe.text())?;
        context.run("compiling the runtime", "python-runtime", context.make(dir))
    })?;
    let ours = names.iter().map(|name| dir.join(name));
    let once = process::objects(
        context.cache,
        context.reporter,
        &context.zig,
        process::Threads::Many,
    )?;
    Ok(LinkInputs {
        objects: ours.chain(once).collect(),
        python: interpreter.archives().to_vec(),
        libc: libc.archives().collect(),
        start: libc.start(),
        key,
    })
}

/// Links python.wasm.
pub(crate) fn link(context: &BuildContext<'_>, inputs: &LinkInputs) -> Result<Linked, Error> {
    let exports = exports();
    let key = Key::new("python")
        .key("inputs", &inputs.key)
        .field("zig", zig::VERSION)
        .field("exports", &exports)
        .field("flags", LINK_FLAGS.join(" "))
        .key("cc", &cc::key())
        .field("sources", SOURCES);
    let dir = context.cache.entry("python", &key, |dir| {
        link_into(context, inputs, &exports, dir)
    })?;
    Ok(Linked { dir })
}

/// Links `python.names.wasm` into a directory, and makes `python.wasm` of it.
pub(crate) fn link_into(
    context: &BuildContext<'_>,
    inputs: &LinkInputs,
    exports: &str,
    dir: &Path,
) -> Result<(), Error> {
    let named = dir.join("python.names.wasm");
    write(&dir.join("exports.txt"), exports)?;
    let mut command = context.command(&context.zig.exe);
    command
        .arg("wasm-ld")
        .args(LINK_FLAGS)
        .arg("@exports.txt")
        .arg("-o")
        .arg(&named)
        .arg(&inputs.start)
        .args(&inputs.objects)
        .args(&inputs.python)
        .args(&inputs.libc)
        .current_dir(dir);
    context.run("linking python.wasm", "python-link", command)?;
    let module = finish(&read(&named)?).map_err(|source| Error::Wasm {
        path: named.clone(),
        source,
    })?;
    write(&dir.join("python.wasm"), module)
}

/// The linker's flags for what the contract promises. The memory and the table have flags of their own.
pub(crate) fn exports() -> String {
    EXPORTS
        .iter()
        .filter(|export| {
            !matches!(
                export.kind,
                pymode_abi::ExportKind::Memory | pymode_abi::ExportKind::Table
            )
        })
        .map(|export| format!("--export={}\n", export.name))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::exports;

    #[test]
    fn the_contract_becomes_flags_of_the_linker() {
        let text = exports();
        assert!(text.contains("--export=PyModule_Create2\n"));
        assert!(text.contains("--export=__stack_pointer\n"));
        assert!(!text.contains("--export=memory\n"));
    }
}
