//! Marker traits for threads: required where the target has threads, empty where it has none.
//!
//! Natively a guest may be moved from thread to thread while it waits. In a JavaScript engine everything is on one thread, and the things of
//! that engine cannot leave it.

#[cfg(not(target_family = "wasm"))]
mod bounds {
    /// `Send`, where there are threads.
    pub trait MaybeSend: Send {}
    impl<T: Send + ?Sized> MaybeSend for T {}

    /// `Sync`, where there are threads.
    pub trait MaybeSync: Sync {}
    impl<T: Sync + ?Sized> MaybeSync for T {}
}

#[cfg(target_family = "wasm")]
mod bounds {
    /// `Send`, where there are threads; here are none.
    pub trait MaybeSend {}
    impl<T: ?Sized> MaybeSend for T {}

    /// `Sync`, where there are threads; here are none.
    pub trait MaybeSync {}
    impl<T: ?Sized> MaybeSync for T {}
}

pub use bounds::{MaybeSend, MaybeSync};
