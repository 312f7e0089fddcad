//! `path_*`, and what the tree of mounts makes of paths.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use common::{
    CREATE, DIRECTORY, EXCLUSIVE, READ, ROOT, SIZE, TRUNCATE, TestGuest, WRITE, both, call,
};
use pymode_host::Errno;

const DIR: u8 = 3;
const FILE: u8 = 4;
const LINK: u8 = 7;

fn mkdir(guest: &mut TestGuest, path: &str) -> Result<(), Errno> {
    let (at, len) = guest.path(path);
    call!(guest, path_create_directory(ROOT, at, len))
}

fn rmdir(guest: &mut TestGuest, path: &str) -> Result<(), Errno> {
    let (at, len) = guest.path(path);
    call!(guest, path_remove_directory(ROOT, at, len))
}

fn unlink(guest: &mut TestGuest, path: &str) -> Result<(), Errno> {
    let (at, len) = guest.path(path);
    call!(guest, path_unlink_file(ROOT, at, len))
}

fn rename(guest: &mut TestGuest, from: &str, to: &str) -> Result<(), Errno> {
    let ((a, a_len), (b, b_len)) = (guest.path(from), guest.path(to));
    call!(guest, path_rename(ROOT, a, a_len, ROOT, b, b_len))
}

fn link(guest: &mut TestGuest, from: &str, to: &str) -> Result<(), Errno> {
    let ((a, a_len), (b, b_len)) = (guest.path(from), guest.path(to));
    call!(guest, path_link(ROOT, 0, a, a_len, ROOT, b, b_len))
}

fn symlink(guest: &mut TestGuest, target: &str, path: &str) -> Result<(), Errno> {
    let ((a, a_len), (b, b_len)) = (guest.path(target), guest.path(path));
    call!(guest, path_symlink(a, a_len, ROOT, b, b_len))
}

fn readlink(guest: &mut TestGuest, path: &str, room: u32) -> Result<String, Errno> {
    let (at, len) = guest.path(path);
    let (buffer, used) = (guest.room(room), guest.room(4));
    call!(guest, path_readlink(ROOT, at, len, buffer, room, used))?;
    let used = guest.u32(used);
    Ok(String::from_utf8(guest.get(buffer, used)).unwrap())
}

#[test]
fn a_file_has_many_spellings() {
    both(|guest| {
        for path in [
            "/lib/python3.13/os.pyc",
            "lib/python3.13/os.pyc",
            "//lib///python3.13/./os.pyc",
            "./lib/python3.13/../python3.13/os.pyc",
            "/../../lib/python3.13/os.pyc",
            "/tmp/../lib/python3.13/os.pyc",
            "/home/me/work/../../../lib/python3.13/os.pyc",
            "/home/../etc/../lib/python3.13/os.pyc",
        ] {
            assert_eq!(
                guest.read_file(path).as_deref(),
                Ok(&b"operating system"[..]),
                "{path}"
            );
        }
        assert_eq!(guest.stat("/lib/python3.13/os.pyc", 0), Ok((FILE, 16, 1)));
        for path in [
            "/",
            ".",
            "/.",
            "/..",
            "/lib",
            "/lib/",
            "/tmp",
            "/tmp/",
            "/home",
            "/home/me",
            "/home/me/work",
            "/home/me/.",
        ] {
            assert_eq!(guest.stat(path, 1).map(|stat| stat.0), Ok(DIR), "{path}");
        }
    });
}

