//! A dynamic linker for WebAssembly side modules (dylink.0), independent of any engine.
