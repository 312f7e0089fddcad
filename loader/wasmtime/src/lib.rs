//! The wasmtime engine of [`pymode_dylink`].
//!
//! A host keeps a [`Linkage`] in its store's data and implements [`StoreData`] for that data. A host function with a `Caller`
//! then makes a [`Process`](pymode_dylink::Process) by [`WasmtimeEngine::new`], and `dlopen` is
//! [`pymode_dylink::dlfcn::open`] on it.

#![warn(clippy::missing_errors_doc)]

#[allow(
    unsafe_code,
    reason = "wasmtime trusts the compiled code that it deserializes"
)]
mod cache;
mod codes;
mod config;
mod engine;
mod error;
mod store;

pub use cache::CodeCache;
pub use codes::WasmtimeSource;
pub use config::{GUEST_FEATURES, engine_config};
pub use engine::WasmtimeEngine;
pub use error::WasmtimeError;
pub use store::{Linkage, MainModule, StoreData};
