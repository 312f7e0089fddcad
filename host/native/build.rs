//! Assembles the module that switches between the stacks of threads.

use std::env;
use std::fs;
use std::path::PathBuf;

const SOURCE: &str = "src/threads/scheduler.wat";

fn main() {
    println!("cargo::rerun-if-changed={SOURCE}");
    let wasm = wat::parse_file(SOURCE).unwrap_or_else(|error| panic!("{error}"));
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    fs::write(out.join("scheduler.wasm"), wasm).expect("the output directory can be written");
}
