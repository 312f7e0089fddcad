//! Side modules: how the loader is bound to a running guest.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use common::{Bench, Done, finish, program_importing};
use pymode_native::Exit;

/// A main module that can carry side modules. Its `$load` opens `/site/side.wasm`, or exits with 100 after printing why not.
fn main(body: &str) -> String {
    let main = without_contract(body);
    let section = format!(
        "(module $program (@custom \"{}\" \"\\{:02x}\")",
        pymode_abi::SECTION,
        pymode_abi::VERSION
    );
    main.replacen("(module $program", &section, 1)
}

/// As [`main`], but without the contract's version.
fn without_contract(body: &str) -> String {
    program_importing(
        r#"
        (import "pymode" "dl_open" (func $dl_open (param i32 i32 i32) (result i32)))
        (import "pymode" "dl_sym" (func $dl_sym (param i32 i32 i32 i32) (result i32)))
        (import "pymode" "dl_close" (func $dl_close (param i32) (result i32)))
        (import "pymode" "dl_error" (func $dl_error (param i32 i32) (result i32)))"#,
        r#"
        (table (export "__indirect_function_table") 1 funcref)
        (global (export "__stack_pointer") (mut i32) (i32.const 131072))
        (global $brk (mut i32) (i32.const 131072))
        (func (export "malloc") (param $size i32) (result i32)
            (local $at i32)
            (local.set $at (global.get $brk))
            (global.set $brk (i32.and (i32.add (i32.add (global.get $brk) (local.get $size)) (i32.const 15)) (i32.const -16)))
            (local.get $at))
        (func (export "free") (param i32))
        (func (export "double") (param i32) (result i32) (i32.mul (local.get 0) (i32.const 2)))
        (func $print_error
            (call $print (i32.const 8192) (call $dl_error (i32.const 8192) (i32.const 4096))))
        (func $load (result i32)
            (local $handle i32)
            (local.set $handle (call $dl_open (i32.const 512) (i32.const 15) (i32.const 2)))
            (if (i32.eqz (local.get $handle)) (then (call $print_error) (call $proc_exit (i32.const 100))))
            (local.get $handle))
        (func $sym (param $handle i32) (result i32)
            (if (call $dl_sym (local.get $handle) (i32.const 528) (i32.const 6) (i32.const 544))
                (then (call $print_error) (call $proc_exit (i32.const 101))))
            (i32.load (i32.const 544)))
        (type $answer (func (result i32)))
        (data (i32.const 512) "/site/side.wasm\00answer")
        "#,
        body,
    )
}

/// A side module of this contract with these fields.
fn side(fields: &str) -> String {
    let version = pymode_abi::VERSION;
    format!(
        r#"(module (@dylink.0 (mem-info (memory 16 4) (table 0 0)))
            (@custom "{}" "\{version:02x}")
            (import "env" "memory" (memory 1))
            (import "env" "__memory_base" (global $base i32))
            (import "env" "double" (func $double (param i32) (result i32)))
            {fields})"#,
        pymode_abi::SECTION
    )
}

const ANSWER: &str = r#"
    (data (global.get $base) "\15")
    (func (export "answer") (result i32) (call $double (i32.load8_u (global.get $base))))"#;

const CALL: &str = "(call $print_number (call_indirect (type $answer) (call $sym (call $load))))";

fn run(bench: &Bench, side: Option<Vec<u8>>, body: &str) -> Done {
    std::fs::create_dir_all(bench.path("site")).unwrap();
    if let Some(wasm) = side {
        bench.file("site/side.wasm", wasm);
    }
    let mut run = bench.open(&main(body)).unwrap().run();
    run.mount_read_only("/site", &bench.path("site")).unwrap();
    finish(run)
}

fn wasm(fields: &str) -> Option<Vec<u8>> {
    Some(wat::parse_str(side(fields)).unwrap())
}

fn out(text: &str) -> Done {
    Done {
        exit: Exit::Code(0),
        out: text.into(),
        err: String::new(),
    }
}

