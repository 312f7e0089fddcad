//! The wasmtime engine of pymode-dylink.