#[test]
fn what_is_not_there_is_not_there() {
    both(|guest| {
        for (path, errno) in [
            ("", Errno::NoEnt),
            ("/nothing", Errno::NoEnt),
            ("/nothing/below", Errno::NoEnt),
            ("/home/you", Errno::NoEnt),
            ("/lib/python3.13/os.pyc/", Errno::NotDir),
            ("/lib/python3.13/os.pyc/.", Errno::NotDir),
            ("/lib/python3.13/os.pyc/below", Errno::NotDir),
            ("/lib\0/python3.13", Errno::Inval),
        ] {
            assert_eq!(guest.stat(path, 1), Err(errno), "{path}");
            assert_eq!(guest.open(path), Err(errno), "{path}");
        }
        let long = format!("/tmp/{}", "x".repeat(5000));
        assert_eq!(guest.stat(&long, 0), Err(Errno::NameTooLong));
        assert_eq!(guest.open(&long), Err(Errno::NameTooLong));
        let long = format!("/tmp/{}", "x".repeat(256));
        assert_eq!(guest.create(&long), Err(Errno::NameTooLong));
        assert_eq!(guest.stat(&long, 0), Err(Errno::NameTooLong));
        let (at, len) = (guest.put(b"/tmp/\xff"), 6);
        let out = guest.room(64);
        assert_eq!(
            call!(guest, path_filestat_get(ROOT, 0, at, len, out)),
            Err(Errno::Ilseq)
        );
        assert_eq!(
            call!(guest, path_create_directory(ROOT, at, len)),
            Err(Errno::Ilseq)
        );
        let (at, len) = (SIZE as u32 - 2, 4);
        let out = guest.room(64);
        assert_eq!(
            call!(guest, path_filestat_get(ROOT, 0, at, len, out)),
            Err(Errno::Fault)
        );
        assert_eq!(
            call!(guest, path_create_directory(ROOT, 0, u32::MAX)),
            Err(Errno::Fault)
        );
        let (at, len) = guest.path("x");
        assert_eq!(
            call!(guest, path_create_directory(1, at, len)),
            Err(Errno::NotDir)
        );
        assert_eq!(
            call!(guest, path_create_directory(40, at, len)),
            Err(Errno::Badf)
        );
    });
}

#[test]
fn the_image_is_read_only() {
    both(|guest| {
        assert_eq!(guest.create("/lib/new"), Err(Errno::Rofs));
        assert_eq!(guest.create("/nothing/new"), Err(Errno::NoEnt));
        assert_eq!(
            guest.open_with(ROOT, "/lib/big", 0, WRITE, 0),
            Err(Errno::Rofs)
        );
        assert_eq!(
            guest.open_with(ROOT, "/lib/big", TRUNCATE, READ, 0),
            Err(Errno::Rofs)
        );
        assert_eq!(
            guest.open_with(ROOT, "/lib", 0, READ | WRITE, 0),
            Err(Errno::IsDir)
        );
        assert_eq!(
            guest.open_with(ROOT, "/lib/big", CREATE | EXCLUSIVE, READ, 0),
            Err(Errno::Exist)
        );
        assert_eq!(
            guest.open_with(ROOT, "/lib/big", DIRECTORY, READ, 0),
            Err(Errno::NotDir)
        );
        assert_eq!(mkdir(guest, "/lib"), Err(Errno::Exist));
        assert_eq!(mkdir(guest, "/lib/new"), Err(Errno::Rofs));
        assert_eq!(rmdir(guest, "/etc"), Err(Errno::Rofs));
        assert_eq!(unlink(guest, "/lib/big"), Err(Errno::Rofs));
        assert_eq!(unlink(guest, "/lib/nothing"), Err(Errno::NoEnt));
        assert_eq!(rename(guest, "/lib/big", "/lib/small"), Err(Errno::Rofs));
        assert_eq!(symlink(guest, "x", "/lib/x"), Err(Errno::Rofs));
        assert_eq!(link(guest, "/lib/big", "/lib/x"), Err(Errno::Rofs));
        assert_eq!(readlink(guest, "/lib/big", 10), Err(Errno::Inval));
        let (at, len) = guest.path("/lib/big");
        assert_eq!(
            call!(guest, path_filestat_set_times(ROOT, 0, at, len, 0, 0, 5)),
            Err(Errno::Rofs)
        );
    });
}

