//! The wasmtime engine of [`pymode_dylink`].
//!
//! A host keeps a [`Linkage`] in its store's data and implements [`StoreData`] for it. Then, in a host function that has a
//! `Caller`, [`WasmtimeEngine::new`] is a [`Process`](pymode_dylink::Process), and `dlopen` is
//! [`pymode_dylink::dlfcn::open`] on it.

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
pub use codes::Source;
pub use config::engine_config;
pub use engine::WasmtimeEngine;
pub use error::WasmtimeError;
pub use store::{Linkage, MainModule, StoreData};
