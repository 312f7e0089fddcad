//! An extension module in Rust.

use std::ffi::c_long;

use pyo3::prelude::*;

/// The build settings, a value of the standard library, and the size of a `long`.
#[pyfunction]
fn answer() -> (u32, usize, usize) {
    let asked = env!("ASKED").parse::<u32>().unwrap_or_default() / 8;
    let mut sizes = vec![size_of::<usize>(), size_of::<c_long>()];
    sizes.sort();
    (asked, sizes[0], sizes[1])
}

#[pymodule]
fn by_maturin(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(answer, module)?)
}