#[test]
fn directories_come_and_go() {
    both(|guest| {
        mkdir(guest, "/tmp/a").unwrap();
        mkdir(guest, "/tmp/a/b/").unwrap();
        assert_eq!(mkdir(guest, "/tmp/a"), Err(Errno::Exist));
        assert_eq!(mkdir(guest, "/tmp/x/y"), Err(Errno::NoEnt));
        guest.write_file("/tmp/a/file", b"f");
        assert_eq!(mkdir(guest, "/tmp/a/file/y"), Err(Errno::NotDir));
        assert_eq!(guest.list("/tmp/a").unwrap(), [".", "..", "b", "file"]);
        assert_eq!(rmdir(guest, "/tmp/a"), Err(Errno::NotEmpty));
        assert_eq!(rmdir(guest, "/tmp/a/file"), Err(Errno::NotDir));
        assert_eq!(unlink(guest, "/tmp/a/b"), Err(Errno::IsDir));
        assert_eq!(unlink(guest, "/tmp/a/file/"), Err(Errno::NotDir));
        unlink(guest, "/tmp/a/file").unwrap();
        rmdir(guest, "/tmp/a/b").unwrap();
        rmdir(guest, "/tmp/a").unwrap();
        assert_eq!(guest.stat("/tmp/a", 0), Err(Errno::NoEnt));
        assert_eq!(
            guest.open_with(ROOT, "/tmp", CREATE, WRITE, 0),
            Err(Errno::IsDir)
        );
        assert_eq!(
            guest.open_with(ROOT, "/tmp/new/", CREATE, WRITE, 0),
            Err(Errno::IsDir)
        );
        assert_eq!(
            guest.open_with(ROOT, "/tmp/new", CREATE | DIRECTORY, READ, 0),
            Err(Errno::Inval)
        );
    });
}

#[test]
fn an_open_file_outlives_its_name() {
    both(|guest| {
        let fd = guest.create("/tmp/file").unwrap();
        guest.write(fd, b"still here").unwrap();
        unlink(guest, "/tmp/file").unwrap();
        assert_eq!(guest.open("/tmp/file"), Err(Errno::NoEnt));
        let out = guest.room(64);
        call!(guest, fd_filestat_get(fd, out)).unwrap();
        assert_eq!((guest.u64(out + 24), guest.u64(out + 32)), (0, 10));
        let at = guest.room(10);
        let (iovs, count) = guest.iovs(&[(at, 10)]);
        call!(guest, fd_pread(fd, iovs, count, 0, out)).unwrap();
        assert_eq!(guest.get(at, 10), b"still here");
    });
}

#[test]
fn renaming_replaces_what_may_be_replaced() {
    both(|guest| {
        guest.write_file("/tmp/a", b"a");
        guest.write_file("/tmp/b", b"b");
        rename(guest, "/tmp/a", "/tmp/b").unwrap();
        assert_eq!(
            (guest.read_file("/tmp/b"), guest.open("/tmp/a")),
            (Ok(b"a".to_vec()), Err(Errno::NoEnt))
        );
        rename(guest, "/tmp/b", "/tmp/b").unwrap();
        mkdir(guest, "/tmp/d").unwrap();
        mkdir(guest, "/tmp/d/e").unwrap();
        mkdir(guest, "/tmp/empty").unwrap();
        assert_eq!(rename(guest, "/tmp/b", "/tmp/d"), Err(Errno::IsDir));
        assert_eq!(rename(guest, "/tmp/d", "/tmp/b"), Err(Errno::NotDir));
        assert_eq!(rename(guest, "/tmp/empty", "/tmp/d"), Err(Errno::NotEmpty));
        assert_eq!(
            rename(guest, "/tmp/d", "/tmp/d/e/f"),
            Err(Errno::Inval),
            "into itself"
        );
        assert_eq!(rename(guest, "/tmp/nothing", "/tmp/x"), Err(Errno::NoEnt));
        assert_eq!(rename(guest, "/tmp/b/", "/tmp/x"), Err(Errno::NotDir));
        rename(guest, "/tmp/d", "/tmp/empty").unwrap();
        assert_eq!(guest.list("/tmp").unwrap(), [".", "..", "b", "empty"]);
        assert_eq!(guest.list("/tmp/empty/e/..").unwrap(), [".", "..", "e"]);
        assert_eq!(rename(guest, "/tmp/b", "/home/me/work/b"), Err(Errno::Xdev));
        assert_eq!(rename(guest, "/tmp", "/tmp/x"), Err(Errno::Busy));
        assert_eq!(link(guest, "/tmp/b", "/home/me/work/b"), Err(Errno::Xdev));
    });
}

