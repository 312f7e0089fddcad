//! The guest's memory, as the host may touch it: by address and length, always checked.

use crate::Errno;

/// The linear memory of the guest.
///
/// Natively it is a slice of the host's own memory, and [`GuestMemory::slice`] gives it away. In a JavaScript engine it is another
/// buffer: `slice` gives nothing, and bytes are copied by `read` and `write`.
///
/// Every method answers [`Errno::Fault`] when any byte of the range lies outside the memory.
pub trait GuestMemory {
    /// Bytes that there are now. The guest may have grown its memory since the last call.
    fn size(&self) -> u64;

    /// Copies `into.len()` bytes out of the guest.
    ///
    /// # Errors
    /// [`Errno::Fault`].
    fn read(&self, at: u32, into: &mut [u8]) -> Result<(), Errno>;

    /// Copies bytes into the guest.
    ///
    /// # Errors
    /// [`Errno::Fault`].
    fn write(&mut self, at: u32, bytes: &[u8]) -> Result<(), Errno>;

    /// The bytes themselves, where this program can address them.
    ///
    /// # Errors
    /// [`Errno::Fault`].
    fn slice(&self, at: u32, len: u32) -> Result<Option<&[u8]>, Errno>;

    /// The bytes themselves, to be changed, where this program can address them.
    ///
    /// # Errors
    /// [`Errno::Fault`].
    fn slice_mut(&mut self, at: u32, len: u32) -> Result<Option<&mut [u8]>, Errno>;

    /// Fails unless the whole range lies in the memory: asked before something happens that cannot be taken back.
    ///
    /// # Errors
    /// [`Errno::Fault`].
    fn check(&self, at: u32, len: u64) -> Result<(), Errno> {
        match u64::from(at).checked_add(len) {
            Some(end) if end <= self.size() => Ok(()),
            _ => Err(Errno::Fault),
        }
    }

    /// A copy of a range. The range is checked before anything is allocated.
    ///
    /// # Errors
    /// [`Errno::Fault`].
    fn read_vec(&self, at: u32, len: u32) -> Result<Vec<u8>, Errno> {
        self.check(at, len.into())?;
        let mut bytes = vec![0; len as usize];
        self.read(at, &mut bytes)?;
        Ok(bytes)
    }

    /// Reads a little-endian `u32`.
    ///
    /// # Errors
    /// [`Errno::Fault`].
    fn read_u32(&self, at: u32) -> Result<u32, Errno> {
        let mut bytes = [0; 4];
        self.read(at, &mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    /// Writes a little-endian `u32`.
    ///
    /// # Errors
    /// [`Errno::Fault`].
    fn write_u32(&mut self, at: u32, value: u32) -> Result<(), Errno> {
        self.write(at, &value.to_le_bytes())
    }

    /// Writes a little-endian `u64`.
    ///
    /// # Errors
    /// [`Errno::Fault`].
    fn write_u64(&mut self, at: u32, value: u64) -> Result<(), Errno> {
        self.write(at, &value.to_le_bytes())
    }
}

/// Guest memory that is a slice of the host's own.
impl GuestMemory for &mut [u8] {
    fn size(&self) -> u64 {
        self.len() as u64
    }

    fn read(&self, at: u32, into: &mut [u8]) -> Result<(), Errno> {
        into.copy_from_slice(range(self, at, into.len())?);
        Ok(())
    }

    fn write(&mut self, at: u32, bytes: &[u8]) -> Result<(), Errno> {
        let start = at as usize;
        let end = start.checked_add(bytes.len()).ok_or(Errno::Fault)?;
        self.get_mut(start..end)
            .ok_or(Errno::Fault)?
            .copy_from_slice(bytes);
        Ok(())
    }

    fn slice(&self, at: u32, len: u32) -> Result<Option<&[u8]>, Errno> {
        range(self, at, len as usize).map(Some)
    }

    fn slice_mut(&mut self, at: u32, len: u32) -> Result<Option<&mut [u8]>, Errno> {
        let start = at as usize;
        let end = start.checked_add(len as usize).ok_or(Errno::Fault)?;
        self.get_mut(start..end).ok_or(Errno::Fault).map(Some)
    }
}

fn range(memory: &[u8], at: u32, len: usize) -> Result<&[u8], Errno> {
    let start = at as usize;
    let end = start.checked_add(len).ok_or(Errno::Fault)?;
    memory.get(start..end).ok_or(Errno::Fault)
}

/// Size of a copied chunk where guest memory is not addressable.
const CHUNK: usize = 16 * 1024;

/// Gives `produce` room in the guest, directly where that is possible and by way of a buffer where it is not.
///
/// `produce` is called with rooms that follow one another until one is not filled, and returns how much it filled.
pub(crate) fn fill(
    memory: &mut dyn GuestMemory,
    at: u32,
    len: u32,
    mut produce: impl FnMut(u64, &mut [u8]) -> Result<usize, Errno>,
) -> Result<usize, Errno> {
    if let Some(room) = memory.slice_mut(at, len)? {
        return produce(0, room);
    }
    let mut buffer = [0; CHUNK];
    let mut done = 0;
    while done < len as usize {
        let room = CHUNK.min(len as usize - done);
        let filled = produce(done as u64, &mut buffer[..room])?;
        memory.write(at + done as u32, &buffer[..filled])?;
        done += filled;
        if filled < room {
            break;
        }
    }
    Ok(done)
}

/// Gives bytes of the guest to `consume`: the counterpart of [`fill`].
pub(crate) fn drain(
    memory: &dyn GuestMemory,
    at: u32,
    len: u32,
    mut consume: impl FnMut(u64, &[u8]) -> Result<usize, Errno>,
) -> Result<usize, Errno> {
    if let Some(bytes) = memory.slice(at, len)? {
        return consume(0, bytes);
    }
    let mut buffer = [0; CHUNK];
    let mut done = 0;
    while done < len as usize {
        let chunk = CHUNK.min(len as usize - done);
        memory.read(at + done as u32, &mut buffer[..chunk])?;
        let taken = consume(done as u64, &buffer[..chunk])?;
        done += taken;
        if taken < chunk {
            break;
        }
    }
    Ok(done)
}
