//! The guest's standard streams.

use std::io::{self, IsTerminal};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

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
        // How much there is, nobody says: 1 is "something", and what is at its end is readable, too.
        poll(self.fd(), Some(0)).unwrap_or(true).then_some(1)
    }

    fn wait_readable(&mut self, nanoseconds: Option<u64>) -> Result<bool, Errno> {
        poll(self.fd(), nanoseconds)
    }
}

/// Waits until a file can be read without waiting, at most so long.
fn poll(fd: BorrowedFd<'_>, nanoseconds: Option<u64>) -> Result<bool, Errno> {
    let mut one = libc::pollfd {
        fd: fd.as_raw_fd(),
        events: libc::POLLIN,
        revents: 0,
    };
    // Rounded up, so that nobody polls in a circle for the last part of a millisecond.
    let milliseconds = nanoseconds.map_or(-1, |time| {
        i32::try_from(time.div_ceil(1_000_000)).unwrap_or(i32::MAX)
    });
    // SAFETY: `one` is one `pollfd`, and lives through the call.
    match unsafe { libc::poll(&raw mut one, 1, milliseconds) } {
        -1 => match errno(&io::Error::last_os_error()) {
            Errno::Intr => Ok(false),
            errno => Err(errno),
        },
        ready => Ok(ready > 0),
    }
}
