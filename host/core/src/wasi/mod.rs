//! `wasi_snapshot_preview1`: all of it, over the [`Vfs`] and the [`Platform`].
//!
//! One file a family. Every function is a method of [`Wasi`] with the guest's memory first and then the parameters that WASI gives
//! it, as the wasm import has them; the host turns the [`Errno`] into the number that the guest gets. [`functions!`](crate::wasi_functions)
//! lists them all, for hosts to bind.
//!
//! Rights are generous, as in every host of today: what a file was opened for decides, not its rights.

mod args;
mod clock;
mod descriptor;
mod duplicate;
mod fd;
mod fd_file;
mod file;
mod functions;
mod interest;
mod lock;
mod pair;
mod path;
mod poll;
mod process;
mod sock;
mod stream;

use std::sync::Arc;

use self::descriptor::{Access, Descriptor, DescriptorKind, Descriptors, Flags};
pub use self::interest::Interest;
pub use self::poll::Poll;
pub use self::process::Exit;
pub use self::stream::{BytesIn, BytesOut, Stream};
use crate::memory::GuestMemory;
use crate::vfs::{FileKind, GuestPath, Mode, OpenHow, OpenedAt, Stat, Vfs};
use crate::{Errno, Platform};

/// The result of most functions: nothing, or an error.
pub type Outcome = Result<(), Errno>;

/// One guest's view of the system: its arguments, its environment, its open files.
pub struct Wasi {
    args: Vec<Vec<u8>>,
    environ: Vec<Vec<u8>>,
    descriptors: Descriptors,
    vfs: Vfs,
    platform: Arc<dyn Platform>,
    /// Permissions that new files and directories do not get.
    mask: Mode,
    /// Its threads take turns: a call that would have to wait returns.
    never_waits: bool,
    interest: Interest,
}

/// The guest's standard streams.
pub struct Stdio {
    /// File 0.
    pub stdin: Box<dyn Stream>,
    /// File 1.
    pub stdout: Box<dyn Stream>,
    /// File 2.
    pub stderr: Box<dyn Stream>,
}

impl Wasi {
    /// A guest with these streams as its files 0, 1 and 2, and the whole tree, `/`, open as file 3: that is where libc finds it.
    pub fn new(vfs: Vfs, platform: Arc<dyn Platform>, stdio: Stdio) -> Wasi {
        let read = Access {
            read: true,
            write: false,
        };
        let write = Access {
            read: false,
            write: true,
        };
        let root = DescriptorKind::Directory {
            path: b"/".to_vec(),
            is_preopened: true,
            listing: Vec::new(),
        };
        let kinds = [
            DescriptorKind::Stream {
                stream: stdio.stdin,
                access: read,
            },
            DescriptorKind::Stream {
                stream: stdio.stdout,
                access: write,
            },
            DescriptorKind::Stream {
                stream: stdio.stderr,
                access: write,
            },
            root,
        ];
        let mut descriptors = Descriptors::default();
        for kind in kinds {
            let fd = descriptors.insert(Descriptor {
                kind,
                flags: Flags::default(),
            });
            debug_assert!(fd.is_ok(), "four files are not too many");
        }
        Wasi {
            args: Vec::new(),
            environ: Vec::new(),
            descriptors,
            vfs,
            platform,
            mask: Mode::MASK,
            never_waits: false,
            interest: Interest::default(),
        }
    }

    /// Adds an argument; the first one is the program's name.
    ///
    /// # Errors
    /// [`Errno::Inval`] when it contains a NUL byte, which no guest could tell from its end.
    pub fn arg(&mut self, arg: impl Into<Vec<u8>>) -> Result<(), Errno> {
        self.args.push(without_nul(arg.into())?);
        Ok(())
    }

    /// Sets a variable of the environment.
    ///
    /// # Errors
    /// [`Errno::Inval`] when name or value contain a NUL byte, or the name is empty or contains `=`.
    pub fn env(&mut self, name: &[u8], value: &[u8]) -> Result<(), Errno> {
        if name.is_empty() || name.contains(&b'=') {
            return Err(Errno::Inval);
        }
        let start = [name, b"="].concat();
        let variable = without_nul([&start, value].concat())?;
        match self
            .environ
            .iter_mut()
            .find(|there| there.starts_with(&start))
        {
            Some(there) => *there = variable,
            None => self.environ.push(variable),
        }
        Ok(())
    }

    /// The tree of files.
    pub fn vfs(&mut self) -> &mut Vfs {
        &mut self.vfs
    }

    /// The clocks and randomness.
    pub fn platform(&self) -> &Arc<dyn Platform> {
        &self.platform
    }
}

fn without_nul(bytes: Vec<u8>) -> Result<Vec<u8>, Errno> {
    if bytes.contains(&0) {
        Err(Errno::Inval)
    } else {
        Ok(bytes)
    }
}

/// Writes a `filestat`: 64 bytes.
fn write_stat(memory: &mut dyn GuestMemory, at: u32, stat: &Stat) -> Outcome {
    let mut bytes = [0; 64];
    bytes[0..8].copy_from_slice(&stat.device.to_le_bytes());
    bytes[8..16].copy_from_slice(&stat.inode.to_le_bytes());
    bytes[16] = stat.kind as u8;
    bytes[24..32].copy_from_slice(&stat.links.to_le_bytes());
    bytes[32..40].copy_from_slice(&stat.size.to_le_bytes());
    bytes[40..48].copy_from_slice(&stat.accessed.0.to_le_bytes());
    bytes[48..56].copy_from_slice(&stat.modified.0.to_le_bytes());
    bytes[56..64].copy_from_slice(&stat.changed.0.to_le_bytes());
    memory.write(at, &bytes)
}

/// Copies what fits of `bytes` into a buffer of the guest; how much that was.
fn write_cut(memory: &mut dyn GuestMemory, at: u32, room: u32, bytes: &[u8]) -> Result<u32, Errno> {
    let count = bytes.len().min(room as usize);
    memory.write(at, &bytes[..count])?;
    Ok(count as u32)
}
