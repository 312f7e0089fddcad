//! `args_*` and `environ_*`: two lists of strings, given in the same way.

use super::{Outcome, Wasi};
use crate::{Errno, GuestMemory};

impl Wasi {
    /// Writes the arguments' addresses to `argv` and the arguments, each with a NUL behind it, to `buffer`.
    ///
    /// # Errors
    /// [`Errno::Fault`].
    pub fn args_get(&mut self, memory: &mut dyn GuestMemory, argv: u32, buffer: u32) -> Outcome {
        write_list(memory, &self.args, argv, buffer)
    }

    /// Writes the number of arguments, and their size with NULs.
    ///
    /// # Errors
    /// [`Errno::Fault`].
    pub fn args_sizes_get(
        &mut self,
        memory: &mut dyn GuestMemory,
        count: u32,
        size: u32,
    ) -> Outcome {
        write_sizes(memory, &self.args, count, size)
    }

    /// As [`Wasi::args_get`], for the environment's `NAME=value`.
    ///
    /// # Errors
    /// [`Errno::Fault`].
    pub fn environ_get(
        &mut self,
        memory: &mut dyn GuestMemory,
        environ: u32,
        buffer: u32,
    ) -> Outcome {
        write_list(memory, &self.environ, environ, buffer)
    }

    /// As [`Wasi::args_sizes_get`], for the environment.
    ///
    /// # Errors
    /// [`Errno::Fault`].
    pub fn environ_sizes_get(
        &mut self,
        memory: &mut dyn GuestMemory,
        count: u32,
        size: u32,
    ) -> Outcome {
        write_sizes(memory, &self.environ, count, size)
    }
}

fn write_list(
    memory: &mut dyn GuestMemory,
    list: &[Vec<u8>],
    mut pointer: u32,
    mut at: u32,
) -> Outcome {
    for text in list {
        memory.write_u32(pointer, at)?;
        memory.write(at, text)?;
        let end = add(at, text.len())?;
        memory.write(end, &[0])?;
        pointer = add(pointer, 4)?;
        at = add(end, 1)?;
    }
    Ok(())
}

fn write_sizes(memory: &mut dyn GuestMemory, list: &[Vec<u8>], count: u32, size: u32) -> Outcome {
    let bytes: usize = list.iter().map(|text| text.len() + 1).sum();
    memory.write_u32(count, list.len() as u32)?;
    memory.write_u32(size, u32::try_from(bytes).map_err(|_| Errno::TooBig)?)
}

fn add(at: u32, len: usize) -> Result<u32, Errno> {
    u32::try_from(len)
        .ok()
        .and_then(|len| at.checked_add(len))
        .ok_or(Errno::Fault)
}
