//! Side modules in a real workerd.

use crate::app::App;
use pymode_bundle::names::{OBJECT, file};
use pymode_toolchain::Sha256Hex;
use pymode_workerd::stub::{self, hash_of};
use pymode_workerd::{Bundle, Module, ModuleKind, WorkerMode};

/// `_sqlite3` is a side module: its C code is on the stack while Python waits.
#[test]
fn a_guest_is_suspended_through_a_side_module() {
    let entry = "
import sqlite3, time
from pymode.workers import Response

def on_fetch(request, env):
    def waits(n):
        time.sleep(0.02)
        return n * 2
    db = sqlite3.connect(':memory:')
    db.create_function('waits', 1, waits)
    rows = db.execute('select waits(value) from json_each(?)', ['[1, 2, 3]']).fetchall()
    import _sqlite3
    return Response(f'{rows} {_sqlite3.__file__.endswith(\".wasm\")}')
";
    let app = App::serve(WorkerMode::Request, true, &[("entry.py", entry)]);
    assert_eq!(
        app.get("/").text(),
        "[(2,), (4,), (6,)] True",
        "{}",
        app.log()
    );
}

/// A bundle may contain modules that are never compiled: an invalid one only fails when it is imported.
#[test]
fn only_what_is_imported_is_compiled() {
    let entry = "
from pymode.workers import Response

def on_fetch(request, env):
    if 'broken' in request.url:
        try:
            import broken
        except ImportError as error:
            return Response(str(error))
    import unicodedata
    return Response(unicodedata.name('x'))
";
    let app = App::with(WorkerMode::Request, true, |sources| {
        std::fs::write(sources.join("entry.py"), entry).expect("it can be written");
        std::fs::write(sources.join("broken.wasm"), broken_side_module())
            .expect("it can be written");
    });
    assert_eq!(app.get("/").text(), "LATIN SMALL LETTER X", "{}", app.log());
    let answer = app.get("/broken");
    assert!(answer.text().contains("broken.wasm"), "{}", answer.text());
    assert_eq!(app.get("/").text(), "LATIN SMALL LETTER X", "{}", app.log());
}

/// The bundle without one of its modules, as if its file had been lost.
fn without(bundle: &Bundle, name: &str) -> Bundle {
    let modules = bundle.modules().iter();
    let kept = modules.filter(|module| module.name != name).cloned();
    Bundle::of(kept.collect()).with_object(OBJECT)
}

/// The bundle with another module in the place of one, as if the files of two bundles had been mixed.
fn replacing(bundle: &Bundle, name: &str, mut by: Module) -> Bundle {
    by.name = name.to_owned();
    let mut modules = bundle.modules().to_vec();
    let mut places = modules.iter_mut();
    let place = { &mut places }.find(|module| module.name == name);
    *place.expect("the bundle has the module") = by;
    Bundle::of(modules).with_object(OBJECT)
}

/// Imports the modules in the query, and answers with their names or errors.
const IMPORTS: &str = "
import importlib
from pymode.workers import Response

def on_fetch(request, env):
    results = []
    for name in request.url.partition('?')[2].split(','):
        try:
            results.append(importlib.import_module(name).__name__)
        except ImportError as error:
            results.append(f'{error.name}: {error}')
    return Response(' '.join(results))
";

#[test]
fn of_a_hundred_modules_only_those_that_are_imported_are_compiled() {
    let app = App::with(WorkerMode::Persistent, true, |sources| {
        std::fs::write(sources.join("entry.py"), IMPORTS).expect("it can be written");
        for number in 0..100 {
            let name = format!("m{number}");
            let path = sources.join(format!("{name}.wasm"));
            std::fs::write(path, side_module(&name)).expect("it can be written");
        }
    });
    let compiled = |app: &App| app.log().matches("pymode: compiled side-").count();
    assert_eq!(
        app.get("/?m7,m42,m99").text(),
        "m7 m42 m99",
        "{}",
        app.log()
    );
    assert_eq!(compiled(&app), 3, "{}", app.log());
    assert_eq!(app.get("/?m7,m8").text(), "m7 m8", "{}", app.log());
    assert_eq!(compiled(&app), 4, "{}", app.log());
}

#[test]
fn a_module_that_the_bundle_lost_is_an_error_that_says_so() {
    let wasm = side_module("lost");
    let fill = |sources: &std::path::Path| {
        std::fs::write(sources.join("entry.py"), IMPORTS).expect("it can be written");
        std::fs::write(sources.join("lost.wasm"), &wasm).expect("it can be written");
    };
    let name = format!("side-{}.wasm", &Sha256Hex::of(&wasm).as_str()[..24]);
    let app = App::changed(WorkerMode::Persistent, false, fill, |bundle| {
        assert!(bundle.modules().iter().any(|module| module.name == name));
        without(bundle, &name)
    });
    let answer = app.get("/?lost,math");
    let text = answer.text();
    assert!(
        text.contains("lost.wasm")
            && text.contains(&format!("{name}, is not in the Worker's bundle")),
        "{text}"
    );
    assert!(
        text.contains("hint: deploy all that `pymode build` writes"),
        "{text}"
    );
    assert!(text.ends_with(" math"), "{text}");
}

