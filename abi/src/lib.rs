//! The contract between python.wasm, its host and its side modules.
