//! Streams without a position: standard input and output, pipes, terminals, sockets.

use std::sync::{Arc, Mutex, PoisonError};

use crate::vfs::FileKind;
use crate::{Errno, MaybeSend};

/// Something to read from or write to in order.
pub trait Stream: MaybeSend {
    /// [`FileKind::CharacterDevice`] for a terminal, which is what `isatty` asks.
    fn kind(&self) -> FileKind;

    /// Reads what there is, at least one byte; 0 is the end. Waits, unless `may_wait` is false.
    ///
    /// # Errors
    /// [`Errno::Again`] when it would have to wait and may not; [`Errno::Deadlk`] when nothing would ever come; [`Errno::Io`].
    fn read(&mut self, _into: &mut [u8], _may_wait: bool) -> Result<usize, Errno> {
        Err(Errno::Badf)
    }

    /// Writes some of the bytes and says how many. Waits, unless `may_wait` is false.
    ///
    /// # Errors
    /// [`Errno::Again`] when it would have to wait and may not; [`Errno::Deadlk`] when there would never be room;
    /// [`Errno::Pipe`] if the other end is closed; [`Errno::Io`].
    fn write(&mut self, _bytes: &[u8], _may_wait: bool) -> Result<usize, Errno> {
        Err(Errno::Badf)
    }

    /// Returns the number of bytes that can be read without waiting, if it is known. `Some(0)` is the end.
    fn readable(&mut self) -> Option<u64> {
        Some(0)
    }

    /// Waits until reading would not wait any more, at most so many nanoseconds. Answers whether it is so.
    ///
    /// # Errors
    /// [`Errno::NotSup`] where waiting is impossible.
    fn wait_readable(&mut self, _nanoseconds: Option<u64>) -> Result<bool, Errno> {
        Ok(self.readable().is_some())
    }

    /// Returns `true` if a write would not wait, or would fail at once.
    fn writable(&mut self) -> bool {
        true
    }

    /// Returns `true` if an event outside the guest may make it ready. While the guest waits, it cannot make it ready itself.
    fn is_fed_from_outside(&self) -> bool {
        true
    }

    /// Returns `true` if this is a socket, which `sock_recv` and its like insist on.
    fn is_socket(&self) -> bool {
        matches!(
            self.kind(),
            FileKind::SocketStream | FileKind::SocketDatagram
        )
    }

    /// Ends one or both directions of a socket.
    ///
    /// # Errors
    /// [`Errno::NotSock`].
    fn shut_down(&mut self, _read: bool, _write: bool) -> Result<(), Errno> {
        Err(Errno::NotSock)
    }
}

/// Standard input that is known beforehand.
#[derive(Debug, Clone, Default)]
pub struct BytesIn {
    bytes: Vec<u8>,
    at: usize,
}

impl BytesIn {
    /// Gives these bytes, then the end.
    pub fn new(bytes: impl Into<Vec<u8>>) -> BytesIn {
        BytesIn {
            bytes: bytes.into(),
            at: 0,
        }
    }
}

impl Stream for BytesIn {
    fn kind(&self) -> FileKind {
        FileKind::Unknown
    }

    fn read(&mut self, into: &mut [u8], _may_wait: bool) -> Result<usize, Errno> {
        let rest = &self.bytes[self.at..];
        let count = rest.len().min(into.len());
        into[..count].copy_from_slice(&rest[..count]);
        self.at += count;
        Ok(count)
    }

    fn readable(&mut self) -> Option<u64> {
        Some((self.bytes.len() - self.at) as u64)
    }
}

/// Output that is kept. Clones share what was written.
#[derive(Debug, Clone, Default)]
pub struct BytesOut {
    bytes: Arc<Mutex<Vec<u8>>>,
}

impl BytesOut {
    /// Keeps nothing yet.
    pub fn new() -> BytesOut {
        BytesOut::default()
    }

    /// Takes what was written so far.
    pub fn take(&self) -> Vec<u8> {
        std::mem::take(&mut self.lock())
    }

    /// Takes what was written so far, as text; what is not UTF-8 is replaced.
    pub fn take_text(&self) -> String {
        String::from_utf8_lossy(&self.take()).into_owned()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<u8>> {
        // A writer that panicked left a vector that is as good as any.
        self.bytes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Stream for BytesOut {
    fn kind(&self) -> FileKind {
        FileKind::Unknown
    }

    fn write(&mut self, bytes: &[u8], _may_wait: bool) -> Result<usize, Errno> {
        self.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }
}
