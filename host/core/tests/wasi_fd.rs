//! `fd_*`: descriptors, reading, writing, seeking, listing.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use common::{CREATE, DIRECTORY, READ, ROOT, SIZE, TRUNCATE, TestGuest, WRITE, both, call};
use pymode_host::Errno;

#[test]
fn reading_goes_on_where_it_stopped_and_pread_does_not_move() {
    both(|guest| {
        let fd = guest.open("/lib/python3.13/os.pyc").unwrap();
        assert_eq!(guest.read(fd, 9).unwrap(), b"operating");
        let at = guest.room(6);
        let (iovs, count) = guest.iovs(&[(at, 6)]);
        let out = guest.room(4);
        call!(guest, fd_pread(fd, iovs, count, 10, out)).unwrap();
        assert_eq!((guest.u32(out), guest.get(at, 6)), (6, b"system".to_vec()));
        assert_eq!(guest.read(fd, 100).unwrap(), b" system");
        assert_eq!(guest.read(fd, 100).unwrap(), b"");
    });
}

#[test]
fn several_buffers_are_filled_in_order() {
    both(|guest| {
        let fd = guest.open("/lib/python3.13/os.pyc").unwrap();
        let (a, b, c) = (guest.room(4), guest.room(5), guest.room(100));
        let (iovs, count) = guest.iovs(&[(a, 4), (0, 0), (b, 5), (c, 100)]);
        let out = guest.room(4);
        call!(guest, fd_read(fd, iovs, count, out)).unwrap();
        assert_eq!(guest.u32(out), 16);
        assert_eq!(
            (guest.get(a, 4), guest.get(b, 5), guest.get(c, 7)),
            (b"oper".to_vec(), b"ating".to_vec(), b" system".to_vec())
        );
    });
}

#[test]
fn a_file_larger_than_any_buffer_of_ours_arrives_whole() {
    both(|guest| {
        let fd = guest.open("/lib/big").unwrap();
        let bytes = guest.read(fd, 100_001).unwrap();
        assert_eq!(bytes.len(), 100_000);
        assert!(
            bytes
                .iter()
                .zip(0_u32..)
                .all(|(byte, number)| u32::from(*byte) == number % 251)
        );
    });
}

#[test]
fn what_is_written_is_read_and_a_gap_is_zeros() {
    both(|guest| {
        let fd = guest.create("/tmp/file").unwrap();
        let long: Vec<u8> = (0..40_000_u32).map(|number| number as u8).collect();
        assert_eq!(guest.write(fd, &long), Ok(40_000));
        assert_eq!(seek(guest, fd, 40_005, 0), Ok(40_005));
        assert_eq!(guest.write(fd, b"end"), Ok(3));
        assert_eq!(seek(guest, fd, -8, 2), Ok(40_000));
        assert_eq!(guest.read(fd, 100).unwrap(), b"\0\0\0\0\0end");
        assert_eq!(seek(guest, fd, 0, 0), Ok(0));
        assert_eq!(guest.read(fd, 40_000).unwrap(), long);
        assert_eq!(guest.stat("/tmp/file", 0), Ok((4, 40_008, 1)));

        let (at, len) = (guest.put(b"XY"), 2);
        let (iovs, count) = guest.iovs(&[(at, len)]);
        let out = guest.room(4);
        call!(guest, fd_pwrite(fd, iovs, count, 1, out)).unwrap();
        assert_eq!(seek(guest, fd, 0, 1), Ok(40_000), "pwrite does not move");
        seek(guest, fd, 0, 0).unwrap();
        assert_eq!(guest.read(fd, 4).unwrap(), b"\0XY\x03");
    });
}

fn seek(guest: &mut TestGuest, fd: u32, offset: i64, whence: u32) -> Result<u64, Errno> {
    let out = guest.room(8);
    call!(guest, fd_seek(fd, offset.cast_unsigned(), whence, out))?;
    let position = guest.room(8);
    call!(guest, fd_tell(fd, position))?;
    assert_eq!(guest.u64(out), guest.u64(position));
    Ok(guest.u64(out))
}

