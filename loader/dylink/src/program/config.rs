//! What a host decides about its process.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

/// How a process links.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// The version that main and side modules must share; `None`: not checked.
    pub contract: Option<Contract>,
    /// Directories in which a name without a slash is looked for, after the requester's own run-time path.
    pub library_path: Vec<String>,
}

/// A version in a custom section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contract {
    /// The section's name. It holds the version as LEB128 and nothing else.
    pub section: Cow<'static, str>,
    /// The version that the host and main keep.
    pub version: u32,
}
