//! Violations in a main module and in side modules that are written here.

use pymode_abi::check::{Violation, main, side};
use pymode_abi::{EXPORTS, Export, ExportKind, Signature};

const VERSION: &str = r#"(@custom "pymode.abi" "\01")"#;

fn signature(signature: &Signature) -> String {
    let list = |word: &str, types: &[pymode_abi::ValType]| {
        types
            .iter()
            .map(|ty| format!(" ({word} {ty})"))
            .collect::<String>()
    };
    list("param", signature.params) + &list("result", signature.results)
}

fn define(export: &Export) -> String {
    let name = export.name;
    match &export.kind {
        ExportKind::Function(ty) => {
            format!("(func (export \"{name}\"){} unreachable)", signature(ty))
        }
        ExportKind::Data => format!("(global (export \"{name}\") i32 (i32.const 8))"),
        ExportKind::Global(ty) => format!("(global (export \"{name}\") (mut {ty}) ({ty}.const 8))"),
        ExportKind::Table => format!("(table (export \"{name}\") 1 funcref)"),
        ExportKind::Memory => format!("(memory (export \"{name}\") 1)"),
        ExportKind::Tag(ty) => format!("(tag (export \"{name}\"){})", signature(ty)),
    }
}

/// A valid main module, modified by `change`.
fn main_module(change: impl Fn(&Export) -> Option<String>, more: &str) -> Vec<u8> {
    let definitions: Vec<_> = EXPORTS.iter().filter_map(change).collect();
    wasm(&format!("(module {more} {})", definitions.join("\n")))
}

fn wasm(text: &str) -> Vec<u8> {
    wat::parse_str(text).expect("it is WAT")
}

fn side_module(fields: &str) -> Vec<u8> {
    wasm(&format!(
        "(module (@dylink.0 (mem-info (memory 4 2))) {fields} {VERSION})"
    ))
}

fn said(violations: &[Violation]) -> Vec<String> {
    violations.iter().map(ToString::to_string).collect()
}

#[test]
fn a_main_module_with_every_export_is_clean() {
    let imports = r#"(import "pymode" "dl_close" (func (param i32) (result i32)))
        (import "wasi_snapshot_preview1" "proc_exit" (func (param i32)))"#;
    let clean = main_module(
        |export| Some(define(export)),
        &format!("{imports} {VERSION}"),
    );
    assert_eq!(main(&clean), []);
}

#[test]
fn every_missing_export_is_named() {
    let bare = wasm(&format!("(module {VERSION})"));
    assert_eq!(main(&bare).len(), EXPORTS.len());
    let without = main_module(
        |export| (export.name != "PyLong_FromLong").then(|| define(export)),
        VERSION,
    );
    assert_eq!(
        said(&main(&without)),
        ["missing export `PyLong_FromLong`: (i32) -> i32 (python)"]
    );
}

#[test]
fn an_export_of_another_type_is_named() {
    let other = main_module(
        |export| match export.name {
            "abs" => Some("(func (export \"abs\") (param i64) (result i64) unreachable)".into()),
            "stdout" => Some("(global (export \"stdout\") (mut i32) (i32.const 8))".into()),
            "__indirect_function_table" => {
                Some(format!("(table (export \"{}\") 1 1 funcref)", export.name))
            }
            _ => Some(define(export)),
        },
        VERSION,
    );
    assert_eq!(
        said(&main(&other)),
        [
            "export `__indirect_function_table` is a table that cannot grow, expected table",
            "export `abs` is a function (i64) -> i64, expected (i32) -> i32",
            "export `stdout` is a mutable global i32, expected data",
        ]
    );
}

#[test]
fn imports_that_no_host_gives_are_named() {
    let imports = r#"(import "env" "fork" (func (result i32)))
        (import "pymode" "dl_opem" (func))
        (import "pymode" "dl_open" (func (param i64)))"#;
    let violations = main(&main_module(
        |export| Some(define(export)),
        &format!("{imports} {VERSION}"),
    ));
    let first: Vec<_> = said(&violations)
        .iter()
        .filter_map(|text| text.lines().next().map(str::to_owned))
        .collect();
    assert_eq!(
        first,
        [
            "unknown import `env.fork`, a function () -> i32",
            "unknown import `pymode.dl_opem`, a function ()",
            "import `pymode.dl_open` is a function (i64), expected a function (i32 i32 i32) -> i32",
        ]
    );
}

