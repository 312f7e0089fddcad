//! An extension module in Rust.

use std::ffi::c_long;

use pyo3::prelude::*;

/// What the build was told, what the standard library has, and how long a `long` is.
#[pyfunction]
fn answer() -> (u32, usize, usize) {
    let told = env!("ASKED").parse::<u32>().unwrap_or_default() / 8;
    let mut sizes = vec![size_of::<usize>(), size_of::<c_long>()];
    sizes.sort();
    (told, sizes[0], sizes[1])
}

#[pymodule]
fn by_maturin(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(answer, module)?)
}
