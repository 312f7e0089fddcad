//! `fd_*`, second half: reading, writing, listing.

use super::{DescriptorKind, Interest, Outcome, Wasi, write_cut};
use crate::memory::{drain, fill};
use crate::vfs::{DirEntry, File, FileKind, Follow, GuestPath};
use crate::{Errno, GuestMemory};

/// A list of buffers in the guest: 8 bytes each, address and length. Read one by one, so that a long list costs no memory here.
#[derive(Clone, Copy)]
struct Buffers {
    at: u32,
    count: u32,
}

impl Buffers {
    fn new(memory: &dyn GuestMemory, at: u32, count: u32) -> Result<Buffers, Errno> {
        memory.check(at, u64::from(count) * 8)?;
        Ok(Buffers { at, count })
    }

    fn get(self, memory: &dyn GuestMemory, number: u32) -> Result<(u32, u32), Errno> {
        let at = self.at + number * 8;
        Ok((memory.read_u32(at)?, memory.read_u32(at + 4)?))
    }

    /// Moves bytes buffer by buffer, until one is not used up. An error counts only when nothing was moved before it.
    fn each(
        self,
        memory: &mut dyn GuestMemory,
        mut act: impl FnMut(&mut dyn GuestMemory, u64, u32, u32) -> Result<usize, Errno>,
    ) -> Result<u32, Errno> {
        let mut done = 0_u32;
        for number in 0..self.count {
            let (at, len) = self.get(memory, number)?;
            if len == 0 {
                continue;
            }
            // The sum must fit into the guest's 32 bits.
            let len = len.min(u32::MAX - done);
            match act(memory, done.into(), at, len) {
                Err(_) if done > 0 => break,
                Err(errno) => return Err(errno),
                Ok(count) => {
                    done += count as u32;
                    if count < len as usize {
                        break;
                    }
                }
            }
        }
        Ok(done)
    }
}

/// Writes what stands in guest memory at `at`; says how much of it was taken.
fn write_from_guest(
    file: &mut dyn File,
    start: u64,
    memory: &mut dyn GuestMemory,
    at: u32,
    len: u32,
) -> Result<usize, Errno> {
    drain(memory, at, len, |done, bytes| {
        file.write_at(start.checked_add(done).ok_or(Errno::Fbig)?, bytes)
    })
}

impl Wasi {
    /// Makes sure that a file has room up to `offset + len`.
    ///
    /// # Errors
    /// [`Errno::Badf`]; [`Errno::Inval`] for a length of 0; [`Errno::Spipe`] for a stream; [`Errno::NoSpc`].
    pub fn fd_allocate(&mut self, fd: u32, offset: u64, len: u64) -> Outcome {
        match &mut self.descriptors.get(fd)?.kind {
            DescriptorKind::Stream { .. } => Err(Errno::Spipe),
            DescriptorKind::File { access, .. } if !access.write => Err(Errno::Badf),
            DescriptorKind::File { file, .. } if len > 0 => {
                let end = offset.checked_add(len).ok_or(Errno::Fbig)?;
                if file.stat()?.size < end {
                    file.set_len(end)
                } else {
                    Ok(())
                }
            }
            DescriptorKind::File { .. } => Err(Errno::Inval),
            DescriptorKind::Directory { .. } => Err(Errno::NoDev),
        }
    }

    /// As [`Wasi::fd_sync`].
    ///
    /// # Errors
    /// The same.
    pub fn fd_datasync(&mut self, fd: u32) -> Outcome {
        self.fd_sync(fd)
    }

    /// Brings what was written to where it lasts.
    ///
    /// # Errors
    /// [`Errno::Badf`]; [`Errno::Inval`] for a stream; [`Errno::Io`].
    pub fn fd_sync(&mut self, fd: u32) -> Outcome {
        match &mut self.descriptors.get(fd)?.kind {
            DescriptorKind::File { file, .. } => file.sync(),
            DescriptorKind::Directory { .. } => Ok(()),
            DescriptorKind::Stream { .. } => Err(Errno::Inval),
        }
    }

    /// Cuts or lengthens a file.
    ///
    /// # Errors
    /// [`Errno::Badf`]; [`Errno::Inval`] when it is not open for writing, or no file; [`Errno::NoSpc`].
    pub fn fd_filestat_set_size(&mut self, fd: u32, size: u64) -> Outcome {
        match &mut self.descriptors.get(fd)?.kind {
            DescriptorKind::File { file, access, .. } if access.write => file.set_len(size),
            _ => Err(Errno::Inval),
        }
    }