#[test]
fn seeking_has_its_limits() {
    both(|guest| {
        let fd = guest.open("/lib/big").unwrap();
        assert_eq!(seek(guest, fd, -1, 0), Err(Errno::Inval));
        assert_eq!(seek(guest, fd, 0, 3), Err(Errno::Inval));
        assert_eq!(seek(guest, fd, i64::MAX, 0), Ok(i64::MAX as u64));
        assert_eq!(
            guest.read(fd, 10).unwrap(),
            b"",
            "there is nothing behind the end"
        );
        assert_eq!(
            seek(guest, fd, 1, 1),
            Err(Errno::Inval),
            "more than a signed offset can say"
        );
        assert_eq!(seek(guest, fd, i64::MIN, 1), Err(Errno::Inval));
        assert_eq!(seek(guest, 0, 0, 0), Err(Errno::Spipe));
        assert_eq!(seek(guest, ROOT, 0, 0), Err(Errno::Badf));
        assert_eq!(seek(guest, 99, 0, 0), Err(Errno::Badf));
    });
}

#[test]
fn appending_writes_at_the_end_whatever_the_place() {
    both(|guest| {
        guest.write_file("/tmp/log", b"one ");
        let fd = guest
            .open_with(ROOT, "/tmp/log", 0, READ | WRITE, 1)
            .unwrap();
        assert_eq!(seek(guest, fd, 0, 0), Ok(0));
        guest.write(fd, b"two").unwrap();
        assert_eq!(guest.read_file("/tmp/log").unwrap(), b"one two");
        guest.wasi.fd_fdstat_set_flags(fd, 0).unwrap();
        seek(guest, fd, 0, 0).unwrap();
        guest.write(fd, b"ONE").unwrap();
        assert_eq!(guest.read_file("/tmp/log").unwrap(), b"ONE two");
        assert_eq!(
            guest.wasi.fd_fdstat_set_flags(fd, 1 << 5),
            Err(Errno::Inval)
        );
    });
}

#[test]
fn what_was_opened_for_reading_is_not_written_and_the_reverse() {
    both(|guest| {
        guest.write_file("/tmp/file", b"content");
        let reading = guest.open("/tmp/file").unwrap();
        assert_eq!(guest.write(reading, b"x"), Err(Errno::Badf));
        assert_eq!(
            guest.wasi.fd_filestat_set_size(reading, 0),
            Err(Errno::Inval)
        );
        assert_eq!(guest.wasi.fd_allocate(reading, 0, 100), Err(Errno::Badf));
        let writing = guest.open_with(ROOT, "/tmp/file", 0, WRITE, 0).unwrap();
        assert_eq!(guest.read(writing, 1), Err(Errno::Badf));
        assert_eq!(guest.write(0, b"x"), Err(Errno::Badf), "standard input");
        assert_eq!(guest.read(1, 1), Err(Errno::Badf), "standard output");
        assert_eq!(guest.read(ROOT, 1), Err(Errno::IsDir));
        assert_eq!(guest.read(77, 1), Err(Errno::Badf));
    });
}

