//! `pymode.fd_pair`: pipes and pairs of sockets within one guest. WASI preview1 has neither.
//!
//! Whatever is read from one end was written to the other by the same guest, which has one thread: who would have to wait for
//! the other end waits for itself. It fails with [`Errno::Deadlk`] instead of never returning.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use super::{Access, DescriptorKind, Flags, Outcome, Stream, Wasi};
use crate::vfs::FileKind;
use crate::{Errno, GuestMemory};

/// Capacity of each direction in bytes, as on Linux.
const CAPACITY: usize = 64 * 1024;

impl Wasi {
    /// Opens two streams that lead to each other, and writes their numbers to `out`, 4 bytes each. Kind 0 is a pipe: what is
    /// written to the second is read from the first. Kind 1 is a pair of stream sockets, which lead both ways.
    ///
    /// # Errors
    /// [`Errno::Inval`] for another kind; [`Errno::Mfile`]; [`Errno::Fault`].
    pub fn fd_pair(&mut self, memory: &mut dyn GuestMemory, kind: u32, out: u32) -> Outcome {
        memory.check(out, 8)?;
        let ends = match kind {
            0 => pipe(),
            1 => sockets(),
            _ => return Err(Errno::Inval),
        };
        let [first, second] = ends.map(|(end, access)| DescriptorKind::Stream {
            stream: Box::new(end),
            access,
        });
        let first = self.open_descriptor(first, Flags::default())?;
        let second = match self.open_descriptor(second, Flags::default()) {
            Ok(second) => second,
            Err(errno) => {
                self.descriptors.close(first)?;
                return Err(errno);
            }
        };
        memory.write_u32(out, first)?;
        memory.write_u32(out + 4, second)
    }
}

fn pipe() -> [(End, Access); 2] {
    let flow = Shared::default();
    let access = |read| Access { read, write: !read };
    let end = |from, to| End {
        kind: FileKind::Unknown,
        from,
        to,
    };
    [
        (end(Some(flow.clone()), None), access(true)),
        (end(None, Some(flow)), access(false)),
    ]
}

fn sockets() -> [(End, Access); 2] {
    let (there, back) = (Shared::default(), Shared::default());
    let both = Access {
        read: true,
        write: true,
    };
    let end = |from, to| End {
        kind: FileKind::SocketStream,
        from: Some(from),
        to: Some(to),
    };
    [
        (end(back.clone(), there.clone()), both),
        (end(there, back), both),
    ]
}

/// Bytes on their way from one end to the other.
#[derive(Default)]
struct Flow {
    bytes: VecDeque<u8>,
    /// Nothing more will be written.
    is_finished: bool,
    /// Nothing more will be read.
    is_abandoned: bool,
}

#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Flow>>);

impl Shared {
    fn lock(&self) -> std::sync::MutexGuard<'_, Flow> {
        // Nothing here panics while it holds the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One end of a pair.
struct End {
    kind: FileKind,
    from: Option<Shared>,
    to: Option<Shared>,
}

impl End {
    fn stop_reading(&mut self) {
        if let Some(from) = &self.from {
            let mut flow = from.lock();
            flow.is_abandoned = true;
            flow.bytes.clear();
        }
    }

    fn stop_writing(&mut self) {
        if let Some(to) = &self.to {
            to.lock().is_finished = true;
        }
    }
}

impl Drop for End {
    fn drop(&mut self) {
        self.stop_reading();
        self.stop_writing();
    }
}

/// The answer to who would have to wait for itself.
fn stuck(may_wait: bool) -> Errno {
    match may_wait {
        true => Errno::Deadlk,
        false => Errno::Again,
    }
}

impl Stream for End {
    fn kind(&self) -> FileKind {
        self.kind
    }

    fn read(&mut self, into: &mut [u8], may_wait: bool) -> Result<usize, Errno> {
        let mut flow = self.from.as_ref().ok_or(Errno::Badf)?.lock();
        if flow.bytes.is_empty() && !flow.is_finished && !flow.is_abandoned {
            return Err(stuck(may_wait));
        }
        let count = flow.bytes.len().min(into.len());
        for (to, byte) in into.iter_mut().zip(flow.bytes.drain(..count)) {
            *to = byte;
        }
        Ok(count)
    }

    fn write(&mut self, bytes: &[u8], may_wait: bool) -> Result<usize, Errno> {
        let mut flow = self.to.as_ref().ok_or(Errno::Badf)?.lock();
        if flow.is_abandoned || flow.is_finished {
            return Err(Errno::Pipe);
        }
        let count = (CAPACITY - flow.bytes.len()).min(bytes.len());
        if count == 0 && !bytes.is_empty() {
            return Err(stuck(may_wait));
        }
        flow.bytes.extend(&bytes[..count]);
        Ok(count)
    }

    fn readable(&mut self) -> Option<u64> {
        // Reading the write end of a pipe fails at once.
        let Some(from) = &self.from else {
            return Some(0);
        };
        let flow = from.lock();
        let is_at_end = flow.is_finished || flow.is_abandoned;
        (is_at_end || !flow.bytes.is_empty()).then_some(flow.bytes.len() as u64)
    }

    fn writable(&mut self) -> bool {
        self.to.as_ref().is_none_or(|to| {
            let flow = to.lock();
            flow.is_abandoned || flow.is_finished || flow.bytes.len() < CAPACITY
        })
    }

    fn is_fed_from_outside(&self) -> bool {
        false
    }

    fn wait_readable(&mut self, _nanoseconds: Option<u64>) -> Result<bool, Errno> {
        self.readable().map(|_| true).ok_or(Errno::Deadlk)
    }

    fn shut_down(&mut self, read: bool, write: bool) -> Result<(), Errno> {
        if !self.is_socket() {
            return Err(Errno::NotSock);
        }
        if read {
            self.stop_reading();
        }
        if write {
            self.stop_writing();
        }
        Ok(())
    }
}
