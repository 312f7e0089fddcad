//! Modules whose every byte is known.

use pymode_dylink::ModuleInfo;
use wasmparser::{Parser, Payload};

use super::NotRewritten;
use crate::{ClosedSet, Kinds, Replacement, Rewrite};

fn module(text: &str) -> Vec<u8> {
    wat::parse_str(text).expect("the text is well-formed")
}

const MAIN: &str = r#"(module
    (memory (export "memory") 1)
    (table (export "__indirect_function_table") 8 funcref)
    (elem (i32.const 5) func $slotted)
    (func $slotted (export "slotted"))
    (func (export "loose"))
    (global (export "datum") i32 (i32.const 4096)))"#;

/// A module like lld's output for a C++ file.
const SIDE: &str = r#"(module $side
    (@dylink.0 (mem-info (memory 64 4) (table 2 0)))
    (import "env" "memory" (memory 0))
    (import "env" "__indirect_function_table" (table 0 funcref))
    (import "env" "__memory_base" (global $mb i32))
    (import "env" "__table_base" (global $tb i32))
    (import "GOT.mem" "datum" (global $datum (mut i32)))
    (import "GOT.mem" "elsewhere" (global $elsewhere (mut i32)))
    (import "GOT.mem" "own" (global $own (mut i32)))
    (import "GOT.func" "slotted" (global $slotted (mut i32)))
    (import "GOT.func" "loose" (global $loose (mut i32)))
    (import "GOT.func" "weak" (global $weak (mut i32)))
    (import "env" "weak" (func $imported (param i32) (result i32)))
    (import "env" "absent" (func $absent))
    (elem (global.get $tb) func $first $defined)
    (global $counter (mut i32) (i32.const 3))
    (global (export "own") i32 (i32.const 16))
    (func $first (export "first") (result i32)
        (call $imported (global.get $datum))
        (i32.add (global.get $elsewhere))
        (i32.add (global.get $own))
        (i32.add (global.get $slotted))
        (i32.add (global.get $loose))
        (i32.add (global.get $weak))
        (global.set $counter (i32.const 1)))
    (func $defined (export "weak") (param $x i32) (result i32) (local.get $x))
    (func (export "__wasm_call_ctors"))
    (func (export "unused") (call $absent)))"#;

fn rewrites(main: &str, sides: &[&str], asks: &dyn Fn(&str) -> bool) -> Vec<Rewrite> {
    let main = ModuleInfo::main_from_bytes(&module(main)).expect("it is a main module");
    let sides: Vec<ModuleInfo> = sides
        .iter()
        .map(|side| ModuleInfo::from_bytes(&module(side)).expect("it is a side module"))
        .collect();
    ClosedSet {
        main: &main,
        sides: &sides.iter().collect::<Vec<_>>(),
        asks,
        kinds: Kinds::ALL,
    }
    .rewrites()
}

fn bodies(module: &[u8]) -> Vec<u64> {
    let payloads = Parser::new(0).parse_all(module);
    let bodies = payloads.filter_map(|payload| match payload.expect("it can be read") {
        Payload::CodeSectionEntry(body) => Some(body.range().end - body.range().start),
        _ => None,
    });
    bodies.collect()
}

#[test]
fn what_is_known_is_written_into_the_module() {
    let rewrite = &rewrites(MAIN, &[SIDE], &|name| name == "first")[0];
    let imports: Vec<_> = rewrite
        .imports
        .iter()
        .map(|(at, what)| (*at, *what))
        .collect();
    let own = |at: u32| Replacement::Own(pymode_dylink::FunctionId(at));
    let expected = [
        (4, Replacement::Number(4096)),
        (6, Replacement::Memory(16)),
        (7, Replacement::Number(5)),
        (9, Replacement::Table(1)),
        (10, own(3)),
    ];
    assert_eq!(imports, expected);
    let gone: Vec<&str> = rewrite.exports.iter().map(|name| &**name).collect();
    assert_eq!(gone, ["own", "unused", "weak"]);

    let old = module(SIDE);
    let new = rewrite.apply(&old).expect("it can be rewritten");
    wasmparser::validate(&new).expect("it is valid");
    let info = ModuleInfo::from_bytes(&new).expect("it is a side module");
    let names: Vec<&str> = info.imports.iter().map(|import| &*import.name).collect();
    let left = [
        "memory",
        "__indirect_function_table",
        "__memory_base",
        "__table_base",
        "elsewhere",
        "loose",
        "absent",
    ];
    assert_eq!(names, left);
    let exports: Vec<&str> = info.exports.iter().map(|export| &*export.name).collect();
    assert_eq!(exports, ["first", "__wasm_call_ctors"]);
    // No function has another length, so that a place in one is the place that it was.
    assert_eq!(bodies(&new), bodies(&old));
}