#[test]
fn sizes_are_set_and_the_room_in_memory_is_limited() {
    both(|guest| {
        let fd = guest.create("/tmp/file").unwrap();
        guest.wasi.fd_filestat_set_size(fd, 10).unwrap();
        assert_eq!(guest.read(fd, 100).unwrap(), [0; 10]);
        guest.wasi.fd_allocate(fd, 5, 10).unwrap();
        assert_eq!(guest.stat("/tmp/file", 0).unwrap().1, 15);
        guest.wasi.fd_allocate(fd, 0, 3).unwrap();
        assert_eq!(guest.stat("/tmp/file", 0).unwrap().1, 15, "never shorter");
        assert_eq!(guest.wasi.fd_allocate(fd, 0, 0), Err(Errno::Inval));
        for size in [1 << 21, 1 << 40, u64::MAX] {
            assert_eq!(
                guest.wasi.fd_filestat_set_size(fd, size),
                Err(Errno::NoSpc),
                "{size}"
            );
        }
        assert_eq!(guest.wasi.fd_allocate(fd, u64::MAX, 2), Err(Errno::Fbig));
        // The room that a file took comes back when it is gone.
        for _ in 0..10 {
            guest.wasi.fd_filestat_set_size(fd, 900_000).unwrap();
            guest.wasi.fd_filestat_set_size(fd, 0).unwrap();
        }
        for _ in 0..10 {
            let big = guest.create("/tmp/big").unwrap();
            guest.wasi.fd_filestat_set_size(big, 900_000).unwrap();
            let (at, len) = guest.path("/tmp/big");
            call!(guest, path_unlink_file(ROOT, at, len)).unwrap();
            guest.wasi.fd_close(big).unwrap();
        }
        let far = u64::MAX - 1;
        let (iovs, count) = {
            let at = guest.put(b"abc");
            guest.iovs(&[(at, 3)])
        };
        let out = guest.room(4);
        assert_eq!(
            call!(guest, fd_pwrite(fd, iovs, count, far, out)),
            Err(Errno::Fbig)
        );
    });
}

#[test]
fn standard_streams_stream() {
    both(|guest| {
        assert_eq!(guest.read(0, 5).unwrap(), b"line ");
        assert_eq!(guest.read(0, 100).unwrap(), b"one\nline two\n");
        assert_eq!(guest.read(0, 100).unwrap(), b"");
        assert_eq!(guest.write(1, b"hello "), Ok(6));
        assert_eq!(guest.write(1, b"world"), Ok(5));
        assert_eq!(guest.out.take(), b"hello world");
        let out = guest.room(64);
        call!(guest, fd_filestat_get(1, out)).unwrap();
        assert_eq!(guest.get(out + 16, 1), [0], "no terminal");
        assert_eq!(guest.wasi.fd_sync(1), Err(Errno::Inval));
        assert_eq!(guest.wasi.fd_advise(1, 0, 0, 0), Err(Errno::Spipe));
    });
}

#[test]
fn fdstat_tells_kind_flags_and_what_it_is_open_for() {
    both(|guest| {
        let stat = |guest: &mut TestGuest, fd| {
            let out = guest.room(24);
            call!(guest, fd_fdstat_get(fd, out)).map(|()| {
                let bytes = guest.get(out, 24);
                let rights = u64::from_le_bytes(bytes[8..16].try_into().unwrap());
                (bytes[0], bytes[2], rights & READ != 0, rights & WRITE != 0)
            })
        };
        assert_eq!(stat(guest, 0), Ok((0, 0, true, false)));
        assert_eq!(stat(guest, 1), Ok((0, 0, false, true)));
        assert_eq!(stat(guest, ROOT).unwrap().0, 3);
        let file = guest
            .open_with(ROOT, "/tmp/x", CREATE, READ | WRITE, 1)
            .unwrap();
        assert_eq!(stat(guest, file), Ok((4, 1, true, true)));
        let file = guest.open("/tmp/x").unwrap();
        assert_eq!(stat(guest, file), Ok((4, 0, true, false)));
        assert_eq!(stat(guest, 50), Err(Errno::Badf));
        assert_eq!(guest.wasi.fd_fdstat_set_rights(file, 0, 0), Ok(()));
        assert_eq!(guest.wasi.fd_fdstat_set_rights(50, 0, 0), Err(Errno::Badf));
    });
}

