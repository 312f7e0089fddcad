//! Start and end of programs.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use common::{Bench, Done, bytes, program, program_with};
use pymode_native::{Error, Exit, Program, Unusable};

fn code(code: u32, out: &str) -> Done {
    Done {
        exit: Exit::Code(code),
        out: out.into(),
        err: String::new(),
    }
}

#[test]
fn a_program_that_returns_exits_with_0() {
    assert_eq!(Bench::new().run(""), code(0, ""));
}

#[test]
fn the_exit_code_is_the_programs() {
    let bench = Bench::new();
    let done = bench.run("(call $proc_exit (i32.const 7)) unreachable");
    assert_eq!(done, code(7, ""));
    assert_eq!(done.exit.code(), 7);
    assert_eq!(
        bench.run("(call $proc_exit (i32.const 259))").exit.code(),
        3
    );
}

#[test]
fn what_is_read_is_what_was_given_and_what_is_written_is_kept() {
    let done = Bench::new().run_with(
        "(call $print (i32.const 8192) (call $read (i32.const 0)))",
        |run| {
            run.stdin(bytes("hello"));
        },
    );
    assert_eq!(done, code(0, "hello"));
}

#[test]
fn arguments_and_environment_arrive() {
    let body = "(drop (call $args_get (i32.const 1024) (i32.const 4096)))
                (call $print (i32.const 4096) (i32.const 9))
                (drop (call $environ_get (i32.const 1024) (i32.const 4096)))
                (call $print (i32.const 4096) (i32.const 6))";
    let done = Bench::new().run_with(body, |run| {
        run.args(["a", "größ"]).env("X", "old").env("X", "new");
    });
    assert_eq!(done, code(0, "a\0größ\0X=new\0"));
    let mut run = Bench::new().program("").run();
    run.arg("a\0b");
    assert!(matches!(run.start(), Err(Error::Text { .. })));
    let mut run = Bench::new().program("").run();
    run.env("a=b", "");
    assert!(matches!(run.start(), Err(Error::Text { .. })));
}

/// A module without its custom sections.
fn strip(wasm: &[u8]) -> Vec<u8> {
    let mut stripped = wasm[..8].to_vec();
    for payload in wasmparser::Parser::new(0).parse_all(wasm) {
        let payload = payload.unwrap();
        if let Some((id, range)) = payload.as_section()
            && id != 0
        {
            stripped.push(id);
            // A length of five bytes, whatever it is.
            let range = range.start as usize..range.end as usize;
            let len = range.len();
            stripped.extend(
                (0..5).map(|at| (len >> (7 * at) & 0x7f) as u8 | if at < 4 { 0x80 } else { 0 }),
            );
            stripped.extend(&wasm[range]);
        }
    }
    stripped
}

fn fault(done: Done) -> String {
    match done.exit {
        Exit::Failure(fault) => fault.to_string(),
        exit => panic!("{exit:?}"),
    }
}

#[test]
fn a_trap_says_what_and_where() {
    let bench = Bench::new();
    let wat = program_with("(func $inner unreachable)", "(call $inner)");
    let done = common::finish(bench.open(&wat).unwrap().run());
    assert_eq!(done.exit.code(), 134);
    let text = fault(done);
    assert!(text.contains("aborted"), "{text}");
    assert!(text.contains("main.wasm!inner+0x"), "{text}");
    assert!(text.contains("main.wasm!start+0x"), "{text}");

    let text = fault(bench.run("(drop (i32.load (i32.const 0x7fffffff)))"));
    assert!(text.contains("out of bounds memory access"), "{text}");
}

#[test]
fn an_exception_that_nobody_catches_is_a_fault() {
    let bench = Bench::new();
    let wat = program_with("(tag $oops (param i32))", "(throw $oops (i32.const 1))");
    let text = fault(common::finish(bench.open(&wat).unwrap().run()));
    assert!(text.contains("uncaught exception"), "{text}");
}

#[test]
fn names_that_were_stripped_are_found_beside_the_program() {
    let bench = Bench::new();
    let named = wat::parse_str(program_with("(func $inner unreachable)", "(call $inner)")).unwrap();
    let stripped = bench.file("main.wasm", strip(&named));
    let run = || {
        fault(common::finish(
            Program::open(&stripped, &bench.path("code")).unwrap().run(),
        ))
    };
    assert!(run().contains("main.wasm!function["), "{}", run());
    bench.file("main.names.wasm", &named);
    assert!(run().contains("main.wasm!inner+0x"), "{}", run());
    bench.file("main.names.wasm", "nonsense");
    assert!(run().contains("main.wasm!function["), "{}", run());
}

#[test]
fn a_recursion_without_end_is_a_fault_and_not_the_end_of_this_process() {
    let bench = Bench::new();
    let wat = program_with("(func $deep (param i64 i64 i64 i64) (result i64)
        (i64.add (i64.const 1) (call $deep (local.get 1) (local.get 2) (local.get 3) (i64.const 4))))",
        "(drop (call $deep (i64.const 0) (i64.const 0) (i64.const 0) (i64.const 0)))");
    let text = fault(common::finish(bench.open(&wat).unwrap().run()));
    assert!(text.contains("too deep"), "{text}");
    assert!(
        text.contains("hint: look for a recursion without end"),
        "{text}"
    );
    assert!(
        text.lines().count() < 20,
        "thousands of frames are not shown: {text}"
    );
    assert_eq!(bench.run(""), code(0, ""), "the next program runs");
}

