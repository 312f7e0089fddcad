//! The guest's `/dev`.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use common::{CREATE, EXCLUSIVE, READ, ROOT, TRUNCATE, WRITE, both, call};
use pymode_host::Errno;

#[test]
fn null_takes_everything_and_gives_nothing() {
    both(|guest| {
        // As `open(os.devnull, "w")` does it.
        let fd = guest
            .open_with(ROOT, "/dev/null", CREATE | TRUNCATE, READ | WRITE, 0)
            .unwrap();
        assert_eq!(guest.write(fd, b"gone"), Ok(4));
        assert_eq!(guest.read(fd, 10), Ok(vec![]));
        assert_eq!(guest.stat("/dev/null", 1).unwrap().0, 2);
    });
}

#[test]
fn no_device_is_taken_for_a_terminal() {
    both(|guest| {
        let fd = guest.open("/dev/null").unwrap();
        let out = guest.room(24);
        call!(guest, fd_fdstat_get(fd, out)).unwrap();
        let (seek, tell) = (1 << 2, 1 << 5);
        assert_eq!(guest.get(out, 1), [2]);
        assert_eq!(
            guest.u64(out + 8) & (seek | tell),
            seek | tell,
            "libc asks for the kind and for the lack of these"
        );
    });
}

#[test]
fn zero_and_random_never_end() {
    both(|guest| {
        let fd = guest.open("/dev/zero").unwrap();
        assert_eq!(guest.read(fd, 40_000).unwrap(), vec![0; 40_000]);
        for name in ["/dev/random", "/dev/urandom"] {
            let fd = guest.open(name).unwrap();
            assert_eq!(guest.read(fd, 3).unwrap(), [1, 2, 3], "the platform's");
        }
    });
}

#[test]
fn the_directory_is_as_it_is() {
    both(|guest| {
        assert_eq!(
            guest.list("/dev").unwrap(),
            [".", "..", "null", "random", "urandom", "zero"]
        );
        assert_eq!(guest.open("/dev/tty"), Err(Errno::NoEnt));
        assert_eq!(guest.open("/dev/null/x"), Err(Errno::NotDir));
        assert_eq!(guest.create("/dev/new"), Err(Errno::Rofs));
        assert_eq!(
            guest.open_with(ROOT, "/dev/null", CREATE | EXCLUSIVE, WRITE, 0),
            Err(Errno::Exist)
        );
        assert_eq!(
            guest.open_with(ROOT, "/dev", 0, READ | WRITE, 0),
            Err(Errno::IsDir)
        );
        let (at, len) = guest.path("/dev/null");
        assert_eq!(
            call!(guest, path_unlink_file(ROOT, at, len)),
            Err(Errno::Rofs)
        );
    });
}