#[test]
fn a_side_module_shares_memory_and_functions_with_main() {
    let bench = Bench::new();
    assert_eq!(run(&bench, wasm(ANSWER), CALL), out("042"));
    assert_eq!(
        std::fs::read_dir(bench.path("code")).unwrap().count(),
        2,
        "the code of both is kept"
    );
    assert_eq!(run(&bench, wasm(ANSWER), CALL), out("042"));
}

#[test]
fn a_library_without_a_path_is_looked_for_where_it_was_said() {
    let bench = Bench::new();
    bench.file("libs/side.wasm", wasm(ANSWER).unwrap());
    bench.file("other/nothing", "");
    // `side.wasm`, without the `/site/` before it.
    let wat = main(CALL).replace(
        "(call $dl_open (i32.const 512) (i32.const 15)",
        "(call $dl_open (i32.const 518) (i32.const 9)",
    );
    let mut run = bench.open(&wat).unwrap().run();
    run.library(&bench.path("other"))
        .unwrap()
        .library(&bench.path("libs"))
        .unwrap();
    assert_eq!(finish(run), out("042"));
    let done = finish(bench.open(&wat).unwrap().run());
    assert_eq!(done.exit, Exit::Code(100));
    assert!(done.out.contains("cannot find `side.wasm`"), "{}", done.out);
}

