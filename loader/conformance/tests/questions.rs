//! Queries besides `dlsym`: the symbol at a pointer, the next definition, the trace.

use pymode_dylink::{Address, Location, Lookup, OpenFlags, State as _, Symbol, now, open, sym};
use pymode_dylink_conformance::case::cases_folder;
use pymode_dylink_conformance::fake::Fake;
use pymode_dylink_conformance::files::{Files, MAIN};

fn side(needed: &str, body: &str) -> Vec<u8> {
    let text = format!(
        r#"(module
          (@dylink.0 (mem-info (memory 32 4) (table 2 0)) {needed})
          (@custom "test.abi" "\07")
          (import "env" "memory" (memory 0))
          (import "env" "__indirect_function_table" (table 0 funcref))
          (import "env" "__table_base" (global $tb i32))
          {body})"#
    );
    wat::parse_str(text).expect("the module is well-formed")
}

fn process(modules: &[(&str, Vec<u8>)]) -> Fake {
    let main = wat::parse_file(cases_folder().join("main.wat")).expect("main is well-formed");
    let mut files = Files::default();
    files.add(MAIN, main);
    for (path, bytes) in modules {
        files.add(path, bytes.clone());
    }
    Fake::process(files)
}

fn load(process: &mut Fake, path: &str, global: bool) -> pymode_dylink::Handle {
    let flags = OpenFlags {
        global,
        ..OpenFlags::default()
    };
    now(open(process, Some(path), flags)).expect("it loads")
}

fn address(process: &mut Fake, handle: pymode_dylink::Handle, name: &str) -> u32 {
    let found = sym(process, Lookup::Handle(handle), name);
    found.expect("it is there").to_guest()
}

fn place(process: &mut Fake, pointer: u32) -> Option<Location> {
    process.program(|program| program.addr(pointer))
}

fn symbol(place: Option<Location>) -> Option<(String, String, Symbol)> {
    let place = place?;
    let (name, symbol) = place.symbol?;
    Some((place.path.to_string(), name.into(), symbol))
}

const BODY: &str = r#"
    (elem (i32.add (global.get $tb) (i32.const 1)) func $in_segment)
    (func $in_segment (export "in_segment"))
    (func (export "elsewhere"))
    (global (export "first") i32 (i32.const 4))
    (global (export "second") i32 (i32.const 20))"#;

#[test]
fn a_pointer_is_described_by_module_and_symbol() {
    let mut process = process(&[("/a.wasm", side("", BODY)), ("/b.wasm", side("", BODY))]);
    let a = load(&mut process, "/a.wasm", false);
    let b = load(&mut process, "/b.wasm", false);
    for (handle, path) in [(a, "/a.wasm"), (b, "/b.wasm")] {
        for name in ["in_segment", "elsewhere"] {
            let slot = address(&mut process, handle, name);
            let found = symbol(place(&mut process, slot)).expect("a function");
            assert_eq!((found.0.as_str(), found.1.as_str()), (path, name));
        }
        let first = address(&mut process, handle, "first");
        let second = address(&mut process, handle, "second");
        for (pointer, name, at) in [
            (first, "first", first),
            (first + 15, "first", first),
            (second, "second", second),
            (second + 11, "second", second),
        ] {
            let found = symbol(place(&mut process, pointer)).expect("a datum");
            let expected = (path.into(), name.into(), Symbol::Data(Address(at)));
            assert_eq!(found, expected);
        }
        // Before the first symbol there is the module, and nothing that has a name.
        let before = place(&mut process, first - 4).expect("the module's data");
        assert_eq!((&*before.path, before.symbol), (path, None));
        assert_eq!(before.base, Address(first - 4));
    }
    let twice = address(&mut process, pymode_dylink::Handle::MAIN, "twice");
    let found = symbol(place(&mut process, twice)).expect("a function of main");
    assert_eq!((found.0.as_str(), found.1.as_str()), (MAIN, "twice"));
    assert_eq!(place(&mut process, 0xffff_0000), None);
}

