//! Open files: what a number in the guest stands for.

use super::stream::Stream;
use crate::Errno;
use crate::vfs::{DirEntry, File};

/// How many files a guest may have open at once.
const MAX_OPEN: usize = 65_536;

pub(super) struct Descriptor {
    pub(super) kind: Kind,
    pub(super) flags: Flags,
}

pub(super) enum Kind {
    Directory {
        /// Absolute path in the guest.
        path: Vec<u8>,
        /// Given at start; the guest's libc asks for it by name.
        is_preopened: bool,
        /// The listing that is being read: a directory that changes meanwhile neither repeats nor skips a name.
        listing: Vec<DirEntry>,
    },
    File {
        file: Box<dyn File>,
        /// Of the file system it is on.
        device: u64,
        position: u64,
        access: Access,
    },
    Stream {
        stream: Box<dyn Stream>,
        access: Access,
    },
}

/// What a file was opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Access {
    pub(super) read: bool,
    pub(super) write: bool,
}

/// `fdflags`: what can be changed about an open file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Flags(u16);

impl Flags {
    const APPEND: u16 = 1;
    const NONBLOCK: u16 = 4;
    /// append, dsync, nonblock, rsync, sync.
    const ALL: u16 = 0b1_1111;

    pub(super) fn from_bits(bits: u32) -> Result<Flags, Errno> {
        match u16::try_from(bits) {
            Ok(bits) if bits & !Self::ALL == 0 => Ok(Flags(bits)),
            _ => Err(Errno::Inval),
        }
    }

    pub(super) fn bits(self) -> u16 {
        self.0
    }

    pub(super) fn appends(self) -> bool {
        self.0 & Self::APPEND != 0
    }

    pub(super) fn never_blocks(self) -> bool {
        self.0 & Self::NONBLOCK != 0
    }
}

/// The open files by number; a new one gets the lowest number that is free.
#[derive(Default)]
pub(super) struct Descriptors {
    open: Vec<Option<Descriptor>>,
}

impl Descriptors {
    pub(super) fn insert(&mut self, descriptor: Descriptor) -> Result<u32, Errno> {
        let fd = match self.open.iter().position(Option::is_none) {
            Some(free) => free,
            None if self.open.len() >= MAX_OPEN => return Err(Errno::Mfile),
            None => {
                self.open.push(None);
                self.open.len() - 1
            }
        };
        self.open[fd] = Some(descriptor);
        Ok(fd as u32)
    }

    pub(super) fn get(&mut self, fd: u32) -> Result<&mut Descriptor, Errno> {
        self.open
            .get_mut(fd as usize)
            .and_then(Option::as_mut)
            .ok_or(Errno::Badf)
    }

    pub(super) fn close(&mut self, fd: u32) -> Result<(), Errno> {
        self.get(fd)?;
        self.open[fd as usize] = None;
        Ok(())
    }

    /// `to` becomes what `from` was, and `from` is closed. Both must be open.
    pub(super) fn renumber(&mut self, from: u32, to: u32) -> Result<(), Errno> {
        self.get(from)?;
        self.get(to)?;
        if from != to {
            self.open[to as usize] = self.open[from as usize].take();
        }
        Ok(())
    }

    /// The path of an open directory.
    pub(super) fn directory(&self, fd: u32) -> Result<&[u8], Errno> {
        match self.open.get(fd as usize).and_then(Option::as_ref) {
            Some(Descriptor {
                kind: Kind::Directory { path, .. },
                ..
            }) => Ok(path),
            Some(_) => Err(Errno::NotDir),
            None => Err(Errno::Badf),
        }
    }
}
