//! The guest's `/dev`: the few devices that programs open without asking whether they are there.

use std::sync::Arc;

use super::fs::{
    Answer, DirEntry, File, FileKind, FileSystem, Follow, NewTimes, OpenHow, OpenedFile, Stat,
};
use crate::{Errno, Platform};

/// A read-only directory with `null`, `zero`, `random` and `urandom`.
pub struct DevFs {
    platform: Arc<dyn Platform>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Device {
    Null,
    Zero,
    Random,
}

/// All devices. Their place here is their inode; 1 is the directory.
const DEVICES: [(&[u8], Device); 4] = [
    (b"null", Device::Null),
    (b"random", Device::Random),
    (b"urandom", Device::Random),
    (b"zero", Device::Zero),
];

const DIRECTORY: Stat = Stat::unchanging(1, FileKind::Directory, 0);

impl DevFs {
    /// The devices; randomness is the platform's.
    pub fn new(platform: Arc<dyn Platform>) -> DevFs {
        DevFs { platform }
    }
}

fn device_stat(place: usize) -> Stat {
    Stat::unchanging(place as u64 + 2, FileKind::CharacterDevice, 0)
}

/// The device at a path; none for the directory itself.
fn find(path: &[u8]) -> Result<Option<usize>, Errno> {
    let mut place = None;
    for name in path
        .split(|&byte| byte == b'/')
        .filter(|name| !name.is_empty())
    {
        if place.is_some() {
            return Err(Errno::NotDir);
        }
        place = Some(
            DEVICES
                .iter()
                .position(|(device, _)| *device == name)
                .ok_or(Errno::NoEnt)?,
        );
    }
    Ok(place)
}

impl FileSystem for DevFs {
    fn stat(&mut self, path: &[u8], _follow: Follow) -> Answer<Stat> {
        Ok(find(path)?.map_or(DIRECTORY, device_stat))
    }

    fn open(&mut self, path: &[u8], how: &OpenHow) -> Answer<OpenedFile> {
        match find(path) {
            Err(Errno::NoEnt) if how.create => Err(Errno::Rofs.into()),
            Err(errno) => Err(errno.into()),
            Ok(_) if how.create && how.exclusive => Err(Errno::Exist.into()),
            Ok(None) if how.suits_directory() => Ok(OpenedFile::Directory),
            Ok(None) => Err(Errno::IsDir.into()),
            Ok(Some(_)) if how.directory => Err(Errno::NotDir.into()),
            Ok(Some(place)) => Ok(OpenedFile::File(Box::new(DeviceFile {
                device: DEVICES[place].1,
                stat: device_stat(place),
                platform: Arc::clone(&self.platform),
            }))),
        }
    }

    fn read_dir(&mut self, path: &[u8]) -> Answer<Vec<DirEntry>> {
        if find(path)?.is_some() {
            return Err(Errno::NotDir.into());
        }
        let entry = |(place, (name, _)): (usize, &(&[u8], Device))| {
            let stat = device_stat(place);
            DirEntry {
                name: name.to_vec(),
                inode: stat.inode,
                kind: stat.kind,
            }
        };
        Ok(DEVICES.iter().enumerate().map(entry).collect())
    }
}

struct DeviceFile {
    device: Device,
    stat: Stat,
    platform: Arc<dyn Platform>,
}

impl File for DeviceFile {
    fn stat(&mut self) -> Result<Stat, Errno> {
        Ok(self.stat)
    }

    fn read_at(&mut self, _offset: u64, into: &mut [u8]) -> Result<usize, Errno> {
        match self.device {
            Device::Null => return Ok(0),
            Device::Zero => into.fill(0),
            Device::Random => self.platform.random(into)?,
        }
        Ok(into.len())
    }

    fn write_at(&mut self, _offset: u64, bytes: &[u8]) -> Result<usize, Errno> {
        // It is taken, and it is gone.
        Ok(bytes.len())
    }

    fn set_times(&mut self, _times: NewTimes) -> Result<(), Errno> {
        Ok(())
    }
}
