//! Keys of cache entries: one hash over all inputs of an entry.

use std::fmt;
use std::fs::File;
use std::io;
use std::path::Path;

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use crate::cache::CacheError;
use crate::sha256::Sha256Hex;

/// A sha256 over labelled inputs. Equal keys mean equal inputs in equal order.
#[derive(Clone)]
pub struct Key {
    name: String,
    state: Sha256,
}

impl Key {
    /// Starts a key. The name comes first in the entry's directory name, so that a reader finds it.
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            state: Sha256::new(),
        }
        .bytes("name", name.as_bytes())
    }

    /// Adds a text.
    #[must_use]
    pub fn field(self, label: &str, value: impl AsRef<str>) -> Self {
        self.bytes(label, value.as_ref().as_bytes())
    }

    /// Adds bytes. Lengths are hashed as well, so that two fields never read as one.
    #[must_use]
    pub fn bytes(mut self, label: &str, value: &[u8]) -> Self {
        for part in [label.as_bytes(), value] {
            self.state.update((part.len() as u64).to_le_bytes());
            self.state.update(part);
        }
        self
    }

    /// Adds the contents of a file, without its name and location.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn file(self, label: &str, path: &Path) -> Result<Self, CacheError> {
        let digest = Sha256Hex::of_file(path).map_err(CacheError::io("read", path))?;
        Ok(self.field(label, digest.as_str()))
    }

    /// Adds another key.
    #[must_use]
    pub fn key(self, label: &str, other: &Key) -> Self {
        self.field(label, other.hex())
    }

    /// Returns the name of the entry's directory: the key's name and 96 bits of the hash.
    pub fn hex(&self) -> String {
        let digest = self.state.clone().finalize();
        let name: String = self
            .name
            .chars()
            .map(|c| {
                if c.is_ascii_alphanumeric() || "._+-".contains(c) {
                    c
                } else {
                    '_'
                }
            })
            .collect();
        let name = name.trim_start_matches('.');
        format!("{name}-{}", HEXLOWER.encode(&digest[..12]))
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", self.hex())
    }
}

/// Hashes everything that `reader` returns, through a buffer of fixed size.
pub(crate) fn hash_reader(mut reader: impl io::Read) -> io::Result<Sha256> {
    let mut state = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match reader.read(&mut buffer)? {
            0 => return Ok(state),
            n => state.update(&buffer[..n]),
        }
    }
}

/// Hashes a file.
pub(crate) fn hash_file(path: &Path) -> io::Result<Sha256> {
    hash_reader(File::open(path)?)
}
