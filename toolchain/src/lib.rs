//! Where compilers and sources come from: cache, downloads, zig, and the C compiler driver.
