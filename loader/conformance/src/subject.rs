//! An engine under test, as a guest sees it.

use crate::files::Files;

/// A process whose main module is that of the case, and whose files are those of the case.
pub trait Subject {
    /// `true` if guest code runs. Otherwise steps that depend on it are omitted.
    const RUNS: bool;

    /// A fresh process.
    fn new(files: Files) -> Self;

    /// `dlopen`
    fn open(&mut self, path: Option<&str>, flags: u32) -> u32;

    /// `dlsym`
    fn sym(&mut self, handle: u32, name: &str) -> Option<u32>;

    /// `dlclose`
    fn close(&mut self, handle: u32) -> bool;

    /// `dlerror`
    fn error(&mut self) -> Option<String>;

    /// Calls a slot of the table with `i32`s. A result of another type, or none, is 0.
    ///
    /// # Errors
    /// When the slot is empty, or the function traps.
    fn call(&mut self, slot: u32, args: &[i32]) -> Result<i32, String>;

    /// The `i32` at an address.
    fn read(&mut self, address: u32) -> i32;

    /// Paths of the side modules that are loaded.
    fn loaded(&mut self) -> Vec<String>;

    /// Returns the plan of a `dlopen`. `None` from engines that do not print it.
    fn plan(&mut self, path: &str, flags: u32) -> Option<String> {
        let _ = (path, flags);
        None
    }
}