#[test]
fn the_lowest_free_number_is_given_and_closed_ones_are_bad() {
    both(|guest| {
        let first = guest.open("/lib/big").unwrap();
        let second = guest.open("/lib/big").unwrap();
        assert_eq!((first, second), (4, 5));
        guest.wasi.fd_close(first).unwrap();
        assert_eq!(guest.wasi.fd_close(first), Err(Errno::Badf));
        assert_eq!(guest.open("/lib").unwrap(), first);
        guest.wasi.fd_renumber(second, first).unwrap();
        assert_eq!(guest.read(first, 3).unwrap(), [0, 1, 2]);
        assert_eq!(guest.wasi.fd_close(second), Err(Errno::Badf));
        assert_eq!(guest.wasi.fd_renumber(first, 4000), Err(Errno::Badf));
        assert_eq!(guest.wasi.fd_renumber(4000, first), Err(Errno::Badf));
        guest.wasi.fd_renumber(first, first).unwrap();
        assert_eq!(guest.read(first, 1).unwrap(), [3]);
    });
}

#[test]
fn the_root_is_what_libc_finds() {
    both(|guest| {
        let out = guest.room(8);
        call!(guest, fd_prestat_get(ROOT, out)).unwrap();
        assert_eq!((guest.u32(out), guest.u32(out + 4)), (0, 1));
        let name = guest.room(4);
        call!(guest, fd_prestat_dir_name(ROOT, name, 1)).unwrap();
        assert_eq!(guest.get(name, 2), b"/\xAA");
        assert_eq!(
            call!(guest, fd_prestat_dir_name(ROOT, name, 0)),
            Err(Errno::NameTooLong)
        );
        assert_eq!(call!(guest, fd_prestat_get(4, out)), Err(Errno::Badf));
        let directory = guest.open("/lib").unwrap();
        assert_eq!(
            call!(guest, fd_prestat_get(directory, out)),
            Err(Errno::Badf)
        );
    });
}

#[test]
fn a_listing_read_in_small_pieces_is_complete() {
    both(|guest| {
        for number in 0..30 {
            guest.write_file(&format!("/tmp/name{number:02}"), b"");
        }
        let fd = guest.open_with(ROOT, "/tmp", DIRECTORY, READ, 0).unwrap();
        let (buffer, used) = (guest.room(100), guest.room(4));
        let (mut names, mut cookie) = (Vec::new(), 0);
        loop {
            call!(guest, fd_readdir(fd, buffer, 100, cookie, used)).unwrap();
            let used = guest.u32(used);
            let mut at = 0;
            while at + 24 <= used {
                let len = guest.u32(buffer + at + 16);
                if at + 24 + len > used {
                    break;
                }
                assert_ne!(
                    guest.u64(buffer + at + 8),
                    0,
                    "inode 0 makes libc ask again"
                );
                cookie = guest.u64(buffer + at);
                names.push(String::from_utf8(guest.get(buffer + at + 24, len)).unwrap());
                at += 24 + len;
            }
            // Changes while it is read do not show.
            guest.write_file("/tmp/aaa", b"");
            if used < 100 {
                break;
            }
        }
        let expected: Vec<_> = [".".into(), "..".into()]
            .into_iter()
            .chain((0..30).map(|number| format!("name{number:02}")))
            .collect();
        assert_eq!(names, expected);
        assert_eq!(guest.list("/tmp").unwrap().len(), 33);
        assert_eq!(
            call!(guest, fd_readdir(0, buffer, 100, 0, used)),
            Err(Errno::NotDir)
        );
        call!(guest, fd_readdir(fd, buffer, 100, u64::MAX, used)).unwrap();
        assert_eq!(guest.u32(used), 0);
    });
}

#[test]
fn truncating_happens_on_open_only_when_asked() {
    both(|guest| {
        guest.write_file("/tmp/file", b"content");
        guest
            .open_with(ROOT, "/tmp/file", CREATE, WRITE, 0)
            .unwrap();
        assert_eq!(guest.read_file("/tmp/file").unwrap(), b"content");
        guest
            .open_with(ROOT, "/tmp/file", CREATE | TRUNCATE, WRITE, 0)
            .unwrap();
        assert_eq!(guest.read_file("/tmp/file").unwrap(), b"");
    });
}

