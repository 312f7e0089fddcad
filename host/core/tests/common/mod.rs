//! A guest made of nothing but memory: tests call WASI as a wasm module would, with addresses.
#![allow(
    dead_code,
    unused_imports,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "shared by several test programs, which fail by panicking"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use pymode_host::image::ImageWriter;
use pymode_host::vfs::{DevFs, ImageFs, MemFs, Vfs};
use pymode_host::wasi::{BytesIn, BytesOut, Stdio, Wasi};
use pymode_host::{Clock, Errno, GuestMemory, Platform};

/// Calls a function that takes the guest's memory.
macro_rules! call {
    ($guest:expr, $name:ident($($arg:expr),*)) => {
        match &mut $guest.memory {
            $crate::common::Memory::Slice(bytes) => $guest.wasi.$name(&mut &mut bytes[..], $($arg),*),
            $crate::common::Memory::Remote(remote) => $guest.wasi.$name(remote, $($arg),*),
        }
    };
}
pub(crate) use call;

pub const SIZE: usize = 256 * 1024;
pub const ROOT: u32 = 3;

/// A time that can be set.
#[derive(Default)]
pub struct Time(AtomicU64);

impl Time {
    pub fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }

    pub fn set(&self, time: u64) {
        self.0.store(time, Relaxed);
    }
}

/// A clock that stands still but for sleeping, and randomness that counts.
#[derive(Default)]
pub struct Still {
    pub now: Time,
    pub slept: Time,
}

impl Platform for Still {
    fn now(&self, clock: Clock) -> Result<u64, Errno> {
        match clock {
            Clock::Realtime => Ok(1_000_000_000_000 + self.now.get()),
            Clock::Monotonic => Ok(self.now.get()),
            _ => Err(Errno::NotSup),
        }
    }

    fn resolution(&self, _clock: Clock) -> Result<u64, Errno> {
        Ok(7)
    }

    fn random(&self, bytes: &mut [u8]) -> Result<(), Errno> {
        bytes
            .iter_mut()
            .zip((1..=250).cycle())
            .for_each(|(byte, number)| *byte = number);
        Ok(())
    }

    fn sleep(&self, nanoseconds: u64) -> Result<(), Errno> {
        self.now.set(self.now.get() + nanoseconds);
        self.slept.set(self.slept.get() + nanoseconds);
        Ok(())
    }
}

/// Memory that this program cannot address, as in a JavaScript engine.
pub struct Remote(pub Vec<u8>);

impl GuestMemory for Remote {
    fn size(&self) -> u64 {
        self.0.len() as u64
    }

    fn read(&self, at: u32, into: &mut [u8]) -> Result<(), Errno> {
        self.check(at, into.len() as u64)?;
        into.copy_from_slice(&self.0[at as usize..][..into.len()]);
        Ok(())
    }

    fn write(&mut self, at: u32, bytes: &[u8]) -> Result<(), Errno> {
        self.check(at, bytes.len() as u64)?;
        self.0[at as usize..][..bytes.len()].copy_from_slice(bytes);
        Ok(())
    }

    fn slice(&self, at: u32, len: u32) -> Result<Option<&[u8]>, Errno> {
        self.check(at, len.into()).map(|()| None)
    }

    fn slice_mut(&mut self, at: u32, len: u32) -> Result<Option<&mut [u8]>, Errno> {
        self.check(at, len.into()).map(|()| None)
    }
}

pub enum Memory {
    Slice(Vec<u8>),
    Remote(Remote),
}

pub struct TestGuest {
    pub memory: Memory,
    pub wasi: Wasi,
    pub platform: Arc<Still>,
    pub out: BytesOut,
    next: u32,
}

pub fn image() -> Vec<u8> {
    let mut writer = ImageWriter::new();
    writer
        .file("lib/python3.13/os.pyc", *b"operating system")
        .unwrap();
    writer
        .file(
            "lib/big",
            (0..100_000_u32)
                .map(|number| (number % 251) as u8)
                .collect::<Vec<_>>(),
        )
        .unwrap();
    writer.directory("etc").unwrap();
    writer.finish().unwrap()
}

