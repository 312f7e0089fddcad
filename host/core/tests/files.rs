//! Files with permissions, and the working directory: what the guest's libc asks of `pymode.*`.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use common::{ROOT, TestGuest, both, call};
use pymode_host::Errno;

/// `AT_FDCWD` of the guest.
const HERE: u32 = (-2_i32).cast_unsigned();

const NO_FOLLOW: u32 = 1;

/// `O_*` of the guest.
const CREATE: u32 = 1 << 12;
const DIRECTORY: u32 = 2 << 12;
const READ: u32 = 1 << 26;
const WRITE: u32 = 1 << 28;

fn open(guest: &mut TestGuest, path: &str, flags: u32, mode: u32) -> Result<u32, Errno> {
    let (at, len) = guest.path(path);
    let out = guest.room(4);
    call!(guest, openat(HERE, at, len, flags, mode, out))?;
    Ok(guest.u32(out))
}

fn create(guest: &mut TestGuest, path: &str, mode: u32) -> Result<(), Errno> {
    let fd = open(guest, path, CREATE | WRITE, mode)?;
    guest.wasi.fd_close(fd)
}

fn mkdir(guest: &mut TestGuest, path: &str, mode: u32) -> Result<(), Errno> {
    let (at, len) = guest.path(path);
    call!(guest, mkdirat(HERE, at, len, mode))
}

fn chmod(guest: &mut TestGuest, path: &str, mode: u32, flags: u32) -> Result<(), Errno> {
    let (at, len) = guest.path(path);
    call!(guest, fchmodat(HERE, at, len, mode, flags))
}

fn access(guest: &mut TestGuest, path: &str, wanted: u32) -> Result<(), Errno> {
    let (at, len) = guest.path(path);
    call!(guest, faccessat(HERE, at, len, wanted, 0))
}

fn symlink(guest: &mut TestGuest, target: &str, path: &str) -> Result<(), Errno> {
    let ((a, a_len), (b, b_len)) = (guest.path(target), guest.path(path));
    call!(guest, path_symlink(a, a_len, ROOT, b, b_len))
}

/// `st_mode`.
fn mode(guest: &mut TestGuest, path: &str, flags: u32) -> Result<u32, Errno> {
    let (at, len) = guest.path(path);
    let out = guest.room(144);
    call!(guest, fstatat(HERE, at, len, flags, out))?;
    assert_eq!(guest.u32(out + 28), 1000, "st_uid");
    Ok(guest.u32(out + 24))
}

fn chdir(guest: &mut TestGuest, path: &str) -> Result<(), Errno> {
    let (at, len) = guest.path(path);
    call!(guest, chdir(HERE, at, len))
}

fn getcwd(guest: &mut TestGuest, room: u32) -> Result<String, Errno> {
    let (at, out) = (guest.room(room), guest.room(4));
    call!(guest, getcwd(at, room, out))?;
    let len = guest.u32(out);
    Ok(String::from_utf8(guest.get(at, len)).unwrap())
}

#[test]
fn new_files_have_permissions_but_for_the_mask() {
    both(|guest| {
        create(guest, "/tmp/file", 0o666).unwrap();
        assert_eq!(mode(guest, "/tmp/file", 0), Ok(0o100_644));
        mkdir(guest, "/tmp/dir", 0o7777).unwrap();
        assert_eq!(mode(guest, "/tmp/dir", 0), Ok(0o041_755));
        assert_eq!(guest.wasi.umask(0o7077), 0o022);
        assert_eq!(guest.wasi.umask(0o077), 0o077);
        create(guest, "/tmp/mine", 0o4755).unwrap();
        assert_eq!(mode(guest, "/tmp/mine", 0), Ok(0o104_700));
        guest.write_file("/tmp/wasi", b"");
        assert_eq!(mode(guest, "/tmp/wasi", 0), Ok(0o100_600));
        // What is there keeps its own.
        create(guest, "/tmp/file", 0o777).unwrap();
        assert_eq!(mode(guest, "/tmp/file", 0), Ok(0o100_644));
        symlink(guest, "file", "/tmp/link").unwrap();
        assert_eq!(mode(guest, "/tmp/link", NO_FOLLOW), Ok(0o120_777));
        for (path, expected) in [
            ("/lib", 0o040_755),
            ("/lib/big", 0o100_644),
            ("/dev/null", 0o020_666),
            ("/home", 0o040_755),
        ] {
            assert_eq!(mode(guest, path, 0), Ok(expected), "{path}");
        }
    });
}