#[test]
fn a_host_call_at_the_bottom_of_the_stack_does_not_overflow_ours() {
    // Recurses as deep as it goes, and calls the host at each step: the last calls have almost no stack of the guest's left.
    let wat = program_with(
        "(func $deep (param i32) (call $print (i32.const 0) (i32.const 1)) (call $deep (i32.add (local.get 0) (i32.const 1))))",
        "(call $deep (i32.const 0))",
    );
    let text = fault(common::finish(Bench::new().open(&wat).unwrap().run()));
    assert!(text.contains("too deep"), "{text}");
}

#[test]
fn memory_ends_where_the_caller_says() {
    let bench = Bench::new();
    // Grows by one page at a time until that fails; prints how many it has in all, in hundreds.
    let body = "(loop $more (br_if $more (i32.ne (memory.grow (i32.const 1)) (i32.const -1))))
                (call $print_number (i32.div_u (memory.size) (i32.const 16)))";
    let done = bench.run_with(body, |run| {
        run.memory_limit(64 << 20);
    });
    assert_eq!(done, code(0, "064"));
    let done = bench.run_with("", |run| {
        run.memory_limit(1000);
    });
    assert!(
        matches!(done.exit, Exit::Failure(_)),
        "a program that needs more to begin with: {done:?}"
    );
}

#[test]
fn what_is_no_program_is_refused_with_a_reason() {
    let bench = Bench::new();
    let refused = |wat: &str| match bench.open(wat) {
        Err(error) => error.to_string(),
        Ok(_) => panic!("taken for a program"),
    };
    let text = refused("(module (memory (export \"memory\") 1))");
    assert!(text.contains("exports no function `_start`"), "{text}");
    let text = refused(
        r#"(module (import "env" "puts" (func)) (import "pymode" "no_such" (func (result i32)))
        (import "wasi_snapshot_preview1" "fd_close" (func (param i32) (result i32)))
        (memory (export "memory") 1) (func (export "_start")))"#,
    );
    assert!(
        text.contains("`env.puts`, `pymode.no_such`") && !text.contains("fd_close"),
        "{text}"
    );
    let text = refused(
        r#"(module (import "wasi_snapshot_preview1" "fd_close" (func)) (memory (export "memory") 1) (func (export "_start")))"#,
    );
    assert!(text.contains("incompatible import type"), "{text}");

    for (name, bytes) in [
        ("empty", &b""[..]),
        ("cut", b"\0asm\x01\0\0\0\x01\x7f"),
        ("text", b"print(1)"),
    ] {
        let path = bench.file(name, bytes);
        let error = Program::open(&path, &bench.path("code")).err().unwrap();
        assert!(
            matches!(error, Error::Program(Unusable::Compile { .. })),
            "{name}: {error}"
        );
    }
    let error = Program::open(&bench.path("absent"), &bench.path("code"))
        .err()
        .unwrap();
    assert!(error.to_string().contains("absent"), "{error}");
    assert!(matches!(error, Error::File { .. }), "{error:?}");
}

#[test]
fn compiled_code_is_kept_and_a_damaged_entry_is_made_again() {
    let bench = Bench::new();
    let wat = program("(call $proc_exit (i32.const 5))");
    let run = || common::finish(bench.open(&wat).unwrap().run()).exit.code();
    assert_eq!(run(), 5);
    let kept: Vec<_> = std::fs::read_dir(bench.path("code"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    assert_eq!(kept.len(), 1, "{kept:?}");
    let whole = std::fs::read(&kept[0]).unwrap();
    for damaged in [&whole[..whole.len() / 2], b"", b"nonsense"] {
        std::fs::write(&kept[0], damaged).unwrap();
        assert_eq!(run(), 5);
    }
    std::fs::remove_dir_all(bench.path("code")).unwrap();
    assert_eq!(run(), 5);
}

#[test]
fn a_code_cache_that_cannot_be_written_only_costs_time() {
    let bench = Bench::new();
    bench.file("code", "a file where a directory should be");
    assert_eq!(bench.run("(call $proc_exit (i32.const 6))").exit.code(), 6);
}

#[test]
fn many_guests_run_at_once() {
    let bench = Bench::new();
    let program = bench.program("(call $print (i32.const 8192) (call $read (i32.const 0)))");
    let guests: Vec<_> = (0..16)
        .map(|number| {
            let mut run = program.run();
            run.stdin(bytes(&format!("guest {number}")));
            std::thread::spawn(move || common::finish(run).out)
        })
        .collect();
    for (number, guest) in guests.into_iter().enumerate() {
        assert_eq!(guest.join().unwrap(), format!("guest {number}"));
    }
}
