//! The project's tasks: test, codegen, tidy.

fn main() {}