pub fn tree(platform: &Arc<Still>) -> Vfs {
    let platform: Arc<dyn Platform> = Arc::clone(platform) as _;
    let mut vfs = Vfs::new(Box::new(ImageFs::open(image()).unwrap()));
    vfs.mount(
        b"/tmp",
        Box::new(MemFs::new(Arc::clone(&platform), 1 << 20)),
    );
    vfs.mount(b"/dev", Box::new(DevFs::new(Arc::clone(&platform))));
    vfs.mount(b"/home/me/work", Box::new(MemFs::new(platform, 1 << 20)));
    vfs
}

impl TestGuest {
    pub fn new(memory: Memory) -> TestGuest {
        let platform = Arc::new(Still::default());
        let out = BytesOut::new();
        let stdio = Stdio {
            stdin: Box::new(BytesIn::new(*b"line one\nline two\n")),
            stdout: Box::new(out.clone()),
            stderr: Box::new(BytesOut::new()),
        };
        let wasi = Wasi::new(tree(&platform), Arc::clone(&platform) as _, stdio);
        // Address 0 is unused, as in a real guest.
        TestGuest {
            memory,
            wasi,
            platform,
            out,
            next: 1024,
        }
    }

    /// Room for so many bytes, aligned; filled with what is not zero.
    pub fn room(&mut self, len: u32) -> u32 {
        let at = self.next;
        self.next += len.div_ceil(8) * 8;
        assert!((self.next as usize) < SIZE, "the test needs more memory");
        self.put_at(at, &vec![0xAA; len as usize]);
        at
    }

    pub fn put(&mut self, bytes: &[u8]) -> u32 {
        let at = self.room(bytes.len() as u32);
        self.put_at(at, bytes);
        at
    }

    pub fn put_at(&mut self, at: u32, bytes: &[u8]) {
        self.memory().write(at, bytes).unwrap();
    }

    /// A path and its length.
    pub fn path(&mut self, path: &str) -> (u32, u32) {
        (self.put(path.as_bytes()), path.len() as u32)
    }

    /// A list of buffers.
    pub fn iovs(&mut self, buffers: &[(u32, u32)]) -> (u32, u32) {
        let bytes: Vec<u8> = buffers
            .iter()
            .flat_map(|(at, len)| [at.to_le_bytes(), len.to_le_bytes()].concat())
            .collect();
        (self.put(&bytes), buffers.len() as u32)
    }

    pub fn get(&mut self, at: u32, len: u32) -> Vec<u8> {
        self.memory().read_vec(at, len).unwrap()
    }

    pub fn u32(&mut self, at: u32) -> u32 {
        self.memory().read_u32(at).unwrap()
    }

    pub fn u64(&mut self, at: u32) -> u64 {
        u64::from_le_bytes(self.get(at, 8).try_into().unwrap())
    }