#[test]
fn a_pointer_into_what_was_closed_leads_nowhere() {
    let mut process = process(&[("/a.wasm", side("", BODY))]);
    let a = load(&mut process, "/a.wasm", false);
    let datum = address(&mut process, a, "first");
    let slot = address(&mut process, a, "elsewhere");
    assert!(now(pymode_dylink::close(&mut process, a)).is_ok());
    assert_eq!(place(&mut process, datum), None);
    assert_eq!(place(&mut process, slot), None);
}

#[test]
fn next_is_what_follows_the_module_that_asks() {
    let f = r#"(func (export "twice")) (global (export "here") i32 (i32.const 0))"#;
    let mut process = process(&[
        ("/a.wasm", side("", f)),
        ("/b.wasm", side("", f)),
        ("/dep.wasm", side("", f)),
        (
            "/local.wasm",
            side(r#"(needed "dep.wasm") (runtime-path "$ORIGIN")"#, f),
        ),
    ]);
    let a = load(&mut process, "/a.wasm", true);
    let b = load(&mut process, "/b.wasm", true);
    let local = load(&mut process, "/local.wasm", false);
    let dep = load(&mut process, "/dep.wasm", false);

    let own = |process: &mut Fake, handle| address(process, handle, "twice");
    let of_a = own(&mut process, a);
    let of_dep = own(&mut process, dep);
    let here = |process: &mut Fake, handle| Address(address(process, handle, "here"));
    let (in_a, in_b) = (here(&mut process, a), here(&mut process, b));
    let in_local = here(&mut process, local);

    let of_main = address(&mut process, pymode_dylink::Handle::MAIN, "twice");

    let mut next = |caller, name| {
        let found = sym(&mut process, Lookup::Next(caller), name);
        found.map(Symbol::to_guest)
    };
    assert_eq!(next(Address(1024), "twice"), Ok(of_a), "main is first");
    assert_eq!(
        next(in_a, "twice"),
        Ok(of_main),
        "others of the global scope are not of its group; libc, which main holds, ends each"
    );
    assert_eq!(next(in_local, "twice"), Ok(of_dep), "what it needs");
    let error = next(in_b, "here").expect_err("b is alone");
    assert_eq!(
        error.to_string(),
        "undefined symbol `here` in what follows `/b.wasm`"
    );
}

#[test]
fn what_is_done_can_be_followed() {
    let mut process = process(&[(
        "/a.wasm",
        side(
            "",
            r#"(import "env" "thrice" (func (param i32) (result i32)))
               (func (export "__wasm_call_ctors"))"#
                .trim(),
        ),
    )]);
    assert_eq!(process.trace(), "");
    load(&mut process, "/a.wasm", false);
    let trace = process.trace();
    for line in [
        "dlopen /a.wasm",
        "  env.thrice = main.wasm!thrice",
        "call /a.wasm!__wasm_call_ctors",
    ] {
        assert!(
            trace.lines().any(|trace| trace == line),
            "no `{line}` in\n{trace}"
        );
    }
}

#[test]
fn a_shadowed_definition_is_reported() {
    let f = r#"(func (export "twice")) (func (export "own"))"#;
    let mut process = process(&[("/a.wasm", side("", f)), ("/b.wasm", side("", f))]);
    process.trace();
    load(&mut process, "/a.wasm", true);
    load(&mut process, "/b.wasm", false);
    let trace = process.trace();
    for line in [
        "duplicate twice: main.wasm stands before /a.wasm",
        "duplicate twice: main.wasm stands before /b.wasm",
        "duplicate own: /a.wasm stands before /b.wasm",
    ] {
        assert!(trace.lines().any(|trace| trace == line), "{trace}");
    }
    assert_eq!(trace.matches("duplicate").count(), 3, "{trace}");
}
