//! `dlopen`, `dlsym`, `dladdr` and `dlclose`.

pub(crate) mod addr;
pub(crate) mod attach;
pub(crate) mod close;
pub mod dlfcn;
pub(crate) mod error;

pub(crate) mod open;
pub(crate) mod preview;
pub(crate) mod process;
pub(crate) mod reclaim;
pub(crate) mod start;
pub(crate) mod sym;
pub(crate) mod trace;