    pub fn memory(&mut self) -> Box<dyn GuestMemory + '_> {
        match &mut self.memory {
            Memory::Slice(bytes) => Box::new(&mut bytes[..]),
            Memory::Remote(remote) => Box::new(RemoteRef(remote)),
        }
    }

    /// Opens a file with WASI's own flags.
    pub fn open_with(
        &mut self,
        dir: u32,
        path: &str,
        oflags: u32,
        rights: u64,
        fdflags: u32,
    ) -> Result<u32, Errno> {
        let (at, len) = self.path(path);
        let out = self.room(4);
        call!(
            self,
            path_open(dir, 1, at, len, oflags, rights, u64::MAX, fdflags, out)
        )?;
        Ok(self.u32(out))
    }

    pub fn open(&mut self, path: &str) -> Result<u32, Errno> {
        self.open_with(ROOT, path, 0, READ, 0)
    }

    pub fn create(&mut self, path: &str) -> Result<u32, Errno> {
        self.open_with(ROOT, path, CREATE, READ | WRITE, 0)
    }

    pub fn read(&mut self, fd: u32, len: u32) -> Result<Vec<u8>, Errno> {
        let at = self.room(len);
        let (iovs, count) = self.iovs(&[(at, len)]);
        let out = self.room(4);
        call!(self, fd_read(fd, iovs, count, out))?;
        let read = self.u32(out);
        Ok(self.get(at, read))
    }

    pub fn write(&mut self, fd: u32, bytes: &[u8]) -> Result<u32, Errno> {
        let at = self.put(bytes);
        let (iovs, count) = self.iovs(&[(at, bytes.len() as u32)]);
        let out = self.room(4);
        call!(self, fd_write(fd, iovs, count, out))?;
        Ok(self.u32(out))
    }

    pub fn write_file(&mut self, path: &str, bytes: &[u8]) {
        let fd = self.create(path).unwrap();
        assert_eq!(self.write(fd, bytes), Ok(bytes.len() as u32));
        self.wasi.fd_close(fd).unwrap();
    }

    pub fn read_file(&mut self, path: &str) -> Result<Vec<u8>, Errno> {
        let fd = self.open(path)?;
        let bytes = self.read(fd, 4096);
        self.wasi.fd_close(fd)?;
        bytes
    }

    /// Kind, size and number of links.
    pub fn stat(&mut self, path: &str, flags: u32) -> Result<(u8, u64, u64), Errno> {
        let (at, len) = self.path(path);
        let out = self.room(64);
        call!(self, path_filestat_get(ROOT, flags, at, len, out))?;
        Ok((
            self.get(out + 16, 1)[0],
            self.u64(out + 32),
            self.u64(out + 24),
        ))
    }

    /// Names in a directory, as its `readdir` gives them.
    pub fn list(&mut self, path: &str) -> Result<Vec<String>, Errno> {
        let fd = self.open_with(ROOT, path, DIRECTORY, READ, 0)?;
        let buffer = self.room(4096);
        let used = self.room(4);
        call!(self, fd_readdir(fd, buffer, 4096, 0, used))?;
        let used = self.u32(used);
        let mut names = Vec::new();
        let mut at = buffer;
        while at < buffer + used {
            let len = self.u32(at + 16);
            names.push(String::from_utf8(self.get(at + 24, len)).unwrap());
            at += 24 + len;
        }
        self.wasi.fd_close(fd)?;
        Ok(names)
    }
}

pub const READ: u64 = 1 << 1;
pub const WRITE: u64 = 1 << 6;
pub const CREATE: u32 = 1;
pub const DIRECTORY: u32 = 2;
pub const EXCLUSIVE: u32 = 4;
pub const TRUNCATE: u32 = 8;

struct RemoteRef<'a>(&'a mut Remote);

impl GuestMemory for RemoteRef<'_> {
    fn size(&self) -> u64 {
        self.0.size()
    }

    fn read(&self, at: u32, into: &mut [u8]) -> Result<(), Errno> {
        self.0.read(at, into)
    }

    fn write(&mut self, at: u32, bytes: &[u8]) -> Result<(), Errno> {
        self.0.write(at, bytes)
    }

    fn slice(&self, at: u32, len: u32) -> Result<Option<&[u8]>, Errno> {
        self.0.slice(at, len)
    }

    fn slice_mut(&mut self, at: u32, len: u32) -> Result<Option<&mut [u8]>, Errno> {
        self.0.slice_mut(at, len)
    }
}

/// Runs a test over memory that can be addressed and over memory that cannot.
pub fn both(test: impl Fn(&mut TestGuest)) {
    test(&mut TestGuest::new(Memory::Slice(vec![0; SIZE])));
    test(&mut TestGuest::new(Memory::Remote(Remote(vec![0; SIZE]))));
}
