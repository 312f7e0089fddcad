//! What a running Python sees: WASI preview1 over a virtual file system, and the pymode imports.

pub mod image;
