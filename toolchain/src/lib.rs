//! Compilers and sources, and the steps of a build.
//!
//! Everything that is built or downloaded goes through one content-keyed [`cache`]: it is complete or absent.

pub mod archive;
pub mod cache;
pub mod cc;
pub mod crates;
pub mod debian;
pub mod dlfcn;
pub mod download;
mod error;
mod files;
pub mod key;
pub mod libcxx;
mod malloc;
pub mod npm;
pub mod process;
pub mod pypi;
pub mod reporter;
pub mod rust;
pub mod sections;
pub mod sha256;
pub mod step;
pub mod threads;
pub mod tools;
pub mod uv;
pub mod zig;

/// The hash of this crate's sources and of the lock file, for the keys of what it makes.
pub(crate) const SOURCES: &str = env!("SOURCES");

pub use cache::{Cache, CacheError};
pub use download::{DownloadError, Source, download};
pub use error::Error;
pub use files::link_tree;
pub use key::Key;
pub use reporter::Reporter;
pub use sha256::Sha256Hex;
pub use step::{Step, StepError};
