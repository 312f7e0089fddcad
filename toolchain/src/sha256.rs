//! A SHA-256 digest as text.

use std::fmt;
use std::io;
use std::path::Path;
use std::str::FromStr;

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

/// A SHA-256 digest: 64 lower-case hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Sha256Hex(String);

/// An invalid SHA-256 digest.
#[derive(Debug, thiserror::Error)]
#[error("invalid SHA-256 digest `{text}`: expected 64 hex digits")]
pub struct NotASha256 {
    text: String,
}

impl Sha256Hex {
    /// Hashes bytes in memory.
    pub fn of(bytes: &[u8]) -> Self {
        Self::from_state(Sha256::new_with_prefix(bytes))
    }

    /// Hashes a file.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn of_file(path: &Path) -> io::Result<Self> {
        Ok(Self::from_state(crate::key::hash_file(path)?))
    }

    /// Returns the digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn from_state(state: Sha256) -> Self {
        Self(HEXLOWER.encode(&state.finalize()))
    }
}

impl FromStr for Sha256Hex {
    type Err = NotASha256;

    fn from_str(text: &str) -> Result<Self, NotASha256> {
        if text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit()) {
            Ok(Self(text.to_ascii_lowercase()))
        } else {
            Err(NotASha256 {
                text: text.to_owned(),
            })
        }
    }
}

impl fmt::Display for Sha256Hex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