    /// Reads at a place of its own.
    ///
    /// # Errors
    /// [`Errno::Badf`]; [`Errno::Spipe`] for a stream; [`Errno::IsDir`]; [`Errno::Fault`]; [`Errno::Io`].
    pub fn fd_pread(
        &mut self,
        memory: &mut dyn GuestMemory,
        fd: u32,
        iovs: u32,
        iovs_len: u32,
        offset: u64,
        nread: u32,
    ) -> Outcome {
        let buffers = Buffers::new(memory, iovs, iovs_len)?;
        memory.check(nread, 4)?;
        let file = self.descriptors.get(fd)?.placed(|access| access.read)?;
        let count = buffers.each(memory, |memory, done, at, len| {
            let start = offset.checked_add(done).ok_or(Errno::Inval)?;
            file.read_to_guest(start, memory, at, len)
        })?;
        memory.write_u32(nread, count)
    }

    /// Writes at a place of its own.
    ///
    /// # Errors
    /// As for [`Wasi::fd_pread`]; [`Errno::NoSpc`], [`Errno::Fbig`].
    pub fn fd_pwrite(
        &mut self,
        memory: &mut dyn GuestMemory,
        fd: u32,
        iovs: u32,
        iovs_len: u32,
        offset: u64,
        nwritten: u32,
    ) -> Outcome {
        let buffers = Buffers::new(memory, iovs, iovs_len)?;
        memory.check(nwritten, 4)?;
        let file = self.descriptors.get(fd)?.placed(|access| access.write)?;
        let count = buffers.each(memory, |memory, done, at, len| {
            let start = offset.checked_add(done).ok_or(Errno::Fbig)?;
            write_from_guest(file, start, memory, at, len)
        })?;
        memory.write_u32(nwritten, count)
    }

    /// Reads on.
    ///
    /// # Errors
    /// [`Errno::Badf`]; [`Errno::IsDir`]; [`Errno::Fault`]; [`Errno::Again`]; [`Errno::Io`].
    pub fn fd_read(
        &mut self,
        memory: &mut dyn GuestMemory,
        fd: u32,
        iovs: u32,
        iovs_len: u32,
        nread: u32,
    ) -> Outcome {
        let buffers = Buffers::new(memory, iovs, iovs_len)?;
        memory.check(nread, 4)?;
        let never_waits = self.never_waits;
        let descriptor = self.descriptors.get(fd)?;
        let never_blocks = never_waits || descriptor.flags.never_blocks();
        let count = match &mut descriptor.kind {
            DescriptorKind::File {
                file,
                position,
                access,
                ..
            } if access.read => {
                let start = *position;
                let count = buffers.each(memory, |memory, done, at, len| {
                    file.read_to_guest(start.saturating_add(done), memory, at, len)
                })?;
                *position = start.saturating_add(count.into());
                count
            }
            DescriptorKind::Stream { stream, access } if access.read => {
                buffers
                    .each(memory, |memory, before, at, len| {
                        // Once something was read, waiting for more would keep it from the guest.
                        fill(memory, at, len, |done, room| {
                            let nothing_yet = before == 0 && done == 0;
                            match stream.read(room, nothing_yet && !never_blocks) {
                                Err(Errno::Again) if !nothing_yet => Ok(0),
                                read => read,
                            }
                        })
                    })
                    .inspect_err(|_| self.interest = Interest::to_read(fd))?
            }
            DescriptorKind::Directory { .. } => return Err(Errno::IsDir),
            _ => return Err(Errno::Badf),
        };
        memory.write_u32(nread, count)
    }

    /// Writes on; at the end, when the file appends.
    ///
    /// # Errors
    /// [`Errno::Badf`]; [`Errno::Fault`]; [`Errno::Again`]; [`Errno::NoSpc`]; [`Errno::Fbig`]; [`Errno::Pipe`]; [`Errno::Io`].
    pub fn fd_write(
        &mut self,
        memory: &mut dyn GuestMemory,
        fd: u32,
        iovs: u32,
        iovs_len: u32,
        nwritten: u32,
    ) -> Outcome {
        let buffers = Buffers::new(memory, iovs, iovs_len)?;
        memory.check(nwritten, 4)?;
        let never_waits = self.never_waits;
        let descriptor = self.descriptors.get(fd)?;
        let never_blocks = never_waits || descriptor.flags.never_blocks();
        let count = match &mut descriptor.kind {
            DescriptorKind::File {
                file,
                position,
                access,
                ..
            } if access.write => {
                let start = if descriptor.flags.appends() {
                    file.stat()?.size
                } else {
                    *position
                };
                let count = buffers.each(memory, |memory, before, at, len| {
                    let start = start.checked_add(before).ok_or(Errno::Fbig)?;
                    write_from_guest(file.as_mut(), start, memory, at, len)
                })?;
                *position = start + u64::from(count);
                count
            }
            DescriptorKind::Stream { stream, access } if access.write => {
                buffers
                    .each(memory, |memory, before, at, len| {
                        // After a partial write, returns its size instead of waiting.
                        drain(memory, at, len, |done, bytes| {
                            let nothing_yet = before == 0 && done == 0;
                            match stream.write(bytes, nothing_yet && !never_blocks) {
                                Err(Errno::Again) if !nothing_yet => Ok(0),
                                written => written,
                            }
                        })
                    })
                    .inspect_err(|_| self.interest = Interest::to_write(fd))?
            }
            _ => return Err(Errno::Badf),
        };
        memory.write_u32(nwritten, count)
    }

