//! Builds what runs inside a Worker, bundles it with Python, and serves it in a local workerd.

pub mod bundle;
pub mod config;
pub mod door;
pub mod pack;
pub mod serve;
pub mod skeleton;
pub mod window;
pub mod worker;
