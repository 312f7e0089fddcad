//! How CPython is built for wasm32-wasi.
