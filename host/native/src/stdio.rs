//! The guest's standard streams.

use std::io::{self, IsTerminal};
use std::os::fd::{AsFd, BorrowedFd};

use nix::poll::{PollFd, PollFlags, PollTimeout};
use pymode_host::Errno;
use pymode_host::vfs::FileKind;
/// Output of a guest so far. Clones share it.
pub use pymode_host::wasi::BytesOut as Captured;
use pymode_host::wasi::{BytesIn, Stream};

use crate::errno::errno;

/// The standard input of a guest.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stdin {
    /// This process's standard input.
    #[default]
    Inherit,
    /// These bytes, then the end.
    Bytes(Vec<u8>),
}

/// An output stream of a guest.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub enum Output {
    /// This process's own; each write of the guest is one of the process.
    #[default]
    Inherit,
    /// Kept for the caller.
    Capture(Captured),
}

impl Stdin {
    pub(crate) fn stream(&self) -> Box<dyn Stream> {
        match self {
            Stdin::Inherit => Box::new(Inherited(io::stdin())),
            Stdin::Bytes(bytes) => Box::new(BytesIn::new(bytes.clone())),
        }
    }
}

impl Output {
    pub(crate) fn stream(&self, own: impl AsFd + IsTerminal + Send + 'static) -> Box<dyn Stream> {
        match self {
            Output::Inherit => Box::new(Inherited(own)),
            Output::Capture(captured) => Box::new(captured.clone()),
        }
    }
}

/// A file of this process. It is read and written without a buffer here: the guest's libc has one.
struct Inherited<F>(F);

impl<F: AsFd + IsTerminal> Inherited<F> {
    fn fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl<F: AsFd + IsTerminal + Send> Stream for Inherited<F> {
    fn kind(&self) -> FileKind {
        if self.0.is_terminal() {
            FileKind::CharacterDevice
        } else {
            FileKind::Unknown
        }
    }

    fn read(&mut self, into: &mut [u8], may_wait: bool) -> Result<usize, Errno> {
        if !may_wait && !poll(self.fd(), Some(0))? {
            return Err(Errno::Again);
        }
        let read = rustix::io::retry_on_intr(|| rustix::io::read(self.fd(), &mut *into));
        read.map_err(|error| errno(&error.into()))
    }

    fn write(&mut self, bytes: &[u8], _may_wait: bool) -> Result<usize, Errno> {
        let written = rustix::io::retry_on_intr(|| rustix::io::write(self.fd(), bytes));
        written.map_err(|error| errno(&error.into()))
    }

    fn readable(&mut self) -> Option<u64> {
        // The system does not report an amount: 1 stands for "some". A file at its end is readable, too.
        poll(self.fd(), Some(0)).unwrap_or(true).then_some(1)
    }

    fn wait_readable(&mut self, nanoseconds: Option<u64>) -> Result<bool, Errno> {
        poll(self.fd(), nanoseconds)
    }
}

/// Waits until a file can be read without waiting, for at most `nanoseconds`.
fn poll(fd: BorrowedFd<'_>, nanoseconds: Option<u64>) -> Result<bool, Errno> {
    // Rounded up: a guest that waits for the last part of a millisecond must not poll in a loop.
    let limit = nanoseconds.map_or(PollTimeout::NONE, |time| {
        PollTimeout::try_from(time.div_ceil(1_000_000)).unwrap_or(PollTimeout::MAX)
    });
    match nix::poll::poll(&mut [PollFd::new(fd, PollFlags::POLLIN)], limit) {
        Ok(ready) => Ok(ready > 0),
        Err(nix::errno::Errno::EINTR) => Ok(false),
        Err(error) => Err(errno(&error.into())),
    }
}