#[test]
fn the_version_must_be_there_and_be_ours() {
    let with = |section: &str| {
        side(
            &wasm(&format!("(module (@dylink.0 (mem-info)) {section})")),
            &[],
        )
    };
    assert_eq!(with(""), [Violation::NoVersion]);
    assert_eq!(
        with(r#"(@custom "pymode.abi" "\80\01")"#),
        [Violation::OtherVersion { found: 128 }]
    );
    for damaged in [
        r"\80",
        r"",
        r"\01\00",
        r"\ff\ff\ff\ff\1f",
        r"\80\80\80\80\80\01",
    ] {
        let violations = with(&format!("(@custom \"pymode.abi\" \"{damaged}\")"));
        assert!(
            matches!(violations.as_slice(), [Violation::Damaged { .. }]),
            "{damaged}: {violations:?}"
        );
    }
}

#[test]
fn a_side_module_that_keeps_the_contract_is_clean() {
    let clean = side_module(
        r#"(import "env" "memory" (memory 1))
        (import "env" "__indirect_function_table" (table 0 funcref))
        (import "env" "__stack_pointer" (global (mut i32)))
        (import "env" "__memory_base" (global i32))
        (import "env" "__table_base" (global i32))
        (import "env" "PyLong_FromLong" (func (param i32) (result i32)))
        (import "env" "own" (func $own (param i64)))
        (import "GOT.mem" "_Py_NoneStruct" (global (mut i32)))
        (import "GOT.func" "PyObject_GenericGetAttr" (global (mut i32)))
        (import "GOT.func" "PyInit_x" (global (mut i32)))
        (import "pymode" "dl_close" (func (param i32) (result i32)))
        (import "wasi_snapshot_preview1" "random_get" (func (param i32 i32) (result i32)))
        (export "own" (func $own))
        (func (export "PyInit_x") (result i32) unreachable)"#,
    );
    assert_eq!(side(&clean, &[]), []);
}

#[test]
fn every_symbol_that_a_side_module_lacks_is_named() {
    let violations = side(
        &side_module(
            r#"(import "env" "fork" (func (result i32)))
            (import "env" "strlen" (func (param i64) (result i64)))
            (import "GOT.mem" "__progname_full" (global (mut i32)))
            (import "GOT.mem" "PyLong_FromLong" (global (mut i32)))
            (import "GOT.func" "_Py_NoneStruct" (global (mut i32)))
            (import "elsewhere" "x" (func))"#,
        ),
        &[],
    );
    let first: Vec<_> = said(&violations)
        .iter()
        .filter_map(|text| text.lines().next().map(str::to_owned))
        .collect();
    assert_eq!(
        first,
        [
            "undefined symbol `fork`, a function () -> i32: neither python.wasm nor a needed module exports it",
            "symbol `strlen` is (i32) -> i32 in python.wasm, but the module needs a function (i64) -> i64",
            "undefined symbol `__progname_full`, the address of an object: neither python.wasm nor a needed module exports it",
            "symbol `PyLong_FromLong` is (i32) -> i32 in python.wasm, but the module needs the address of an object",
            "symbol `_Py_NoneStruct` is data in python.wasm, but the module needs the address of a function",
            "unknown import `elsewhere.x`, a function ()",
        ]
    );
}

#[test]
fn a_needed_module_gives_what_it_exports() {
    let library = side_module(
        r#"(func (export "twice") (param i32) (result i32) unreachable)
        (global (export "shared") i32 (i32.const 0))"#,
    );
    let user = side_module(
        r#"(import "env" "twice" (func (param i32) (result i32)))
        (import "GOT.mem" "shared" (global (mut i32)))"#,
    );
    assert_eq!(side(&user, &[]).len(), 2);
    assert_eq!(side(&user, &[&library]), []);
    let other = side_module(r#"(import "env" "twice" (func (param i64)))"#);
    assert_eq!(
        said(&side(&other, &[&library])),
        [
            "symbol `twice` is a function (i32) -> i32 in a needed module, but the module needs a function (i64)"
        ]
    );
}

#[test]
fn a_weak_symbol_may_be_missing_but_not_be_another() {
    let weak = |field: &str, import: &str| {
        wasm(&format!(
            "(module (@dylink.0 (mem-info) (import-info \"env\" \"{field}\" binding-weak)) {import} {VERSION})"
        ))
    };
    let missing = weak("maybe", r#"(import "GOT.func" "maybe" (global (mut i32)))"#);
    assert_eq!(side(&missing, &[]), []);
    let other = weak("strlen", r#"(import "env" "strlen" (func (param i64)))"#);
    assert!(matches!(
        side(&other, &[]).as_slice(),
        [Violation::OtherSymbol { .. }]
    ));
}

#[test]
fn a_main_module_is_no_side_module_and_the_other_way_round() {
    assert_eq!(
        side(&wasm(&format!("(module {VERSION})")), &[]),
        [Violation::NotSide]
    );
    assert_eq!(main(&side_module("")), [Violation::NotMain]);
    // The section is only valid as the first one.
    let late = wasm(&format!(
        "(module {VERSION} (func) (@custom \"dylink.0\" (after last) \"\"))"
    ));
    assert_eq!(side(&late, &[]), [Violation::NotSide]);
}

#[test]
fn damaged_bytes_are_a_fault_and_never_a_panic() {
    let whole = side_module(r#"(import "env" "strlen" (func (param i32) (result i32)))"#);
    for length in 0..whole.len() {
        let _ = side(&whole[..length], &[]);
        let _ = main(&whole[..length]);
        let mut flipped = whole.clone();
        flipped[length] ^= 0xff;
        let _ = side(&flipped, &[&flipped]);
    }
    assert!(matches!(
        side(b"", &[]).as_slice(),
        [Violation::Damaged { .. }]
    ));
    assert!(matches!(
        main(b"no module").as_slice(),
        [Violation::Damaged { .. }]
    ));
}