#[test]
fn hard_links_share_the_file() {
    both(|guest| {
        guest.write_file("/tmp/a", b"a");
        link(guest, "/tmp/a", "/tmp/b").unwrap();
        assert_eq!(guest.stat("/tmp/b", 0), Ok((FILE, 1, 2)));
        guest.write_file("/tmp/b", b"B");
        assert_eq!(guest.read_file("/tmp/a"), Ok(b"B".to_vec()));
        assert_eq!(link(guest, "/tmp/a", "/tmp/b"), Err(Errno::Exist));
        assert_eq!(link(guest, "/tmp", "/tmp/c"), Err(Errno::Perm));
        mkdir(guest, "/tmp/d").unwrap();
        assert_eq!(link(guest, "/tmp/d", "/tmp/c"), Err(Errno::Perm));
        unlink(guest, "/tmp/a").unwrap();
        assert_eq!(guest.stat("/tmp/b", 0), Ok((FILE, 1, 1)));
    });
}

#[test]
fn links_are_followed_also_into_other_file_systems_and_never_out() {
    both(|guest| {
        mkdir(guest, "/tmp/d").unwrap();
        guest.write_file("/tmp/d/file", b"f");
        for (target, name) in [
            ("d/file", "near"),
            ("/lib/python3.13", "far"),
            ("../lib/python3.13/os.pyc", "out"),
            ("/tmp/d", "dir"),
            ("../../../../../..", "up"),
            ("nothing", "dangling"),
            ("loop2", "loop1"),
            ("loop1", "loop2"),
            ("/tmp/far-loop", "far-loop"),
        ] {
            symlink(guest, target, &format!("/tmp/{name}")).unwrap();
        }
        assert_eq!(guest.read_file("/tmp/near"), Ok(b"f".to_vec()));
        assert_eq!(
            guest.read_file("/tmp/far/os.pyc"),
            Ok(b"operating system".to_vec())
        );
        assert_eq!(
            guest.read_file("/tmp/out"),
            Ok(b"operating system".to_vec())
        );
        assert_eq!(guest.read_file("/tmp/dir/file"), Ok(b"f".to_vec()));
        assert_eq!(
            guest.read_file("/tmp/dir/../near"),
            Ok(b"f".to_vec()),
            "`..` behind a link is the target's parent"
        );
        assert_eq!(
            guest.read_file("/tmp/up/lib/python3.13/os.pyc"),
            Ok(b"operating system".to_vec())
        );
        assert_eq!(guest.list("/tmp/up").unwrap(), guest.list("/").unwrap());

        assert_eq!(guest.stat("/tmp/near", 0), Ok((LINK, 6, 1)));
        assert_eq!(guest.stat("/tmp/near", 1), Ok((FILE, 1, 1)));
        assert_eq!(guest.stat("/tmp/far", 0).unwrap().0, LINK);
        assert_eq!(
            guest.stat("/tmp/far/", 0).unwrap().0,
            DIR,
            "the slash asks for the directory"
        );
        assert_eq!(guest.stat("/tmp/near/", 0), Err(Errno::NotDir));
        assert_eq!(readlink(guest, "/tmp/near", 100), Ok("d/file".into()));
        assert_eq!(readlink(guest, "/tmp/near", 3), Ok("d/f".into()));
        assert_eq!(readlink(guest, "/tmp/d/file", 100), Err(Errno::Inval));
        for name in ["loop1", "far-loop", "loop2/x"] {
            assert_eq!(
                guest.open(&format!("/tmp/{name}")),
                Err(Errno::Loop),
                "{name}"
            );
        }
        assert_eq!(guest.stat("/tmp/dangling", 1), Err(Errno::NoEnt));
        assert_eq!(
            guest.open_with(ROOT, "/tmp/dangling", CREATE | EXCLUSIVE, WRITE, 0),
            Err(Errno::Exist)
        );
        guest.write_file("/tmp/dangling", b"made");
        assert_eq!(
            guest.read_file("/tmp/nothing"),
            Ok(b"made".to_vec()),
            "made where the link leads"
        );
        assert_eq!(symlink(guest, "x", "/tmp/near"), Err(Errno::Exist));
        assert_eq!(symlink(guest, "", "/tmp/x"), Err(Errno::NoEnt));

        // Taking a link away takes the link, not what it leads to.
        unlink(guest, "/tmp/dir").unwrap();
        assert_eq!(guest.read_file("/tmp/d/file"), Ok(b"f".to_vec()));
        let (at, len) = guest.path("/tmp/near");
        let out = guest.room(4);
        let opened = call!(guest, path_open(ROOT, 0, at, len, 0, READ, 0, 0, out));
        assert_eq!(opened, Err(Errno::Loop), "a link cannot be opened itself");
    });
}