#[test]
fn times_are_kept_and_set() {
    both(|guest| {
        guest.platform.now.set(5);
        let fd = guest.create("/tmp/file").unwrap();
        let times = |guest: &mut TestGuest| {
            let out = guest.room(64);
            call!(guest, fd_filestat_get(fd, out)).unwrap();
            (
                guest.u64(out + 40),
                guest.u64(out + 48),
                guest.u64(out + 56),
            )
        };
        let base = 1_000_000_000_000;
        assert_eq!(times(guest), (base + 5, base + 5, base + 5));
        guest.platform.now.set(9);
        guest.write(fd, b"x").unwrap();
        assert_eq!(times(guest), (base + 5, base + 9, base + 9));
        guest.platform.now.set(11);
        guest.wasi.fd_filestat_set_times(fd, 1, 2, 0b0101).unwrap();
        assert_eq!(times(guest), (1, 2, base + 11));
        guest.wasi.fd_filestat_set_times(fd, 7, 7, 0b1000).unwrap();
        assert_eq!(times(guest), (1, base + 11, base + 11));
        for flags in [0b0011, 0b1100, 0b1_0000] {
            assert_eq!(
                guest.wasi.fd_filestat_set_times(fd, 0, 0, flags),
                Err(Errno::Inval),
                "{flags:b}"
            );
        }
        let image = guest.open("/lib/big").unwrap();
        assert_eq!(
            guest.wasi.fd_filestat_set_times(image, 0, 0, 0b0101),
            Err(Errno::Rofs)
        );
        assert_eq!(
            guest.wasi.fd_filestat_set_times(0, 0, 0, 0b0101),
            Err(Errno::Inval)
        );
    });
}

#[test]
fn bad_pointers_are_faults_and_nothing_is_half_done() {
    both(|guest| {
        let fd = guest.create("/tmp/file").unwrap();
        let end = SIZE as u32;
        let good = guest.put(b"good");
        let out = guest.room(4);
        for (iovs, count) in [
            (end, 1),
            (end - 7, 1),
            (u32::MAX, 1),
            (u32::MAX - 7, 1),
            (0, u32::MAX),
            (good, u32::MAX / 8),
        ] {
            assert_eq!(
                call!(guest, fd_write(fd, iovs, count, out)),
                Err(Errno::Fault),
                "{iovs} {count}"
            );
            assert_eq!(
                call!(guest, fd_read(fd, iovs, count, out)),
                Err(Errno::Fault),
                "{iovs} {count}"
            );
        }
        for buffer in [
            (end - 1, 2),
            (u32::MAX, 1),
            (u32::MAX - 1, 4),
            (0, u32::MAX),
        ] {
            let (iovs, count) = guest.iovs(&[buffer]);
            assert_eq!(
                call!(guest, fd_write(fd, iovs, count, out)),
                Err(Errno::Fault),
                "{buffer:?}"
            );
            assert_eq!(
                call!(guest, fd_read(0, iovs, count, out)),
                Err(Errno::Fault),
                "{buffer:?}"
            );
        }
        let (iovs, count) = guest.iovs(&[(good, 4)]);
        assert_eq!(
            call!(guest, fd_write(fd, iovs, count, end - 3)),
            Err(Errno::Fault)
        );
        assert_eq!(
            guest.stat("/tmp/file", 0).unwrap().1,
            0,
            "the result's address is checked before the bytes are written"
        );
        // What was moved before the bad buffer counts.
        let (iovs, count) = guest.iovs(&[(good, 4), (end, 4)]);
        assert_eq!(call!(guest, fd_write(fd, iovs, count, out)), Ok(()));
        assert_eq!(guest.u32(out), 4);
        for at in [end - 63, u32::MAX] {
            assert_eq!(call!(guest, fd_filestat_get(fd, at)), Err(Errno::Fault));
            assert_eq!(
                call!(guest, fd_fdstat_get(fd, at.max(end - 23))),
                Err(Errno::Fault)
            );
            assert_eq!(
                call!(guest, fd_prestat_get(ROOT, at.max(end - 7))),
                Err(Errno::Fault)
            );
        }
    });
}
