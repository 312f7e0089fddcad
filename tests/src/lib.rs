//! Whole-runtime tests.