#[test]
fn permissions_are_changed_and_hold() {
    both(|guest| {
        create(guest, "/tmp/file", 0o666).unwrap();
        symlink(guest, "file", "/tmp/link").unwrap();
        chmod(guest, "/tmp/link", 0o200, 0).unwrap();
        assert_eq!(mode(guest, "/tmp/file", 0), Ok(0o100_200));
        assert_eq!(
            chmod(guest, "/tmp/link", 0o600, NO_FOLLOW),
            Err(Errno::NotSup)
        );
        assert_eq!(open(guest, "/tmp/file", READ, 0), Err(Errno::Acces));
        let fd = open(guest, "/tmp/file", WRITE, 0).unwrap();
        guest.wasi.fchmod(fd, 0o400).unwrap();
        let out = guest.room(144);
        call!(guest, fstat(fd, out)).unwrap();
        assert_eq!(guest.u32(out + 24), 0o100_400);
        assert_eq!(mode(guest, "/tmp/file", 0), Ok(0o100_400));
        assert_eq!(open(guest, "/tmp/file", WRITE, 0), Err(Errno::Acces));
        assert_eq!(access(guest, "/tmp/file", 4), Ok(()));
        assert_eq!(access(guest, "/tmp/file", 2), Err(Errno::Acces));
        assert_eq!(access(guest, "/tmp/file", 1), Err(Errno::Acces));
        assert_eq!(access(guest, "/tmp/nothing", 0), Err(Errno::NoEnt));
        assert_eq!(access(guest, "/lib/big", 2), Err(Errno::Rofs));
        assert_eq!(access(guest, "/lib/big", 4), Ok(()));
        assert_eq!(chmod(guest, "/lib/big", 0o600, 0), Err(Errno::Rofs));

        mkdir(guest, "/tmp/dir", 0o777).unwrap();
        create(guest, "/tmp/dir/file", 0o666).unwrap();
        chmod(guest, "/tmp/dir", 0o500, 0).unwrap();
        assert_eq!(create(guest, "/tmp/dir/new", 0o666), Err(Errno::Acces));
        assert_eq!(mkdir(guest, "/tmp/dir/new", 0o777), Err(Errno::Acces));
        assert_eq!(mkdir(guest, "/tmp/dir/file", 0o777), Err(Errno::Exist));
        assert_eq!(symlink(guest, "x", "/tmp/dir/new"), Err(Errno::Acces));
        chmod(guest, "/tmp/dir", 0o600, 0).unwrap();
        assert_eq!(mode(guest, "/tmp/dir/file", 0), Err(Errno::Acces));
        assert_eq!(chdir(guest, "/tmp/dir"), Err(Errno::Acces));
        chmod(guest, "/tmp/dir", 0o300, 0).unwrap();
        assert_eq!(
            open(guest, "/tmp/dir", READ | DIRECTORY, 0),
            Err(Errno::Acces)
        );
        create(guest, "/tmp/dir/new", 0o666).unwrap();
    });
}

