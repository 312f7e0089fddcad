//! Engine features that main and side modules need.

use wasmparser::WasmFeatures;
use wasmtime::Config;

/// A configuration with the proposals that side modules use: exceptions (C++, `setjmp`, Rust's unwinding), and what
/// wasmtime enables by itself (bulk memory, reference types, extended constant expressions, mutable globals, tail calls).
#[must_use]
pub fn engine_config() -> Config {
    let mut config = Config::new();
    config.wasm_exceptions(true);
    config
}

/// The proposals that the modules of a guest may use. A host's own module may switch stacks, which guests must not: wasmtime
/// 48 does not check everything about it yet.
pub const GUEST_FEATURES: WasmFeatures = WasmFeatures::WASM3
    .difference(WasmFeatures::GC)
    .difference(WasmFeatures::FUNCTION_REFERENCES);
