//! `sock_*`: only for streams that say they are sockets.

use super::{DescriptorKind, Outcome, Stream, Wasi};
use crate::{Errno, GuestMemory};

impl Wasi {
    /// No socket here listens.
    ///
    /// # Errors
    /// [`Errno::Badf`]; [`Errno::NotSock`]; [`Errno::Inval`] for a socket, as none of them listens.
    pub fn sock_accept(&mut self, fd: u32, _flags: u32, _out: u32) -> Outcome {
        self.socket(fd)?;
        Err(Errno::Inval)
    }

    /// Receives. Flags (peek, wait for all) are not supported.
    ///
    /// # Errors
    /// [`Errno::Badf`]; [`Errno::NotSock`]; [`Errno::NotSup`] for flags; those of [`Wasi::fd_read`].
    #[expect(clippy::too_many_arguments, reason = "WASI's list")]
    pub fn sock_recv(
        &mut self,
        memory: &mut dyn GuestMemory,
        fd: u32,
        iovs: u32,
        iovs_len: u32,
        flags: u32,
        nread: u32,
        out_flags: u32,
    ) -> Outcome {
        self.socket(fd)?;
        if flags != 0 {
            return Err(Errno::NotSup);
        }
        memory.write(out_flags, &[0; 2])?;
        self.fd_read(memory, fd, iovs, iovs_len, nread)
    }

    /// Sends. WASI has no flags.
    ///
    /// # Errors
    /// [`Errno::Badf`]; [`Errno::NotSock`]; [`Errno::Inval`] for flags; those of [`Wasi::fd_write`].
    pub fn sock_send(
        &mut self,
        memory: &mut dyn GuestMemory,
        fd: u32,
        iovs: u32,
        iovs_len: u32,
        flags: u32,
        nwritten: u32,
    ) -> Outcome {
        self.socket(fd)?;
        if flags != 0 {
            return Err(Errno::Inval);
        }
        self.fd_write(memory, fd, iovs, iovs_len, nwritten)
    }

    /// Ends receiving (bit 0), sending (bit 1) or both.
    ///
    /// # Errors
    /// [`Errno::Badf`]; [`Errno::NotSock`]; [`Errno::Inval`].
    pub fn sock_shutdown(&mut self, fd: u32, how: u32) -> Outcome {
        let socket = self.socket(fd)?;
        if how == 0 || how > 3 {
            return Err(Errno::Inval);
        }
        socket.shut_down(how & 1 != 0, how & 2 != 0)
    }

    fn socket(&mut self, fd: u32) -> Result<&mut dyn Stream, Errno> {
        match &mut self.descriptors.get(fd)?.kind {
            DescriptorKind::Stream { stream, .. } if stream.is_socket() => Ok(&mut **stream),
            _ => Err(Errno::NotSock),
        }
    }
}
