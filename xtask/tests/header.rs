//! `pymode.h` is valid C and C++, and its declarations match the table.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use pymode_abi::{IMPORTS, MODULE};
use pymode_toolchain::cc::flags::COMPILE;
use pymode_toolchain::{Cache, Reporter, zig};
use wasmparser::{Parser, Payload, TypeRef};

/// Uses every function of the table, without a prototype of its own.
fn program() -> String {
    let uses: String = IMPORTS
        .iter()
        .map(|import| format!("    (void *)pymode_{},\n", import.name))
        .collect();
    format!(
        "#include \"pymode.h\"\n\nextern const void *const used[];\nconst void *const used[] = {{\n{uses}}};\n"
    )
}

/// Names and types of an object's imports from the host.
fn imports(object: &[u8]) -> BTreeMap<String, String> {
    let mut types = Vec::new();
    let mut found = BTreeMap::new();
    for payload in Parser::new(0).parse_all(object) {
        match payload.expect("zig writes WebAssembly") {
            Payload::TypeSection(reader) => {
                let read = reader.into_iter_err_on_gc_types();
                types.extend(read.map(|ty| ty.expect("a type")));
            }
            Payload::ImportSection(reader) => {
                for import in reader.into_imports() {
                    let import = import.expect("an import");
                    if let (MODULE, TypeRef::Func(ty)) = (import.module, import.ty) {
                        let ty = &types[ty as usize];
                        let list = |types: &[wasmparser::ValType]| {
                            let names: Vec<_> = types.iter().map(ToString::to_string).collect();
                            names.join(" ")
                        };
                        let results = match ty.results() {
                            [] => String::new(),
                            results => format!(" -> {}", list(results)),
                        };
                        let text = format!("({}){results}", list(ty.params()));
                        found.insert(import.name.to_owned(), text);
                    }
                }
            }
            _ => {}
        }
    }
    found
}

#[test]
fn the_header_declares_what_the_table_says() {
    let reporter = Reporter::stderr();
    let cache = Cache::open().expect("a cache").with_reporter(&reporter);
    let zig = zig::provision(&cache, &reporter).unwrap_or_else(|error| panic!("{error}"));
    let scratch = tempfile::tempdir().expect("a temporary folder");
    let include = Path::new(env!("CARGO_MANIFEST_DIR")).join("../abi/include");
    let wanted: BTreeMap<_, _> = IMPORTS
        .iter()
        .map(|import| (import.name.to_owned(), import.signature.to_string()))
        .collect();
    for (tool, name) in [("cc", "all.c"), ("c++", "all.cpp")] {
        let source = scratch.path().join(name);
        let object = source.with_extension("o");
        fs::write(&source, program()).expect("the folder can be written");
        let mut command = zig.command(tool);
        command.args(COMPILE).args(["-Wall", "-Wextra", "-Werror"]);
        command.arg("-I").arg(&include).arg("-c").arg(&source);
        let output = command.arg("-o").arg(&object).output().expect("zig starts");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{name}:\n{stderr}");
        let object = fs::read(&object).expect("zig has written the object");
        assert_eq!(imports(&object), wanted, "{name}");
    }
}
