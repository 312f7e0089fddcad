//! The files that a guest with threads has asked for in vain.
//!
//! Such a guest never waits within a call: the call fails with [`Errno::Again`], or a poll finds nothing, and the thread parks.
//! The host then has to know what the thread waits for.

use super::{DescriptorKind, Wasi};
#[cfg(doc)]
use crate::Errno;

/// Descriptors that a thread waits for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Interest {
    pub(super) readable: Vec<u32>,
    pub(super) writable: Vec<u32>,
}

impl Interest {
    pub(super) fn to_read(fd: u32) -> Interest {
        Interest {
            readable: vec![fd],
            writable: Vec::new(),
        }
    }

    pub(super) fn to_write(fd: u32) -> Interest {
        Interest {
            readable: Vec::new(),
            writable: vec![fd],
        }
    }
}

impl Wasi {
    /// Makes all calls return at once: for a guest whose threads take turns.
    pub fn never_wait(&mut self) {
        self.never_waits = true;
    }

    /// Returns `true` after [`Wasi::never_wait`].
    pub fn never_waits(&self) -> bool {
        self.never_waits
    }

    /// Takes the descriptors that the last call has not found ready.
    pub fn take_interest(&mut self) -> Interest {
        std::mem::take(&mut self.interest)
    }

    /// Returns `true` if reading or writing one of them would not wait now. One that was closed is ready: using it fails.
    pub fn is_ready(&mut self, interest: &Interest) -> bool {
        let mut stream = |fd: u32, is_ready: fn(&mut dyn super::Stream) -> bool| match self
            .descriptors
            .get(fd)
            .map(|file| &mut file.kind)
        {
            Ok(DescriptorKind::Stream { stream, .. }) => is_ready(stream.as_mut()),
            _ => true,
        };
        let mut readable = interest.readable.iter();
        let mut writable = interest.writable.iter();
        readable.any(|&fd| stream(fd, |stream| stream.readable().is_some()))
            || writable.any(|&fd| stream(fd, |stream| stream.writable()))
    }

    /// Returns those that can become ready although nothing of the guest runs.
    pub fn fed(&mut self, interest: &Interest) -> Vec<u32> {
        let all = interest.readable.iter().chain(&interest.writable);
        all.copied().filter(|&fd| self.is_fed(fd)).collect()
    }

    pub(super) fn is_fed(&mut self, fd: u32) -> bool {
        match self.descriptors.get(fd).map(|file| &file.kind) {
            Ok(DescriptorKind::Stream { stream, .. }) => stream.is_fed_from_outside(),
            _ => false,
        }
    }

    /// Waits until a descriptor may be readable, at most so many nanoseconds.
    ///
    /// # Errors
    /// [`Errno::NotSup`] on a platform that cannot wait.
    pub fn wait_readable(&mut self, fd: u32, nanoseconds: Option<u64>) -> super::Outcome {
        match &mut self.descriptors.get(fd)?.kind {
            DescriptorKind::Stream { stream, .. } => stream.wait_readable(nanoseconds).map(|_| ()),
            _ => Ok(()),
        }
    }
}
