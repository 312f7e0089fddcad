//! Open files: what a number in the guest stands for.

use super::stream::Stream;
use crate::Errno;
use crate::vfs::{DirEntry, File, GuestPath};

/// `AT_FDCWD` of the guest's `<fcntl.h>`: the working directory, for functions that take a directory and a path.
const WORKING_DIRECTORY: u32 = (-2_i32).cast_unsigned();

/// Maximum number of open files.
const MAX_OPEN: usize = 65_536;

pub(super) struct Descriptor {
    pub(super) kind: DescriptorKind,
    pub(super) flags: Flags,
}

impl Descriptor {
    /// The file, to be read or written at a place that the caller names, when it was opened for that.
    pub(super) fn placed(
        &mut self,
        is_allowed: impl FnOnce(Access) -> bool,
    ) -> Result<&mut dyn File, Errno> {
        match &mut self.kind {
            DescriptorKind::File { file, access, .. } if is_allowed(*access) => Ok(file.as_mut()),
            DescriptorKind::File { .. } => Err(Errno::Badf),
            DescriptorKind::Directory { .. } => Err(Errno::IsDir),
            DescriptorKind::Stream { .. } => Err(Errno::Spipe),
        }
    }
}

pub(super) enum DescriptorKind {
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

/// The access rights of an open file.
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

/// The open files by number; a new one gets the lowest number that is free. Several numbers may stand for one open file, and
/// then share its place and its flags.
#[derive(Default)]
pub(super) struct Descriptors {
    numbers: Vec<Option<usize>>,
    /// The open files, and how many numbers each has; none where one was closed.
    files: Vec<Option<(Descriptor, usize)>>,
    /// Its absolute path; empty for the root.
    working_directory: Vec<u8>,
}

impl Descriptors {
    pub(super) fn working_directory(&self) -> &[u8] {
        match &self.working_directory[..] {
            [] => b"/",
            path => path,
        }
    }

    pub(super) fn set_working_directory(&mut self, path: Vec<u8>) {
        self.working_directory = path;
    }

    pub(super) fn insert(&mut self, descriptor: Descriptor) -> Result<u32, Errno> {
        let number = self.free(0)?;
        let place = match self.files.iter().position(Option::is_none) {
            Some(place) => place,
            None => {
                self.files.push(None);
                self.files.len() - 1
            }
        };
        self.files[place] = Some((descriptor, 1));
        self.numbers[number] = Some(place);
        Ok(number as u32)
    }

    pub(super) fn get(&mut self, fd: u32) -> Result<&mut Descriptor, Errno> {
        let place = self.place(fd)?;
        match &mut self.files[place] {
            Some((descriptor, _)) => Ok(descriptor),
            None => Err(Errno::Badf),
        }
    }

    pub(super) fn close(&mut self, fd: u32) -> Result<(), Errno> {
        let place = self.place(fd)?;
        self.numbers[fd as usize] = None;
        if let Some((_, numbers)) = &mut self.files[place] {
            *numbers -= 1;
            if *numbers == 0 {
                self.files[place] = None;
            }
        }
        Ok(())
    }

    /// `to` becomes what `from` was, and `from` is closed. Both must be open.
    pub(super) fn renumber(&mut self, from: u32, to: u32) -> Result<(), Errno> {
        self.get(from)?;
        self.get(to)?;
        if from != to {
            self.close(to)?;
            self.numbers[to as usize] = self.numbers[from as usize].take();
        }
        Ok(())
    }

    /// Gives what `fd` stands for the lowest free number that is not below `least` as well.
    pub(super) fn duplicate(&mut self, fd: u32, least: u32) -> Result<u32, Errno> {
        let place = self.place(fd)?;
        let number = self.free(least as usize)?;
        self.share(place, number);
        Ok(number as u32)
    }

    /// Gives what `fd` stands for the number `to` as well; what that stood for is closed.
    pub(super) fn duplicate_to(&mut self, fd: u32, to: u32) -> Result<(), Errno> {
        let place = self.place(fd)?;
        let number = to as usize;
        if fd == to {
            return Ok(());
        }
        if number >= MAX_OPEN {
            return Err(Errno::Badf);
        }
        if self.place(to).is_ok() {
            self.close(to)?;
        } else if number >= self.numbers.len() {
            self.numbers.resize(number + 1, None);
        }
        self.share(place, number);
        Ok(())
    }

    fn place(&self, fd: u32) -> Result<usize, Errno> {
        self.numbers
            .get(fd as usize)
            .copied()
            .flatten()
            .ok_or(Errno::Badf)
    }

    /// A number that stands for nothing, and for which there is room.
    fn free(&mut self, least: usize) -> Result<usize, Errno> {
        let beyond = self.numbers.len().max(least);
        let number = (least..self.numbers.len())
            .find(|&number| self.numbers[number].is_none())
            .unwrap_or(beyond);
        if number >= MAX_OPEN {
            return Err(Errno::Mfile);
        }
        if number >= self.numbers.len() {
            self.numbers.resize(number + 1, None);
        }
        Ok(number)
    }

    fn share(&mut self, place: usize, number: usize) {
        if let Some((_, numbers)) = &mut self.files[place] {
            *numbers += 1;
            self.numbers[number] = Some(place);
        }
    }

    /// Returns the guest's `path` relative to an open directory.
    pub(super) fn path<'a>(&'a self, fd: u32, path: &'a [u8]) -> Result<GuestPath<'a>, Errno> {
        if fd == WORKING_DIRECTORY || path.starts_with(b"/") {
            let base = self.working_directory();
            return Ok(GuestPath { base, path });
        }
        let place = self.place(fd)?;
        match self.files[place].as_ref().map(|(file, _)| &file.kind) {
            Some(DescriptorKind::Directory { path: base, .. }) => Ok(GuestPath { base, path }),
            _ => Err(Errno::NotDir),
        }
    }
}
