//! Permissions of files.

use super::FileKind;

/// The permission bits of a file: the lower twelve of `st_mode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Mode(u16);

impl Mode {
    /// `rw-r--r--`: a file about whose permissions nothing is known.
    pub const FILE: Mode = Mode(0o644);
    /// `rwxr-xr-x`: a directory about whose permissions nothing is known.
    pub const DIRECTORY: Mode = Mode(0o755);
    /// The mask of a guest that has not called `umask(2)`: only the owner writes.
    pub const MASK: Mode = Mode(0o022);

    /// The permission bits among `bits`.
    pub const fn from_bits(bits: u32) -> Mode {
        Mode(bits as u16 & 0o7777)
    }

    /// Permissions of something that has a kind and nothing else.
    pub const fn of_kind(kind: FileKind) -> Mode {
        match kind {
            FileKind::Directory => Mode::DIRECTORY,
            FileKind::RegularFile => Mode::FILE,
            FileKind::SymbolicLink => Mode(0o777),
            FileKind::CharacterDevice | FileKind::BlockDevice => Mode(0o666),
            FileKind::Unknown | FileKind::SocketDatagram | FileKind::SocketStream => Mode(0o600),
        }
    }

    /// As in `st_mode`.
    pub const fn bits(self) -> u32 {
        self.0 as u32
    }

    /// Takes away what a mask holds.
    #[must_use]
    pub const fn without(self, mask: Mode) -> Mode {
        Mode(self.0 & !(mask.0 & 0o777))
    }

    /// Returns `true` if the owner may do all of this.
    pub fn allows(self, wanted: Permissions) -> bool {
        let bits = self.0 >> 6;
        (!wanted.read || bits & 4 != 0)
            && (!wanted.write || bits & 2 != 0)
            && (!wanted.execute || bits & 1 != 0)
    }
}

/// Actions on a file that permissions allow or forbid. For a directory `execute` is looking up a name in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Permissions {
    /// `R_OK`.
    pub read: bool,
    /// `W_OK`.
    pub write: bool,
    /// `X_OK`.
    pub execute: bool,
}

impl Permissions {
    /// Looking up a name in a directory.
    pub const SEARCH: Permissions = Permissions {
        read: false,
        write: false,
        execute: true,
    };
    /// Adding a name to a directory, or removing one from it.
    pub const CHANGE: Permissions = Permissions {
        read: false,
        write: true,
        execute: true,
    };
}

/// The owner of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Owner {
    /// The user that the guest runs as.
    Guest,
    /// Somebody else.
    Other,
}

impl Owner {
    /// The number of the user and of the group, as `stat(2)` gives them.
    pub const fn number(self) -> u32 {
        match self {
            Owner::Guest => USER,
            Owner::Other => NOBODY,
        }
    }
}

/// The number of the user that a guest runs as, and of its group.
pub const USER: u32 = 1000;

/// The number of all other users, as Linux shows those that a user namespace has no number for.
const NOBODY: u32 = 65_534;
