//! Python on wasm32-wasi that loads C extensions at run time.

fn main() {}