#[test]
fn the_working_directory_is_the_real_one() {
    both(|guest| {
        assert_eq!(getcwd(guest, 100).as_deref(), Ok("/"));
        mkdir(guest, "/tmp/a", 0o777).unwrap();
        mkdir(guest, "/tmp/a/b", 0o777).unwrap();
        symlink(guest, "/tmp/a/b", "/home/me/work/link").unwrap();
        create(guest, "/tmp/file", 0o666).unwrap();
        chdir(guest, "tmp").unwrap();
        chdir(guest, "./a/../a//b/.").unwrap();
        assert_eq!(getcwd(guest, 8).as_deref(), Ok("/tmp/a/b"));
        assert_eq!(getcwd(guest, 7), Err(Errno::Range));
        chdir(guest, "/home/me/work/link").unwrap();
        assert_eq!(getcwd(guest, 100).as_deref(), Ok("/tmp/a/b"));
        chdir(guest, "..").unwrap();
        assert_eq!(getcwd(guest, 100).as_deref(), Ok("/tmp/a"));
        create(guest, "c", 0o666).unwrap();
        assert_eq!(mode(guest, "/tmp/a/c", 0), Ok(0o100_644));
        for (path, errno) in [
            ("", Errno::NoEnt),
            ("nowhere", Errno::NoEnt),
            ("nowhere/..", Errno::NoEnt),
            ("c", Errno::NotDir),
            ("c/..", Errno::NotDir),
        ] {
            assert_eq!(chdir(guest, path), Err(errno), "{path}");
        }
        let fd = open(guest, "/home", READ | DIRECTORY, 0).unwrap();
        let (at, len) = guest.path("me");
        call!(guest, chdir(fd, at, len)).unwrap();
        assert_eq!(getcwd(guest, 100).as_deref(), Ok("/home/me"));
        mkdir(guest, "/tmp/gone", 0o777).unwrap();
        chdir(guest, "/tmp/gone").unwrap();
        let (at, len) = guest.path("/tmp/gone");
        call!(guest, path_remove_directory(HERE, at, len)).unwrap();
        assert_eq!(getcwd(guest, 100), Err(Errno::NoEnt));
        assert_eq!(create(guest, "x", 0o666), Err(Errno::NoEnt));
        chdir(guest, "/").unwrap();
    });
}

#[test]
fn what_is_before_a_parent_must_be_a_directory() {
    both(|guest| {
        create(guest, "/tmp/file", 0o666).unwrap();
        mkdir(guest, "/tmp/dir", 0o777).unwrap();
        mkdir(guest, "/tmp/dir/sub", 0o777).unwrap();
        symlink(guest, "/tmp/dir/sub", "/home/me/work/far").unwrap();
        symlink(guest, "/home/me/work/far/..", "/tmp/back").unwrap();
        // Links that lead through each other, each with names behind it.
        symlink(guest, "/home/me/work/two/z/..", "/tmp/one").unwrap();
        symlink(guest, "/tmp/one/y/..", "/home/me/work/two").unwrap();
        for (path, expected) in [
            ("/tmp/dir/../file", Ok(0o100_644)),
            ("/tmp/nowhere/../file", Err(Errno::NoEnt)),
            ("/nowhere/../tmp/file", Err(Errno::NoEnt)),
            ("/home/nowhere/../../tmp/file", Err(Errno::NoEnt)),
            ("/tmp/file/../file", Err(Errno::NotDir)),
            ("/lib/big/../../tmp/file", Err(Errno::NotDir)),
            ("/tmp/../../../tmp/file", Ok(0o100_644)),
            ("/home/me/work/far/../sub", Ok(0o040_755)),
            ("/tmp/back/sub/../../file", Ok(0o100_644)),
            ("/tmp/one/y/../x", Err(Errno::Loop)),
            ("/tmp/one/y", Err(Errno::Loop)),
        ] {
            assert_eq!(mode(guest, path, 0), expected, "{path}");
        }
        let long = "x".repeat(256);
        for (path, errno) in [
            (format!("/tmp/{long}"), Errno::NameTooLong),
            (format!("/tmp/nowhere/{long}"), Errno::NoEnt),
            (format!("/tmp/file/{long}"), Errno::NotDir),
            (format!("/tmp/{long}/../file"), Errno::NameTooLong),
            ("x/".repeat(2048), Errno::NameTooLong),
        ] {
            assert_eq!(mode(guest, &path, 0), Err(errno), "{path}");
        }
    });
}
