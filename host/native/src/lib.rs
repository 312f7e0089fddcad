//! python.wasm in wasmtime: the native host.