#[test]
fn a_name_with_two_definitions_is_left_to_the_linker() {
    let other = r#"(module (@dylink.0 (mem-info (memory 0 0) (table 1 0)))
        (import "env" "__table_base" (global $tb i32))
        (import "env" "__indirect_function_table" (table 0 funcref))
        (elem (global.get $tb) func $weak)
        (global (export "own") i32 (i32.const 0))
        (func $weak (export "weak") (param i32) (result i32) (local.get 0)))"#;
    let both = rewrites(MAIN, &[SIDE, other], &|_| false);
    let kept: Vec<_> = both[0].imports.values().copied().collect();
    assert_eq!(kept, [Replacement::Number(4096), Replacement::Number(5)]);
    // Somebody imports them still.
    assert!(!both[1].exports.contains("own") && !both[1].exports.contains("weak"));
    // A copy of a module at another path is another definition.
    let twice = rewrites(MAIN, &[SIDE, SIDE], &|_| true);
    assert_eq!(twice[0], twice[1]);
    assert_eq!(twice[0].imports.len(), 2);
    // Main comes first, whichever other module defines it.
    let main = MAIN.replace("\"datum\"", "\"own\"");
    let imports = &rewrites(&main, &[SIDE, other], &|_| true)[0].imports;
    assert_eq!(imports.get(&6), Some(&Replacement::Number(4096)));
}

#[test]
fn a_module_that_shares_an_address_stays_as_it_is() {
    let rewrite = &rewrites(MAIN, &[SIDE], &|_| true)[0];
    let writes = SIDE.replace("global.set $counter", "global.set $datum");
    let error = rewrite
        .apply(&module(&writes))
        .expect_err("it writes to it");
    assert!(
        matches!(error, NotRewritten::Shared { global: 2 }),
        "{error}"
    );
    let passes = SIDE.replace(
        "(func $first",
        "(export \"mine\" (global $datum)) (func $first",
    );
    let error = rewrite
        .apply(&module(&passes))
        .expect_err("it passes it on");
    assert!(
        matches!(error, NotRewritten::Shared { global: 2 }),
        "{error}"
    );
}

#[test]
fn names_follow_their_functions() {
    let rewrite = &rewrites(MAIN, &[SIDE], &|_| true)[0];
    let new = rewrite.apply(&module(SIDE)).expect("it can be rewritten");
    let mut functions = Vec::new();
    let mut globals = Vec::new();
    for payload in Parser::new(0).parse_all(&new) {
        if let Payload::CustomSection(section) = payload.expect("it can be read")
            && let wasmparser::KnownCustom::Name(names) = section.as_known()
        {
            for name in names {
                let into = match name.expect("it can be read") {
                    wasmparser::Name::Function(map) => (&mut functions, map),
                    wasmparser::Name::Global(map) => (&mut globals, map),
                    _ => continue,
                };
                let named = into.1.map(|naming| naming.expect("it can be read"));
                into.0
                    .extend(named.map(|naming| (naming.index, naming.name.to_owned())));
            }
        }
    }
    let functions: Vec<_> = functions
        .iter()
        .map(|(at, name)| (*at, &name[..]))
        .collect();
    assert_eq!(functions, [(0, "absent"), (1, "first"), (2, "defined")]);
    let order: Vec<&str> = globals.iter().map(|(_, name)| &name[..]).collect();
    assert_eq!(
        order,
        [
            "mb",
            "tb",
            "elsewhere",
            "loose",
            "datum",
            "own",
            "slotted",
            "weak",
            "counter"
        ]
    );
}

#[test]
fn what_is_damaged_is_refused() {
    let rewrite = &rewrites(MAIN, &[SIDE], &|_| true)[0];
    let whole = module(SIDE);
    for cut in 0..whole.len() {
        // Cut between two sections it is a module still.
        if let Ok(new) = rewrite.apply(&whole[..cut]) {
            assert!(new.starts_with(b"\0asm"), "{cut}");
        }
    }
    for at in 8..whole.len() {
        for flip in [0x01, 0x80, 0xff] {
            let mut damaged = whole.clone();
            damaged[at] ^= flip;
            // It is refused or written; it does not panic.
            let _ = rewrite.apply(&damaged);
        }
    }
}
