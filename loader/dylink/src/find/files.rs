//! Access to the files that a process may load.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::future::ready;

use crate::module::ContentHash;
use crate::module::ModuleInfo;
use crate::module::error::ModuleError;
use crate::program::ids::FileId;

/// The files that a process may load.
pub trait Files {
    /// A side module that was read and not yet compiled.
    type Source;

    /// Returns the file that `path` leads to, or `None` if it leads to no file.
    fn identify(&mut self, path: &str) -> Option<FileId>;

    /// Reads the file at `path`. A host may have to wait for it.
    ///
    /// # Errors
    /// When it cannot be read, or is known not to be a side module.
    fn fetch(&mut self, path: &str) -> impl Future<Output = Result<Self::Source, FetchError>>;

    /// Waits for all of these files, which are fetched next, at once: for hosts that would else wait for each in turn.
    /// [`fetch`](Self::fetch) reports what is wrong with one of them.
    fn prefetch(&mut self, paths: &[Arc<str>]) -> impl Future<Output = ()> {
        let _ = paths;
        ready(())
    }

    /// Returns the description of a file that was read.
    ///
    /// # Errors
    /// When it is not a well-formed side module.
    fn describe(&mut self, source: &Self::Source) -> Result<Arc<ModuleInfo>, ModuleError>;

    /// Returns the hash of the content of a file that was read, by the function that the [plan](crate::Process::plan) was made
    /// with.
    fn hash(&mut self, source: &Self::Source) -> ContentHash;

    /// Returns the names of the files in a directory, in any order; it may leave out those that are too large to be read for
    /// the sake of a message. Asked for messages only, when a symbol is missing; a process that lists nothing gives fewer
    /// hints.
    fn list(&mut self, directory: &str) -> Vec<String> {
        let _ = directory;
        Vec::new()
    }
}

/// The reason why a file is not a side module that can be loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// It could not be read.
    #[error("cannot read it: {reason}")]
    Unreadable {
        /// The host's sentence.
        reason: String,
    },
    /// It was read and is not a well-formed side module.
    #[error(transparent)]
    Malformed(#[from] ModuleError),
}