#[test]
fn a_side_module_may_use_wasi_itself() {
    let fields = format!(
        r#"(import "wasi_snapshot_preview1" "sched_yield" (func $yield (result i32)))
        (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
        {ANSWER}
        (func (export "__wasm_call_ctors")
            (if (call $yield) (then unreachable))
            (if (call $random (i32.add (global.get $base) (i32.const 8)) (i32.const 8)) (then unreachable)))"#
    );
    assert_eq!(run(&Bench::new(), wasm(&fields), CALL), out("042"));
}

/// Returns the message of `dl_error` for a side module.
fn refused(side: Option<Vec<u8>>) -> String {
    let done = run(&Bench::new(), side, CALL);
    assert_eq!(done.exit, Exit::Code(100), "{}", done.out);
    done.out
}

#[test]
fn what_cannot_be_loaded_says_why() {
    assert!(refused(None).contains("/site/side.wasm"));
    assert!(refused(Some(b"print(1)".to_vec())).contains("not WebAssembly"));
    let whole = wasm(ANSWER).unwrap();
    assert!(refused(Some(whole[..whole.len() - 3].to_vec())).contains("cut short"));
    assert!(refused(Some(wat::parse_str("(module)").unwrap())).contains("not a side module"));
    let text = refused(wasm(
        r#"(import "env" "first" (func)) (import "env" "second" (func (param i32)))"#,
    ));
    assert!(
        text.contains("`first`") && text.contains("`second`"),
        "{text}"
    );
    let text = refused(wasm(
        r#"(import "wasi_snapshot_preview1" "no_such" (func))"#,
    ));
    assert!(text.contains("no_such"), "{text}");
    let other = side(ANSWER).replace(&format!("\"\\{:02x}\"", pymode_abi::VERSION), "\"\\63\"");
    let text = refused(Some(wat::parse_str(other).unwrap()));
    assert!(text.contains("version 99"), "{text}");
}

#[test]
fn a_constructor_that_traps_fails_the_dlopen_and_not_the_program() {
    let text = refused(wasm("(func (export \"__wasm_call_ctors\") unreachable)"));
    assert!(text.contains("__wasm_call_ctors"), "{text}");
}

#[test]
fn a_constructor_that_exits_ends_the_program() {
    let fields = r#"(import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
        (func (export "__wasm_call_ctors") (call $exit (i32.const 9)))"#;
    assert_eq!(
        run(&Bench::new(), wasm(fields), CALL),
        Done {
            exit: Exit::Code(9),
            ..out("")
        }
    );
}

#[test]
fn a_trap_in_a_side_module_is_the_programs_and_names_it() {
    let done = run(
        &Bench::new(),
        wasm("(func $crash (export \"answer\") (result i32) unreachable)"),
        CALL,
    );
    let Exit::Failure(fault) = done.exit else {
        panic!("{done:?}")
    };
    assert!(fault.to_string().contains("crash+0x"), "{fault}");
}

#[test]
fn symbols_that_are_not_there_and_handles_that_are_closed_are_errors() {
    let done = run(&Bench::new(), wasm("(func (export \"other\"))"), CALL);
    assert_eq!(done.exit, Exit::Code(101));
    assert!(
        done.out.contains("undefined symbol `answer`"),
        "{}",
        done.out
    );

    let body = "(local $handle i32)
        (local.set $handle (call $load))
        (if (call $dl_close (local.get $handle)) (then unreachable))
        (if (i32.ne (call $dl_close (local.get $handle)) (i32.const -1)) (then unreachable))
        (call $print_error)
        (if (call $dl_error (i32.const 8192) (i32.const 4096)) (then unreachable))";
    let done = run(&Bench::new(), wasm(ANSWER), body);
    assert!(
        done.exit == Exit::Code(0) && done.out.contains("not an open handle"),
        "{done:?}"
    );
}

#[test]
fn bad_pointers_are_errors_of_the_call() {
    for (call, says) in [
        (
            "(drop (call $dl_open (i32.const -1) (i32.const 10) (i32.const 2)))",
            "dl_open: the text at 0xffffffff",
        ),
        (
            "(drop (call $dl_open (i32.const 16) (i32.const -1) (i32.const 2)))",
            "outside of the program's memory",
        ),
        (
            "(drop (call $dl_sym (i32.const 0) (i32.const -4) (i32.const 8) (i32.const 0)))",
            "dl_sym: the text",
        ),
        (
            "(if (i32.ne (call $dl_sym (call $load) (i32.const 528) (i32.const 6) (i32.const -2)) (i32.const -1)) (then unreachable))",
            "the result's address, 0xfffffffe",
        ),
    ] {
        let body = format!(
            "{call} (drop (call $dl_error (i32.const -16) (i32.const 4096))) (call $print_error)"
        );
        let done = run(&Bench::new(), wasm(ANSWER), &body);
        assert!(
            done.exit == Exit::Code(0) && done.out.contains(says),
            "{done:?}"
        );
    }
}

#[test]
fn a_trap_names_the_side_modules_path() {
    let trap = r#"
        (func $deep (unreachable))
        (func (export "answer") (result i32) (call $deep) (i32.const 0))"#;
    let done = run(&Bench::new(), wasm(trap), CALL);
    let Exit::Failure(fault) = done.exit else {
        panic!("it ended with {:?}", done.exit);
    };
    assert!(
        fault.frames[0].starts_with("/site/side.wasm!deep+0x"),
        "{fault}"
    );
    let trap = r#"
        (func $deep (unreachable))
        (func (export "__wasm_call_ctors") (call $deep))"#;
    let done = run(&Bench::new(), wasm(trap), CALL);
    assert_eq!(done.exit, Exit::Code(100));
    assert!(
        done.out.contains("in /site/side.wasm!deep+0x"),
        "{}",
        done.out
    );
}

#[test]
fn the_loader_tells_what_it_does() {
    let bench = Bench::new();
    bench.file("libs/side.wasm", wasm(ANSWER).unwrap());
    let wat = main(CALL).replace(
        "(call $dl_open (i32.const 512) (i32.const 15)",
        "(call $dl_open (i32.const 518) (i32.const 9)",
    );
    let mut run = bench.open(&wat).unwrap().run();
    run.library(&bench.path("libs")).unwrap().trace_loads();
    let done = finish(run);
    assert_eq!((done.exit, done.out.as_str()), (Exit::Code(0), "042"));
    for line in [
        "find side.wasm",
        "  try /lib/side.wasm: nothing",
        "  try /library/1/side.wasm: found",
        "dlopen side.wasm",
        "  env.__memory_base = its memory base",
        "place /library/1/side.wasm: data at 0x",
        "dlsym answer = slot ",
    ] {
        let said = done.err.lines().any(|said| {
            said.strip_prefix("pymode dl: ")
                .is_some_and(|said| said.starts_with(line))
        });
        assert!(said, "no `{line}` in\n{}", done.err);
    }
}
