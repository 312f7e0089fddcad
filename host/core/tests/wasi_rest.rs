//! Arguments, environment, clocks, randomness, polling, exit, sockets.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use common::{READ, ROOT, SIZE, TestGuest, both, call};
use pymode_host::Errno;
use pymode_host::wasi::Exit;

#[test]
fn arguments_arrive_with_a_nul_behind_each() {
    both(|guest| {
        for arg in ["python", "", "-c"] {
            guest.wasi.arg(arg).unwrap();
        }
        assert_eq!(guest.wasi.arg("a\0b"), Err(Errno::Inval));
        let (count, size) = (guest.room(4), guest.room(4));
        call!(guest, args_sizes_get(count, size)).unwrap();
        assert_eq!((guest.u32(count), guest.u32(size)), (3, 11));
        let (argv, buffer) = (guest.room(12), guest.room(16));
        call!(guest, args_get(argv, buffer)).unwrap();
        assert_eq!(guest.get(buffer, 12), b"python\0\0-c\0\xAA");
        assert_eq!([0, 4, 8].map(|at| guest.u32(argv + at) - buffer), [0, 7, 8]);
        assert_eq!(
            call!(guest, args_get(argv, SIZE as u32 - 5)),
            Err(Errno::Fault)
        );
        assert_eq!(
            call!(guest, args_get(SIZE as u32 - 4, buffer)),
            Err(Errno::Fault)
        );
        assert_eq!(
            call!(guest, args_get(u32::MAX - 3, buffer)),
            Err(Errno::Fault)
        );
        assert_eq!(
            call!(guest, args_sizes_get(count, SIZE as u32)),
            Err(Errno::Fault)
        );
    });
}

#[test]
fn the_environment_has_each_name_once() {
    both(|guest| {
        guest.wasi.env(b"A", b"1").unwrap();
        guest.wasi.env(b"AB", b"x=y").unwrap();
        guest.wasi.env(b"A", b"2").unwrap();
        for (name, value) in [
            (&b""[..], &b"x"[..]),
            (b"a=b", b""),
            (b"a", b"\0"),
            (b"\0", b""),
        ] {
            assert_eq!(guest.wasi.env(name, value), Err(Errno::Inval));
        }
        let (count, size) = (guest.room(4), guest.room(4));
        call!(guest, environ_sizes_get(count, size)).unwrap();
        assert_eq!((guest.u32(count), guest.u32(size)), (2, 11));
        let (environ, buffer) = (guest.room(8), guest.room(11));
        call!(guest, environ_get(environ, buffer)).unwrap();
        assert_eq!(guest.get(buffer, 11), b"A=2\0AB=x=y\0");
    });
}

#[test]
fn clocks_tell_the_platforms_time() {
    both(|guest| {
        guest.platform.now.set(42);
        let out = guest.room(8);
        call!(guest, clock_time_get(1, 0, out)).unwrap();
        assert_eq!(guest.u64(out), 42);
        call!(guest, clock_time_get(0, 1, out)).unwrap();
        assert_eq!(guest.u64(out), 1_000_000_000_042);
        call!(guest, clock_res_get(0, out)).unwrap();
        assert_eq!(guest.u64(out), 7);
        assert_eq!(call!(guest, clock_time_get(2, 0, out)), Err(Errno::NotSup));
        assert_eq!(call!(guest, clock_time_get(4, 0, out)), Err(Errno::Inval));
        assert_eq!(call!(guest, clock_res_get(9, out)), Err(Errno::Inval));
        assert_eq!(
            call!(guest, clock_time_get(0, 0, SIZE as u32 - 7)),
            Err(Errno::Fault)
        );
    });
}

#[test]
fn randomness_fills_exactly_the_buffer() {
    both(|guest| {
        let at = guest.room(10_008);
        call!(guest, random_get(at + 4, 10_000)).unwrap();
        let bytes = guest.get(at, 10_008);
        assert_eq!(
            (&bytes[..4], &bytes[10_004..]),
            (&[0xAA; 4][..], &[0xAA; 4][..])
        );
        assert!(
            bytes[4..10_004]
                .iter()
                .all(|byte| (1..=250).contains(byte) || *byte != 0)
        );
        assert!(!bytes[4..10_004].contains(&0));
        assert_eq!(
            call!(guest, random_get(SIZE as u32 - 1, 2)),
            Err(Errno::Fault)
        );
        assert_eq!(call!(guest, random_get(0, u32::MAX)), Err(Errno::Fault));
        assert_eq!(call!(guest, random_get(0, 0)), Ok(()));
    });
}

/// A subscription: 48 bytes.
fn subscription(userdata: u64, kind: u8, number: u32, time: u64, flags: u16) -> [u8; 48] {
    let mut bytes = [0; 48];
    bytes[0..8].copy_from_slice(&userdata.to_le_bytes());
    bytes[8] = kind;
    bytes[16..20].copy_from_slice(&number.to_le_bytes());
    bytes[24..32].copy_from_slice(&time.to_le_bytes());
    bytes[40..42].copy_from_slice(&flags.to_le_bytes());
    bytes
}

