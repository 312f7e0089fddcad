//! The system's errors in WASI's numbers.

use std::io;

use pymode_host::Errno;

/// Converts an error of the system to the guest's `errno`.
pub(crate) fn errno(error: &io::Error) -> Errno {
    use rustix::io::Errno as Sys;
    let Some(number) = error.raw_os_error() else {
        return from_kind(error.kind());
    };
    match Sys::from_raw_os_error(number) {
        Sys::ACCESS => Errno::Acces,
        Sys::AGAIN => Errno::Again,
        Sys::BADF => Errno::Badf,
        Sys::BUSY => Errno::Busy,
        Sys::DQUOT => Errno::Dquot,
        Sys::EXIST => Errno::Exist,
        Sys::FBIG => Errno::Fbig,
        Sys::ILSEQ => Errno::Ilseq,
        Sys::INTR => Errno::Intr,
        Sys::INVAL => Errno::Inval,
        Sys::ISDIR => Errno::IsDir,
        Sys::LOOP => Errno::Loop,
        Sys::MFILE => Errno::Mfile,
        Sys::MLINK => Errno::Mlink,
        Sys::NAMETOOLONG => Errno::NameTooLong,
        Sys::NFILE => Errno::Nfile,
        Sys::NODEV => Errno::NoDev,
        Sys::NOENT => Errno::NoEnt,
        Sys::NOMEM => Errno::NoMem,
        Sys::NOSPC => Errno::NoSpc,
        Sys::NOSYS => Errno::NoSys,
        Sys::NOTDIR => Errno::NotDir,
        Sys::NOTEMPTY => Errno::NotEmpty,
        Sys::NOTSUP => Errno::NotSup,
        Sys::NXIO => Errno::Nxio,
        Sys::OVERFLOW => Errno::Overflow,
        Sys::PERM => Errno::Perm,
        Sys::PIPE => Errno::Pipe,
        Sys::ROFS => Errno::Rofs,
        Sys::SPIPE => Errno::Spipe,
        Sys::TXTBSY => Errno::TxtBsy,
        Sys::XDEV => Errno::Xdev,
        _ => Errno::Io,
    }
}

/// Errors without a number are not the system's: cap-std makes one for a path that would leave its directory.
fn from_kind(kind: io::ErrorKind) -> Errno {
    match kind {
        io::ErrorKind::PermissionDenied => Errno::NotCapable,
        io::ErrorKind::NotFound => Errno::NoEnt,
        io::ErrorKind::InvalidInput => Errno::Inval,
        io::ErrorKind::Unsupported => Errno::NotSup,
        _ => Errno::Io,
    }
}
