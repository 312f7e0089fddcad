//! The built files conform to the contract: python.wasm, and each side module of the standard library.

use std::fs;

use pymode_abi::check;
use pymode_host::image::Image;
use pymode_python::{Built, Options};
use pymode_toolchain::{Cache, Reporter};
use wasmparser::{Parser, Payload};

/// Directory of the standard library's side modules in the image.
const SIDE_MODULES: &str = "/lib/python3.13/lib-dynload";

fn built() -> Built {
    let reporter = Reporter::stderr();
    let cache = Cache::open().expect("a cache").with_reporter(&reporter);
    pymode_python::build(&cache, &reporter, Options::default())
        .unwrap_or_else(|error| panic!("{error}"))
}

fn list(violations: &[check::Violation]) -> String {
    violations
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn python_has_every_export_with_kind_and_signature() {
    let wasm = fs::read(built().wasm).expect("python.wasm can be read");
    let violations = check::main(&wasm);
    assert!(violations.is_empty(), "{}", list(&violations));
}

/// Each export costs microseconds at every start, so none is outside the contract.
#[test]
fn python_has_no_other_export_than_its_entry() {
    let wasm = fs::read(built().wasm).expect("python.wasm can be read");
    let mut others = Vec::new();
    for payload in Parser::new(0).parse_all(&wasm) {
        if let Payload::ExportSection(exports) = payload.expect("python.wasm is whole") {
            let names = exports
                .into_iter()
                .map(|export| export.expect("an export").name);
            others.extend(
                names
                    .filter(|name| pymode_abi::export(name).is_none())
                    .map(str::to_owned),
            );
        }
    }
    assert_eq!(others, ["_start"]);
}

#[test]
fn the_side_modules_of_the_standard_library_import_what_is_exported() {
    let bytes = fs::read(built().image).expect("the image can be read");
    let image = Image::open(bytes).expect("the image is whole");
    let folder = image
        .find(SIDE_MODULES)
        .expect("the image has side modules");
    let mut seen = 0;
    for child in image.index().children(folder) {
        let name = String::from_utf8_lossy(child.name);
        let Some(bytes) = image.bytes(child.node).filter(|_| name.ends_with(".wasm")) else {
            continue;
        };
        let violations = check::side(bytes, &[]);
        assert!(violations.is_empty(), "{name}:\n{}", list(&violations));
        seen += 1;
    }
    assert!(seen > 0, "`{SIDE_MODULES}` holds no side module");
}