/// Polls; each event's userdata, error, kind, bytes.
fn poll(
    guest: &mut TestGuest,
    subscriptions: &[[u8; 48]],
) -> Result<Vec<(u64, u16, u8, u64)>, Errno> {
    let at = guest.put(&subscriptions.concat());
    let events = guest.room(subscriptions.len() as u32 * 32);
    let used = guest.room(4);
    call!(
        guest,
        poll_oneoff(at, events, subscriptions.len() as u32, used)
    )?;
    Ok((0..guest.u32(used))
        .map(|number| {
            let event = guest.get(events + number * 32, 32);
            (
                u64::from_le_bytes(event[0..8].try_into().unwrap()),
                u16::from_le_bytes([event[8], event[9]]),
                event[10],
                u64::from_le_bytes(event[16..24].try_into().unwrap()),
            )
        })
        .collect())
}

const MONOTONIC: u32 = 1;

#[test]
fn sleeping_takes_its_time_and_wakes_once() {
    both(|guest| {
        assert_eq!(
            poll(guest, &[subscription(5, 0, MONOTONIC, 1000, 0)]),
            Ok(vec![(5, 0, 0, 0)])
        );
        assert_eq!(guest.platform.slept.get(), 1000);
        // The first of two; then an absolute time, then one that has passed.
        let two = [
            subscription(1, 0, MONOTONIC, 900, 0),
            subscription(2, 0, MONOTONIC, 300, 0),
        ];
        assert_eq!(poll(guest, &two), Ok(vec![(2, 0, 0, 0)]));
        assert_eq!(guest.platform.now.get(), 1300);
        assert_eq!(
            poll(guest, &[subscription(3, 0, MONOTONIC, 1500, 1)]),
            Ok(vec![(3, 0, 0, 0)])
        );
        assert_eq!(guest.platform.now.get(), 1500);
        assert_eq!(
            poll(guest, &[subscription(3, 0, MONOTONIC, 10, 1)]),
            Ok(vec![(3, 0, 0, 0)])
        );
        assert_eq!(guest.platform.now.get(), 1500);
    });
}

#[test]
fn files_are_ready_and_what_is_wrong_is_an_event() {
    both(|guest| {
        let file = guest.open("/lib/big").unwrap();
        guest.read(file, 10).unwrap();
        let asked = [
            subscription(1, 1, file, 0, 0),
            subscription(2, 1, 0, 0, 0),
            subscription(3, 2, 1, 0, 0),
            subscription(4, 1, 99, 0, 0),
            subscription(5, 0, 77, 0, 0),
            subscription(6, 9, 0, 0, 0),
            subscription(7, 0, MONOTONIC, 1 << 40, 0),
        ];
        let expected = vec![
            (1, 0, 1, 99_990),
            (2, 0, 1, 18),
            (3, 0, 2, 0),
            (4, Errno::Badf.number(), 1, 0),
            (5, Errno::Inval.number(), 0, 0),
            (6, Errno::Inval.number(), 9, 0),
        ];
        assert_eq!(poll(guest, &asked), Ok(expected));
        assert_eq!(guest.platform.slept.get(), 0);
        assert_eq!(poll(guest, &[]), Err(Errno::Inval));
    });
}

#[test]
fn polling_with_bad_pointers_is_a_fault() {
    both(|guest| {
        let at = guest.put(&subscription(1, 0, MONOTONIC, 1000, 0));
        let (events, used) = (guest.room(32), guest.room(4));
        let end = SIZE as u32;
        assert_eq!(
            call!(guest, poll_oneoff(end - 47, events, 1, used)),
            Err(Errno::Fault)
        );
        assert_eq!(
            call!(guest, poll_oneoff(at, end - 31, 1, used)),
            Err(Errno::Fault)
        );
        assert_eq!(
            call!(guest, poll_oneoff(at, events, 1, end - 3)),
            Err(Errno::Fault)
        );
        assert_eq!(
            call!(guest, poll_oneoff(at, events, u32::MAX, used)),
            Err(Errno::Fault)
        );
        assert_eq!(guest.platform.slept.get(), 0, "nobody slept for a fault");
    });
}

#[test]
fn the_process_exits_and_knows_no_signals() {
    both(|guest| {
        assert_eq!(guest.wasi.proc_exit(7), Exit { code: 7 });
        assert_eq!(guest.wasi.proc_raise(9), Err(Errno::NoSys));
        assert_eq!(guest.wasi.sched_yield(), Ok(()));
    });
}

#[test]
fn nothing_here_is_a_socket() {
    both(|guest| {
        let file = guest.open_with(ROOT, "/lib/big", 0, READ, 0).unwrap();
        let at = guest.room(16);
        for (fd, errno) in [
            (0, Errno::NotSock),
            (ROOT, Errno::NotSock),
            (file, Errno::NotSock),
            (99, Errno::Badf),
        ] {
            assert_eq!(guest.wasi.sock_accept(fd, 0, at), Err(errno));
            assert_eq!(call!(guest, sock_recv(fd, at, 1, 0, at, at)), Err(errno));
            assert_eq!(call!(guest, sock_send(fd, at, 1, 0, at)), Err(errno));
            assert_eq!(guest.wasi.sock_shutdown(fd, 3), Err(errno));
        }
    });
}

#[test]
fn every_function_of_wasi_is_in_the_list_once() {
    macro_rules! names {
        ($($kind:ident fn $name:ident($($param:ident: $type:ty),*);)*) => { [$(stringify!($name)),*] };
    }
    let names = pymode_host::wasi_functions!(names);
    // `proc_exit` is the forty-sixth.
    assert_eq!(names.len(), 45);
    assert!(names.is_sorted());
}
