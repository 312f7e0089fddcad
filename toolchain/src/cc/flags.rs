//! The flags of every object and every side module: said here once, for the driver, for the side modules of the standard
//! library, and for the conformance cases alike.

/// The target, as zig names it.
pub const TARGET: &str = "wasm32-wasi";

/// For each C and C++ object, whatever it ends up in.
pub const COMPILE: &[&str] = &[
    "-target",
    TARGET,
    // Any object may become part of a side module; in a main module PIC costs next to nothing.
    "-fPIC",
    // zig hides by default on this target: then nothing but `PyInit_*` would ever be exported.
    "-fvisibility=default",
    // zig adds a sanitizer to unoptimised code; its runtime is not part of the ABI.
    "-fno-sanitize=undefined",
];

/// For `zig wasm-ld`, to link a side module.
pub const LINK_SIDE: &[&str] = &[
    "-shared",
    "--experimental-pic",
    // What is missing becomes an import; `pymode ext check` says which of them nobody provides.
    "--unresolved-symbols=import-dynamic",
    // A module that reaches its own symbols directly is smaller, has fewer imports, and never imports a weak function
    // that it defines itself, which no engine can bind before the module exists.
    "-Bsymbolic",
    "--strip-debug",
];
