//! The flags of every object and every side module: for the driver, for the side modules of the standard library, and for the
//! conformance cases.

/// The target, as zig names it.
pub const TARGET: &str = "wasm32-wasi";

/// For each C and C++ object, whatever it ends up in.
pub const COMPILE: &[&str] = &[
    "-target",
    TARGET,
    // Any object may become part of a side module; in a main module PIC costs next to nothing.
    "-fPIC",
    // zig hides by default on this target: then nothing but `PyInit_*` would ever be exported.
    "-fvisibility=default",
    // zig adds a sanitizer to unoptimised code; its runtime is not part of the ABI.
    "-fno-sanitize=undefined",
    // zig makes `__DATE__` an error; the driver gives it a fixed value instead.
    "-Wno-date-time",
];

/// For each C and C++ object besides [`COMPILE`]: `setjmp`, and exceptions in the encoding that all engines take
/// (`exnref`; clang's default is an older one, which wasmtime cannot run). Code that does not jump stays the same.
pub const EXCEPTIONS: &[&str] = &[
    "-mexception-handling",
    "-mllvm",
    "-wasm-use-legacy-eh=false",
    "-mllvm",
    "-wasm-enable-sjlj",
];

/// For each C++ object besides [`EXCEPTIONS`] and the C++ library's [`COMPILE`](crate::libcxx::COMPILE).
pub const COMPILE_CXX: &[&str] = &[
    // Not for C: clang 22 crashes on `cleanup` attributes then.
    "-fwasm-exceptions",
];

/// For `zig wasm-ld`, to link a side module.
pub const LINK_SIDE: &[&str] = &[
    "-shared",
    "--experimental-pic",
    // An undefined symbol becomes an import; `pymode ext check` reports those that nothing provides.
    "--unresolved-symbols=import-dynamic",
    "--strip-debug",
];

/// For `zig wasm-ld`, to link a side module whose own symbols are used by no other module: one that reaches them directly is smaller
/// and has fewer imports.
pub const BIND_OWN: &str = "-Bsymbolic";

/// For a program that loads modules: the table they share, room for their functions, and the one stack.
pub const LINK_MAIN: &[&str] = &[
    "-Wl,--export-table",
    "-Wl,--growable-table",
    "-Wl,--export=__stack_pointer",
    // Where its data lies, for `dladdr`.
    "-Wl,--export=__global_base",
    "-Wl,--export=__data_end",
];

/// The name of the Python module that a file would be imported as: `a/b.cpython-313-….wasm` is `b`, `a/__init__.wasm` is `a`.
/// `None` for a file that Python would not import.
pub fn python_module(path: &str) -> Option<&str> {
    let (dir, name) = path.rsplit_once('/').unwrap_or(("", path));
    let is_word = |stem: &str| {
        let mut chars = stem.chars();
        !stem.is_empty() && chars.all(|c| c.is_alphanumeric() || c == '_')
    };
    if let Some(stem) = name.strip_suffix(pymode_abi::EXT_SUFFIX) {
        // mypyc's names begin with a hash, which an `import` statement could not name.
        return is_word(stem).then(|| module_of(dir, stem));
    }
    let stem = name.strip_suffix(".wasm")?;
    let starts_well = stem.starts_with(|c: char| c.is_alphabetic() || c == '_');
    (starts_well && is_word(stem)).then(|| module_of(dir, stem))
}

/// The name of the module in the file `stem` of a directory. `__init__` is the package itself, whose init function has the
/// package's name.
pub fn module_of<'n>(dir: &'n str, stem: &'n str) -> &'n str {
    let package = dir.rsplit('/').next().filter(|package| !package.is_empty());
    match (stem, package) {
        ("__init__", Some(package)) => package,
        _ => stem,
    }
}

#[cfg(test)]
mod tests {
    use super::python_module;

    #[test]
    fn a_module_is_named_after_its_file() {
        let tagged = format!("markupsafe/_speedups{}", pymode_abi::EXT_SUFFIX);
        assert_eq!(python_module(&tagged), Some("_speedups"));
        let hashed = format!("87f2__mypyc{}", pymode_abi::EXT_SUFFIX);
        assert_eq!(python_module(&hashed), Some("87f2__mypyc"));
        assert_eq!(python_module("87f2.wasm"), None);
        assert_eq!(python_module("a.wasm"), Some("a"));
        assert_eq!(python_module("a/b/__init__.wasm"), Some("b"));
        assert_eq!(python_module("__init__.wasm"), Some("__init__"));
        assert_eq!(python_module("libfoo-1.2.wasm"), None);
        assert_eq!(python_module("libfoo.so"), None);
    }
}
