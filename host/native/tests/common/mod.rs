//! Programs written as text, and what becomes of them.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "shared by several test programs, which fail by panicking"
)]

use std::path::{Path, PathBuf};

use pymode_native::{Captured, Error, Exit, Output, Program, Run, Stdin};
use tempfile::TempDir;

/// A directory for one test, with a code cache in it.
pub struct Bench {
    pub dir: TempDir,
}

/// The result of a program.
#[derive(Debug, PartialEq, Eq)]
pub struct Done {
    pub exit: Exit,
    pub out: String,
    pub err: String,
}

impl Bench {
    pub fn new() -> Bench {
        Bench {
            dir: TempDir::new().unwrap(),
        }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        path
    }

    pub fn open(&self, wat: &str) -> Result<Program, Error> {
        let wasm = self.file("main.wasm", wat::parse_str(wat).unwrap());
        Program::open(&wasm, &self.path("code"))
    }

    /// A program whose `_start` has this body. It can print (`$print` address length), and what it imports is in [`IMPORTS`].
    pub fn program(&self, body: &str) -> Program {
        self.open(&program(body)).unwrap()
    }

    pub fn run(&self, body: &str) -> Done {
        self.run_with(body, |_| {})
    }

    pub fn run_with(&self, body: &str, prepare: impl FnOnce(&mut Run)) -> Done {
        let mut run = self.program(body).run();
        prepare(&mut run);
        finish(run)
    }
}

pub fn finish(mut run: Run) -> Done {
    let (out, err) = (Captured::new(), Captured::new());
    run.stdout(Output::Capture(out.clone()))
        .stderr(Output::Capture(err.clone()));
    let exit = run.start().unwrap();
    Done {
        exit,
        out: out.take_text(),
        err: err.take_text(),
    }
}

/// First lines of every test program.
const IMPORTS: &str = r#"
    (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
    (import "wasi_snapshot_preview1" "args_get" (func $args_get (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "environ_get" (func $environ_get (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "path_open" (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "path_symlink" (func $path_symlink (param i32 i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "path_unlink_file" (func $path_unlink_file (param i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_fdstat_get" (func $fd_fdstat_get (param i32 i32) (result i32)))
"#;

const HELPERS: &str = r#"
    (memory (export "memory") 4)
    ;; Writes bytes to standard output.
    (func $print (param $at i32) (param $len i32)
        (i32.store (i32.const 16) (local.get $at))
        (i32.store (i32.const 20) (local.get $len))
        (drop (call $fd_write (i32.const 1) (i32.const 16) (i32.const 1) (i32.const 24))))
    ;; Reads into a buffer of 4096 bytes at 8192; how many bytes.
    (func $read (param $fd i32) (result i32)
        (i32.store (i32.const 16) (i32.const 8192))
        (i32.store (i32.const 20) (i32.const 4096))
        (if (call $fd_read (local.get $fd) (i32.const 16) (i32.const 1) (i32.const 24)) (then unreachable))
        (i32.load (i32.const 24)))
    ;; Opens the path whose length is at 1020 and whose text is at 1024; exits with the error if there is one.
    (func $open (param $oflags i32) (param $rights i64) (result i32)
        (local $errno i32)
        (local.set $errno (call $path_open (i32.const 3) (i32.const 1) (i32.const 1024) (i32.load (i32.const 1020))
            (local.get $oflags) (local.get $rights) (i64.const -1) (i32.const 0) (i32.const 28)))
        (if (local.get $errno) (then (call $proc_exit (local.get $errno))))
        (i32.load (i32.const 28)))
    ;; Prints a number below 1000 as three digits.
    (func $print_number (param $n i32)
        (i32.store8 (i32.const 32) (i32.add (i32.const 48) (i32.div_u (local.get $n) (i32.const 100))))
        (i32.store8 (i32.const 33) (i32.add (i32.const 48) (i32.rem_u (i32.div_u (local.get $n) (i32.const 10)) (i32.const 10))))
        (i32.store8 (i32.const 34) (i32.add (i32.const 48) (i32.rem_u (local.get $n) (i32.const 10))))
        (call $print (i32.const 32) (i32.const 3)))
"#;

pub fn program(body: &str) -> String {
    program_with("", body)
}

/// As [`program`], with further fields of the module.
pub fn program_with(fields: &str, body: &str) -> String {
    program_importing("", fields, body)
}

/// As [`program_with`], with further imports, which must come before all else.
pub fn program_importing(imports: &str, fields: &str, body: &str) -> String {
    format!(
        "(module $program {IMPORTS} {imports} {HELPERS} {fields} (func $start (export \"_start\") {body}))"
    )
}

/// A data segment that holds a path for `$open`.
pub fn path_data(path: &str) -> String {
    let len = u8::try_from(path.len()).unwrap();
    format!("(data (i32.const 1020) \"\\{len:02x}\\00\\00\\00{path}\")")
}

pub fn bytes(text: &str) -> Stdin {
    Stdin::Bytes(text.as_bytes().to_vec())
}

/// A program that prints what is in the file at `path` of the guest, or exits with the error.
pub fn cat(path: &str) -> String {
    program_with(
        &path_data(path),
        "(call $print (i32.const 8192) (call $read (call $open (i32.const 0) (i64.const 2))))",
    )
}

/// A program that makes a file with the content `made`.
pub fn touch(path: &str) -> String {
    program_with(
        &format!("{} (data (i32.const 512) \"made\")", path_data(path)),
        "(local $fd i32)
         (local.set $fd (call $open (i32.const 1) (i64.const 64)))
         (i32.store (i32.const 16) (i32.const 512))
         (i32.store (i32.const 20) (i32.const 4))
         (call $proc_exit (call $fd_write (local.get $fd) (i32.const 16) (i32.const 1) (i32.const 24)))",
    )
}

pub fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}
