//! A guest with the streams of its process: seen from outside, by another process.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use std::io::{Read, Write};
use std::process::{Command, Stdio};

use common::Bench;

/// Set for the child: what it is to run.
const PROGRAM: &str = "PYMODE_TEST_PROGRAM";

/// Not a test by itself: the child process of the others, which runs one guest with inherited streams.
#[test]
fn child() {
    let Some(body) = std::env::var_os(PROGRAM) else {
        return;
    };
    let exit = Bench::new()
        .program(body.to_str().unwrap())
        .run()
        .start()
        .unwrap();
    std::process::exit(exit.code().into());
}

fn command(body: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "child", "--nocapture"])
        .env(PROGRAM, body);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

#[test]
fn streams_and_exit_code_are_the_process_ones() {
    let mut child = command(
        "(call $print (i32.const 8192) (call $read (i32.const 0))) (call $proc_exit (i32.const 3))",
    )
    .spawn()
    .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(b"through a pipe")
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    assert!(
        String::from_utf8(output.stdout)
            .unwrap()
            .ends_with("through a pipe")
    );
}

#[test]
fn what_is_written_is_seen_while_the_program_still_runs() {
    // Prints, then waits for input: what was printed must come through although the program has not ended.
    let mut child =
        command("(i32.store8 (i32.const 64) (i32.const 33)) (call $print (i32.const 64) (i32.const 1)) (drop (call $read (i32.const 0)))").spawn().unwrap();
    let mut stdout = child.stdout.take().unwrap();
    let mut seen = Vec::new();
    let mut byte = [0];
    while byte != *b"!" {
        assert_eq!(
            stdout.read(&mut byte).unwrap(),
            1,
            "{:?}",
            String::from_utf8_lossy(&seen)
        );
        seen.extend(byte);
    }
    drop(child.stdin.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn a_pipe_is_no_terminal_and_nobody_at_its_other_end_is_an_error() {
    // The kind of file 1 is the exit code.
    let kind = "(drop (call $fd_fdstat_get (i32.const 1) (i32.const 64))) (call $proc_exit (i32.load8_u (i32.const 64)))";
    assert_eq!(command(kind).output().unwrap().status.code(), Some(0));

    let flood = "(loop $more
        (i32.store (i32.const 16) (i32.const 0)) (i32.store (i32.const 20) (i32.const 65536))
        (br_if $more (i32.eqz (call $fd_write (i32.const 1) (i32.const 16) (i32.const 1) (i32.const 24)))))
        (call $proc_exit (call $fd_write (i32.const 1) (i32.const 16) (i32.const 1) (i32.const 24)))";
    let mut child = command(flood).spawn().unwrap();
    // The test harness of the child prints first; the rest is the guest's.
    let mut stdout = child.stdout.take().unwrap();
    stdout.read_exact(&mut vec![0; 1 << 18]).unwrap();
    drop(stdout);
    let code = child.wait().unwrap().code();
    assert_eq!(code, Some(pymode_host::Errno::Pipe.number().into()));
}