    /// Moves the place at which is read and written.
    ///
    /// # Errors
    /// [`Errno::Badf`]; [`Errno::Spipe`] for a stream; [`Errno::Inval`] for a place before the start; [`Errno::Fault`].
    pub fn fd_seek(
        &mut self,
        memory: &mut dyn GuestMemory,
        fd: u32,
        offset: u64,
        whence: u32,
        out: u32,
    ) -> Outcome {
        let DescriptorKind::File { file, position, .. } = &mut self.descriptors.get(fd)?.kind
        else {
            return Err(self.not_seekable(fd));
        };
        let from = match whence {
            0 => 0,
            1 => *position,
            2 => file.stat()?.size,
            _ => return Err(Errno::Inval),
        };
        // The offset is signed; the import has it as a plain 64-bit number.
        let target = from
            .checked_add_signed(offset.cast_signed())
            .filter(|target| *target <= i64::MAX as u64);
        let target = target.ok_or(Errno::Inval)?;
        memory.write_u64(out, target)?;
        *position = target;
        Ok(())
    }

    /// The place at which is read and written next.
    ///
    /// # Errors
    /// [`Errno::Badf`]; [`Errno::Spipe`] for a stream; [`Errno::Fault`].
    pub fn fd_tell(&mut self, memory: &mut dyn GuestMemory, fd: u32, out: u32) -> Outcome {
        match self.descriptors.get(fd)?.kind {
            DescriptorKind::File { position, .. } => memory.write_u64(out, position),
            _ => Err(self.not_seekable(fd)),
        }
    }

    fn not_seekable(&mut self, fd: u32) -> Errno {
        match self.descriptors.get(fd).map(|descriptor| &descriptor.kind) {
            Ok(DescriptorKind::Stream { .. }) => Errno::Spipe,
            _ => Errno::Badf,
        }
    }

    /// Lists a directory from `cookie` on into a buffer: entries of 24 bytes, each with its name behind it. The last may be cut; a buffer
    /// that is not filled is the end.
    ///
    /// # Errors
    /// [`Errno::Badf`]; [`Errno::NotDir`]; [`Errno::Fault`].
    pub fn fd_readdir(
        &mut self,
        memory: &mut dyn GuestMemory,
        fd: u32,
        buffer: u32,
        len: u32,
        cookie: u64,
        used: u32,
    ) -> Outcome {
        memory.check(buffer, len.into())?;
        memory.check(used, 4)?;
        let DescriptorKind::Directory { path, listing, .. } = &mut self.descriptors.get(fd)?.kind
        else {
            return Err(Errno::NotDir);
        };
        if cookie == 0 {
            let here = GuestPath::absolute(path);
            let this = self.vfs.stat(here, Follow::Yes)?.inode;
            let above = self
                .vfs
                .stat(
                    GuestPath {
                        base: path,
                        path: b"..",
                    },
                    Follow::Yes,
                )
                .map_or(this, |stat| stat.inode);
            let dots = [(&b"."[..], this), (b"..", above)];
            *listing = dots
                .into_iter()
                .map(|(name, inode)| DirEntry {
                    name: name.to_vec(),
                    inode,
                    kind: FileKind::Directory,
                })
                .collect();
            listing.extend(self.vfs.read_dir(here)?);
        }
        let mut done = 0;
        let rest = usize::try_from(cookie)
            .ok()
            .and_then(|start| listing.get(start..))
            .unwrap_or_default();
        for (entry, next) in rest.iter().zip(cookie.saturating_add(1)..) {
            let mut head = [0; 24];
            head[0..8].copy_from_slice(&next.to_le_bytes());
            head[8..16].copy_from_slice(&entry.inode.to_le_bytes());
            head[16..20].copy_from_slice(&(entry.name.len() as u32).to_le_bytes());
            head[20] = entry.kind as u8;
            for part in [&head[..], &entry.name] {
                done += write_cut(memory, buffer + done, len - done, part)?;
            }
            if done == len {
                break;
            }
        }
        memory.write_u32(used, done)
    }
}
