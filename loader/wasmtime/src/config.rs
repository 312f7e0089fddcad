//! Engine features that main and side modules need.

use wasmtime::Config;

/// A configuration with the proposals that side modules use: exceptions (C++, `setjmp`, Rust's unwinding), and what
/// wasmtime enables by itself (bulk memory, reference types, extended constant expressions, mutable globals, tail calls).
#[must_use]
pub fn engine_config() -> Config {
    let mut config = Config::new();
    config.wasm_exceptions(true);
    config
}
