//! Views of memory put functions into this module's table (see `src/memory_view.rs`), so it must be able to grow.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_FAMILY").as_deref() == Ok("wasm") {
        println!("cargo::rustc-link-arg-cdylib=--growable-table");
        println!("cargo::rustc-link-arg-cdylib=--export-table");
    }
}
