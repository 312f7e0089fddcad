//! The message for `dlerror`.

use alloc::string::String;
use alloc::vec::Vec;

/// The message that `dlerror` returns next. Reading it takes it away.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct LastError {
    message: Option<String>,
}

impl LastError {
    /// Sets the message; an older one that was not read is lost, as POSIX has it.
    pub fn set(&mut self, message: impl Into<String>) {
        self.message = Some(message.into());
    }

    /// The message, which stays.
    #[must_use]
    pub fn peek(&self) -> Option<&str> {
        self.message.as_deref()
    }

    /// The message, which is gone then.
    pub fn take(&mut self) -> Option<String> {
        self.message.take()
    }

    /// Reads into a buffer of `capacity` bytes: the full length of the message, 0 if there is none, and as much of it as
    /// the buffer holds. A message that fits is gone then.
    pub fn read(&mut self, capacity: usize) -> (usize, Vec<u8>) {
        let mut bytes = match &self.message {
            Some(message) if message.len() <= capacity => self.take().unwrap_or_default(),
            Some(message) => message.clone(),
            None => return (0, Vec::new()),
        }
        .into_bytes();
        let length = bytes.len();
        bytes.truncate(capacity);
        (length, bytes)
    }
}
