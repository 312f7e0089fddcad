//! The shared C++ library and what a program holds for it, as they are built: what they ask for, what they give, in which
//! encoding they throw.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use pymode_toolchain::zig::Zig;
use pymode_toolchain::{Cache, Reporter, libcxx, process, zig};
use wasmparser::{KnownCustom, Parser, Payload, TypeRef, Validator, WasmFeatures};

/// Names at a module's border.
#[derive(Default)]
struct Seen {
    functions: BTreeSet<String>,
    got: BTreeSet<String>,
    tags: BTreeSet<String>,
    exports: BTreeSet<String>,
    dylink: bool,
    abi: bool,
}

impl Seen {
    fn of(path: &Path) -> Self {
        let bytes = fs::read(path).unwrap_or_else(|e| panic!("`{}`: {e}", path.display()));
        let mut seen = Self::default();
        for payload in Parser::new(0).parse_all(&bytes) {
            match payload.expect("it parses") {
                Payload::ImportSection(section) => {
                    for import in section.into_imports() {
                        let import = import.expect("an import");
                        let name = import.name.to_owned();
                        match import.ty {
                            _ if import.module.starts_with("GOT.") => seen.got.insert(name),
                            TypeRef::Func(_) => seen.functions.insert(name),
                            TypeRef::Tag(_) => seen.tags.insert(name),
                            _ => false,
                        };
                    }
                }
                Payload::ExportSection(section) => {
                    for export in section {
                        seen.exports
                            .insert(export.expect("an export").name.to_owned());
                    }
                }
                Payload::CustomSection(custom) => match custom.as_known() {
                    KnownCustom::Dylink0(_) => seen.dylink = true,
                    _ => seen.abi |= custom.name() == pymode_abi::SECTION,
                },
                _ => {}
            }
        }
        seen
    }
}

fn machine() -> (Cache, Reporter, Zig) {
    let reporter = Reporter::stderr();
    let cache = Cache::open().expect("a cache").with_reporter(&reporter);
    let zig = zig::provision(&cache, &reporter).unwrap_or_else(|e| panic!("{e}"));
    (cache, reporter, zig)
}

#[test]
fn one_library_asks_main_for_libc_and_a_tag() {
    let (cache, reporter, zig) = machine();
    let library = libcxx::provision(&cache, &reporter, &zig).unwrap_or_else(|e| panic!("{e}"));
    let seen = Seen::of(&library.module());
    assert!(seen.dylink, "it is a side module");
    assert!(seen.abi, "it says which contract it keeps");

    let lent: BTreeSet<&str> = pymode_abi::EXPORTS
        .iter()
        .map(|export| export.name)
        .collect();
    let missing: Vec<&String> = seen
        .functions
        .iter()
        .chain(&seen.got)
        .filter(|name| !lent.contains(name.as_str()))
        .collect();
    assert!(missing.is_empty(), "python.wasm does not have: {missing:?}");
    assert_eq!(Vec::from_iter(&seen.tags), ["__cpp_exception"]);
    let itself: Vec<&String> = seen.functions.intersection(&seen.exports).collect();
    assert!(itself.is_empty(), "it asks for what it defines: {itself:?}");
}

#[test]
fn the_library_gives_what_cxx_modules_ask_for() {
    let (cache, reporter, zig) = machine();
    let library = libcxx::provision(&cache, &reporter, &zig).unwrap_or_else(|e| panic!("{e}"));
    let seen = Seen::of(&library.module());
    for name in [
        "__cxa_throw",
        "__cxa_begin_catch",
        "__cxa_thread_atexit",
        "__dynamic_cast",
        "__wasm_lpad_context",
        "_Unwind_CallPersonality",
        "_ZNSt3__14coutE",        // std::cout
        "_ZNSt3__15mutex4lockEv", // std::mutex::lock
        "_ZTISt13runtime_error",
        "_ZTVN10__cxxabiv120__si_class_type_infoE",
        "_Znwm", // operator new
        "_ZNSt3__112basic_stringIcNS_11char_traitsIcEENS_9allocatorIcEEE6appendEPKcm",
        "_ZNSt3__14__fs10filesystem11__copy_fileERKNS1_4pathES4_NS1_12copy_optionsEPNS_10error_codeE",
    ] {
        assert!(seen.exports.contains(name), "`{name}` is missing");
    }
    for hidden in ["statvfs", "sendfile", "copy_file_range"] {
        assert!(!seen.exports.contains(hidden), "`{hidden}` is not its own");
    }
}

#[test]
fn exceptions_are_in_the_encoding_that_wasmtime_runs() {
    let (cache, reporter, zig) = machine();
    let library = libcxx::provision(&cache, &reporter, &zig).unwrap_or_else(|e| panic!("{e}"));
    let bytes = fs::read(library.module()).expect("it is there");
    let mut features = WasmFeatures::default();
    features.set(WasmFeatures::EXCEPTIONS, true);
    features.set(WasmFeatures::LEGACY_EXCEPTIONS, false);
    Validator::new_with_features(features)
        .validate_all(&bytes)
        .expect("it is valid without the legacy encoding");
    features.set(WasmFeatures::EXCEPTIONS, false);
    let without = Validator::new_with_features(features).validate_all(&bytes);
    assert!(without.is_err(), "it throws");
}

#[test]
fn a_program_defines_what_modules_import_once() {
    let (cache, reporter, zig) = machine();
    let objects = process::objects(&cache, &reporter, &zig, process::Threads::One)
        .unwrap_or_else(|e| panic!("{e}"));
    let dir = tempfile::tempdir().expect("a directory");
    let source = dir.path().join("main.c");
    fs::write(&source, "int main(void) { return 0; }\n").expect("it is written");
    let program = dir.path().join("main.wasm");
    let mut command = zig.command("cc");
    command
        .args(["-target", "wasm32-wasi"])
        .args(&objects)
        .arg(&source)
        .args(
            process::EXPORTS
                .iter()
                .chain(&["pthread_mutex_lock"])
                .map(|name| format!("-Wl,--export={name}")),
        )
        .args(["-Wl,--export=__cxa_finalize", "-o"])
        .arg(&program);
    let output = command.output().expect("zig starts");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let seen = Seen::of(&program);
    for name in process::EXPORTS {
        assert!(seen.exports.contains(*name), "`{name}` is missing");
    }
    assert!(seen.tags.is_empty(), "the tags are its own");
}