#[test]
fn mount_points_are_seen_and_cannot_be_removed() {
    both(|guest| {
        assert_eq!(
            guest.list("/").unwrap(),
            [".", "..", "etc", "lib", "dev", "home", "tmp"]
        );
        assert_eq!(guest.list("/home").unwrap(), [".", "..", "me"]);
        assert_eq!(guest.list("/home/me").unwrap(), [".", "..", "work"]);
        assert_eq!(guest.list("/home/me/work").unwrap(), [".", ".."]);
        guest.write_file("/home/me/work/script.py", b"print(1)");
        assert_eq!(
            guest.read_file("/home/me/work/script.py"),
            Ok(b"print(1)".to_vec())
        );
        for point in ["/tmp", "/home", "/home/me", "/home/me/work", "/"] {
            assert_eq!(rmdir(guest, point), Err(Errno::Busy), "{point}");
            let errno = if point == "/" {
                Errno::IsDir
            } else {
                Errno::Busy
            };
            assert_eq!(unlink(guest, point), Err(errno), "{point}");
            assert_eq!(mkdir(guest, point), Err(Errno::Exist), "{point}");
            assert_eq!(rename(guest, point, "/tmp/x"), Err(Errno::Busy), "{point}");
        }
        assert_eq!(guest.create("/home/me/file"), Err(Errno::Rofs));
        assert_eq!(mkdir(guest, "/home/you"), Err(Errno::Rofs));
        assert_eq!(symlink(guest, "x", "/home/you"), Err(Errno::Rofs));
        assert_eq!(mkdir(guest, "/home/you/there"), Err(Errno::NoEnt));
        assert_eq!(guest.open("/home/you"), Err(Errno::NoEnt));
    });
}

#[test]
fn paths_are_relative_to_the_directory_that_is_open() {
    both(|guest| {
        mkdir(guest, "/tmp/a").unwrap();
        guest.write_file("/tmp/a/file", b"f");
        let dir = guest
            .open_with(ROOT, "tmp/./a/", DIRECTORY, READ, 0)
            .unwrap();
        let read = |guest: &mut TestGuest, path: &str| {
            let fd = guest.open_with(dir, path, 0, READ, 0)?;
            guest.read(fd, 100)
        };
        assert_eq!(read(guest, "file"), Ok(b"f".to_vec()));
        assert_eq!(read(guest, "../a/file"), Ok(b"f".to_vec()));
        assert_eq!(
            read(guest, "../../lib/python3.13/os.pyc"),
            Ok(b"operating system".to_vec())
        );
        assert_eq!(
            read(guest, "/lib/python3.13/os.pyc"),
            Ok(b"operating system".to_vec())
        );
        let mut nested = dir;
        for _ in 0..2000 {
            nested = guest.open_with(nested, ".", DIRECTORY, READ, 0).unwrap();
            guest.wasi.fd_close(nested).unwrap_or_default();
            nested = dir;
        }
        let file = guest.open("/tmp/a/file").unwrap();
        assert_eq!(guest.open_with(file, "x", 0, READ, 0), Err(Errno::NotDir));
    });
}

#[test]
fn a_tree_deeper_than_our_stack_comes_apart() {
    use pymode_host::vfs::{FileSystem, MemFs, Mode};
    use pymode_host::{Errno, Platform};
    use std::sync::Arc;

    let platform: Arc<dyn Platform> = Arc::new(common::Still::default());
    let mut fs = MemFs::new(platform, 256 << 20);
    // Nest by moving what there is into a new directory: no path is ever long.
    fs.create_dir(b"top", Mode::DIRECTORY).unwrap();
    for _ in 0..200_000 {
        fs.create_dir(b"next", Mode::DIRECTORY).unwrap();
        fs.rename(b"top", b"next/top").unwrap();
        fs.rename(b"next", b"top").unwrap();
    }
    assert_eq!(fs.remove_dir(b"top"), Err(Errno::NotEmpty.into()));
    drop(fs);
}