/// A bundle with files of two builds: files that differ are refused by name, and others work.
#[test]
fn a_stale_plan_is_refused_with_the_file_that_differs() {
    let fill = |names: &'static [&'static str]| {
        move |sources: &std::path::Path| {
            std::fs::write(sources.join("entry.py"), IMPORTS).expect("it can be written");
            for name in names {
                let path = sources.join(format!("{name}.wasm"));
                std::fs::write(path, side_module(name)).expect("it can be written");
            }
        }
    };
    let stale = |app: &App, path: &str, file: &str| {
        let answer = app.get(path);
        let text = answer.text();
        let expected =
            format!("the link plan is stale: `{file}` is not the file that it was made for");
        assert!(
            text.contains(&expected) && text.contains("hint: run `pymode build`"),
            "{text}\n{}",
            app.log()
        );
        assert!(text.ends_with(" math"), "{text}");
    };
    let name = |module: &str| format!("side-{}.wasm", stub::key(hash_of(&side_module(module))));

    let app = App::changed(
        WorkerMode::Persistent,
        false,
        fill(&["one", "two"]),
        |bundle| {
            let other = bundle
                .modules()
                .iter()
                .find(|module| module.name == name("two"));
            replacing(bundle, &name("one"), other.expect("it is there").clone())
        },
    );
    stale(&app, "/?one,math", &name("one"));
    assert_eq!(app.get("/?two").text(), "two", "{}", app.log());

    let mut plan = None;
    drop(App::changed(
        WorkerMode::Persistent,
        false,
        fill(&["one"]),
        |bundle| {
            let modules = bundle.modules().iter();
            plan = { modules }
                .find(|module| module.name == "plan.bin")
                .cloned();
            bundle.clone()
        },
    ));
    let plan = plan.expect("a bundle has a plan");
    let app = App::changed(
        WorkerMode::Persistent,
        false,
        fill(&["one", "two"]),
        |bundle| replacing(bundle, "plan.bin", plan.clone()),
    );
    stale(&app, "/?two,math", "/app/two.wasm");
    assert_eq!(app.get("/?one").text(), "one", "{}", app.log());

    let app = App::changed(WorkerMode::Persistent, false, fill(&["one"]), |bundle| {
        let modules = bundle.modules().iter();
        let main = { modules }.find(|module| module.name == "python.wasm");
        let main = main
            .expect("it is there")
            .content()
            .expect("it can be read");
        let other = stub::stamped(main.into_owned(), hash_of(b"another"));
        replacing(
            bundle,
            "python.wasm",
            Module::bytes("", ModuleKind::Wasm, other),
        )
    });
    stale(&app, "/?one,math", "python.wasm");
}

/// A Worker reads no settings that a later bundler wrote.
#[test]
fn settings_of_another_version_are_refused() {
    let fill = |sources: &std::path::Path| {
        std::fs::write(sources.join("entry.py"), IMPORTS).expect("it can be written");
    };
    let app = App::changed(WorkerMode::Persistent, false, fill, |bundle| {
        let mut modules = bundle.modules().iter();
        let settings = modules.find(|module| module.name == file::SETTINGS);
        let settings = settings.expect("the bundle has settings").content();
        let mut settings = settings.expect("they can be read").into_owned();
        settings[0] += 1;
        let other = Module::bytes("", ModuleKind::Data, settings);
        replacing(bundle, file::SETTINGS, other)
    });
    assert_eq!(app.get("/?math").status, 500);
    let log = app.log();
    assert!(
        log.contains("of the bundle format, but its settings have version"),
        "{log}"
    );
    assert!(log.contains("hint: run `pymode build` again"), "{log}");
}

/// An empty extension module: its definition is all zeros.
fn side_module(name: &str) -> Vec<u8> {
    let text = format!(
        r#"(module
            (@custom "dylink.0" (before first) "\01\04\40\02\00\00")
            (import "env" "memory" (memory 0))
            (import "env" "__memory_base" (global $base i32))
            (import "env" "PyModuleDef_Init" (func $init (param i32) (result i32)))
            (func (export "PyInit_{name}") (result i32) (call $init (global.get $base)))
            (@custom "pymode.abi" "\{:02x}"))"#,
        pymode_abi::VERSION
    );
    wat::parse_str(text).expect("the text is well-formed")
}

/// A side module with an invalid function body.
fn broken_side_module() -> Vec<u8> {
    let section = |id: u8, content: &[u8]| [&[id, content.len() as u8], content].concat();
    let dylink = [&[8][..], b"dylink.0", &[1, 4, 0, 0, 0, 0]].concat();
    let abi = [&[10][..], b"pymode.abi", &[pymode_abi::VERSION as u8]].concat();
    let export = [&[1, 13][..], b"PyInit_broken", &[0, 0]].concat();
    [
        b"\0asm\x01\0\0\0".to_vec(),
        section(0, &dylink),
        section(1, &[1, 0x60, 0, 1, 0x7f]),
        section(3, &[1, 0]),
        section(7, &export),
        // The function has a result, and its body leaves none.
        section(10, &[1, 2, 0, 0x0b]),
        section(0, &abi),
    ]
    .concat()
}

#[test]
fn what_is_no_side_module_is_refused_with_the_reason() {
    let entry = "
from pymode.workers import Response

def on_fetch(request, env):
    try:
        import text
    except ImportError as error:
        return Response(f'{error.name}: {error}')
";
    let app = App::serve(
        WorkerMode::Request,
        true,
        &[("entry.py", entry), ("text.wasm", "no WebAssembly")],
    );
    let answer = app.get("/");
    let text = answer.text();
    assert!(
        text.starts_with("text: ") && text.contains("not WebAssembly"),
        "{text}"
    );
}

/// A constructor runs on a stack of its own and can wait. A start function runs below JavaScript and cannot.
#[test]
fn a_constructor_may_wait_and_a_start_function_may_not() {
    let entry = "
from pymode.workers import Response

def on_fetch(request, env):
    said = []
    for name in ['constructor', 'start', 'constructor']:
        try:
            __import__(name)
        except Exception as error:
            said.append(f'{type(error).__name__}: {error}')
    import unicodedata
    return Response('\\n'.join([*said, unicodedata.name('x')]))
";
    let app = App::with(WorkerMode::Request, true, |sources| {
        let write = |name: &str, bytes: &[u8]| {
            std::fs::write(sources.join(name), bytes).expect("it can be written");
        };
        write("entry.py", entry.as_bytes());
        let constructor = r#"(export "__wasm_call_ctors" (func $wait))"#;
        write("constructor.wasm", &waiting("constructor", constructor));
        write("start.wasm", &waiting("start", "(start $wait)"));
    });
    let answer = app.get("/");
    let text = answer.text();
    let lines: Vec<&str> = text.lines().collect();
    let constructed =
        "SystemError: initialization of constructor failed without raising an exception";
    assert_eq!(lines.first(), Some(&constructed), "{text}\n{}", app.log());
    assert!(
        lines[1].starts_with("ImportError: ") && lines[1].contains("start.wasm"),
        "{text}"
    );
    assert!(lines[1].contains("waits"), "{text}");
    assert_eq!(
        lines[lines.len() - 2..],
        [constructed, "LATIN SMALL LETTER X"],
        "{text}"
    );
}

/// A side module that sleeps for 20 ms when it is loaded. Its `PyInit` traps if it did not, and returns null.
fn waiting(name: &str, when: &str) -> Vec<u8> {
    let version = pymode_abi::VERSION;
    wat::parse_str(format!(
        r#"(module
          (@dylink.0 (mem-info (memory 160 3) (table 0 0)))
          (@custom "pymode.abi" "\{version:02}")
          (import "env" "memory" (memory 0))
          (import "env" "__memory_base" (global $mb i32))
          (import "wasi_snapshot_preview1" "poll_oneoff"
            (func $poll (param i32 i32 i32 i32) (result i32)))
          ;; A subscription at 0: to the monotonic clock, in 20,000,000 ns. The event comes to 64, how many to 128.
          (data (global.get $mb) "\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\01\00\00\00\00\00\00\00\00\2d\31\01")
          (global $waited (mut i32) (i32.const 0))
          (func $wait
            (if (call $poll
                  (global.get $mb)
                  (i32.add (global.get $mb) (i32.const 64))
                  (i32.const 1)
                  (i32.add (global.get $mb) (i32.const 128)))
              (then (unreachable)))
            (if (i32.ne (i32.load offset=128 (global.get $mb)) (i32.const 1)) (then (unreachable)))
            (global.set $waited (i32.const 1)))
          {when}
          (func (export "PyInit_{name}") (result i32)
            (if (i32.eqz (global.get $waited)) (then (unreachable)))
            (i32.const 0)))"#
    ))
    .expect("the text is well-formed")
}
