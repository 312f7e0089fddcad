//! Pipes, socket pairs and second numbers of open files.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

mod common;

use common::{TestGuest, both, call};
use pymode_host::Errno;

const PIPE: u32 = 0;
const SOCKETS: u32 = 1;
const NONBLOCK: u32 = 4;

fn pair(guest: &mut TestGuest, kind: u32) -> (u32, u32) {
    let out = guest.room(8);
    call!(guest, fd_pair(kind, out)).unwrap();
    (guest.u32(out), guest.u32(out + 4))
}

fn duplicate(guest: &mut TestGuest, fd: u32, to: u32, exactly: bool) -> Result<u32, Errno> {
    let out = guest.room(4);
    call!(guest, fd_dup(fd, to, exactly.into(), out))?;
    Ok(guest.u32(out))
}

/// Returns the readable bytes and whether the other end is closed. `None` if the file is not ready.
fn ready(guest: &mut TestGuest, fd: u32, kind: u8) -> Option<(u64, bool)> {
    let mut subscriptions = [0; 96];
    subscriptions[8] = kind;
    subscriptions[16..20].copy_from_slice(&fd.to_le_bytes());
    // A time in the past, so that the call does not wait.
    subscriptions[48] = 1;
    subscriptions[64] = 1;
    let at = guest.put(&subscriptions);
    let (events, used) = (guest.room(64), guest.room(4));
    call!(guest, poll_oneoff(at, events, 2, used)).unwrap();
    (guest.u32(used) == 2).then(|| (guest.u64(events + 16), guest.get(events + 24, 1) == [1]))
}

#[test]
fn what_goes_into_a_pipe_comes_out_of_it_until_its_end() {
    both(|guest| {
        let (read, write) = pair(guest, PIPE);
        assert_eq!((read, write), (4, 5), "the lowest numbers that are free");
        assert_eq!(guest.write(write, b"hello"), Ok(5));
        assert_eq!(guest.write(write, b" you"), Ok(4));
        assert_eq!(guest.read(read, 7).unwrap(), b"hello y");
        assert_eq!(guest.write(read, b"x"), Err(Errno::Badf));
        assert_eq!(guest.read(write, 1), Err(Errno::Badf));
        guest.wasi.fd_close(write).unwrap();
        assert_eq!(guest.read(read, 9).unwrap(), b"ou");
        assert_eq!(guest.read(read, 9).unwrap(), b"");
    });
}

#[test]
fn sockets_lead_both_ways_and_are_shut_one_way() {
    both(|guest| {
        let (one, other) = pair(guest, SOCKETS);
        assert_eq!(guest.write(one, b"there"), Ok(5));
        assert_eq!(guest.write(other, b"back"), Ok(4));
        assert_eq!(guest.read(other, 9).unwrap(), b"there");
        assert_eq!(guest.read(one, 9).unwrap(), b"back");
        let at = guest.put(b"sent");
        let (iovs, count) = guest.iovs(&[(at, 4)]);
        let out = guest.room(8);
        call!(guest, sock_send(one, iovs, count, 0, out)).unwrap();
        call!(guest, sock_recv(other, iovs, count, 0, out, out + 4)).unwrap();
        assert_eq!(guest.u32(out), 4);
        guest.wasi.sock_shutdown(one, 2).unwrap();
        assert_eq!(guest.write(one, b"x"), Err(Errno::Pipe));
        assert_eq!(guest.read(other, 9).unwrap(), b"");
        assert_eq!(guest.write(other, b"still"), Ok(5));
        assert_eq!(guest.read(one, 9).unwrap(), b"still");
    });
}

#[test]
fn a_wait_for_itself_fails() {
    both(|guest| {
        let (read, write) = pair(guest, PIPE);
        assert_eq!(guest.read(read, 1), Err(Errno::Deadlk));
        guest.wasi.fd_fdstat_set_flags(read, NONBLOCK).unwrap();
        assert_eq!(guest.read(read, 1), Err(Errno::Again));
        guest.wasi.fd_fdstat_set_flags(write, NONBLOCK).unwrap();
        let much = vec![b'x'; 50_000];
        assert_eq!(guest.write(write, &much), Ok(50_000));
        assert_eq!(guest.write(write, &much), Ok(65_536 - 50_000));
        assert_eq!(guest.write(write, &much[..1]), Err(Errno::Again));
        guest.wasi.fd_fdstat_set_flags(write, 0).unwrap();
        assert_eq!(guest.write(write, &much[..1]), Err(Errno::Deadlk));
        guest.wasi.fd_close(read).unwrap();
        assert_eq!(guest.write(write, &much[..1]), Err(Errno::Pipe));
    });
}

#[test]
fn polling_sees_what_there_is_and_what_has_gone() {
    both(|guest| {
        const READABLE: u8 = 1;
        const WRITABLE: u8 = 2;
        let (one, other) = pair(guest, SOCKETS);
        assert_eq!(ready(guest, other, READABLE), None);
        assert_eq!(ready(guest, one, WRITABLE), Some((0, false)));
        guest.write(one, b"abc").unwrap();
        assert_eq!(ready(guest, other, READABLE), Some((3, false)));
        let full = vec![b'x'; 65_533];
        guest.write(one, &full).unwrap();
        assert_eq!(ready(guest, one, WRITABLE), None);
        guest.wasi.fd_close(other).unwrap();
        assert_eq!(ready(guest, one, WRITABLE), Some((0, false)));
        assert_eq!(ready(guest, one, READABLE), Some((0, true)));
    });
}

#[test]
fn waiting_for_oneself_ends_with_the_time_or_with_an_error() {
    both(|guest| {
        let (one, _other) = pair(guest, SOCKETS);
        let mut subscriptions = [0; 96];
        subscriptions[8] = 1;
        subscriptions[16..20].copy_from_slice(&one.to_le_bytes());
        let at = guest.put(&subscriptions[..48]);
        let (events, used) = (guest.room(64), guest.room(4));
        assert_eq!(
            call!(guest, poll_oneoff(at, events, 1, used)),
            Err(Errno::Deadlk)
        );
        subscriptions[48] = 7;
        subscriptions[64] = 1;
        subscriptions[72..76].copy_from_slice(&5000_u32.to_le_bytes());
        let at = guest.put(&subscriptions);
        call!(guest, poll_oneoff(at, events, 2, used)).unwrap();
        assert_eq!((guest.u32(used), guest.u64(events)), (1, 7));
        assert_eq!(guest.platform.slept.get(), 5000);
    });
}

#[test]
fn a_second_number_shares_the_place_and_the_file_lives_as_long_as_a_number() {
    both(|guest| {
        guest.write_file("tmp/file", b"0123456789");
        let first = guest.open("tmp/file").unwrap();
        let second = duplicate(guest, first, 0, false).unwrap();
        assert_eq!((first, second), (4, 5));
        assert_eq!(guest.read(first, 3).unwrap(), b"012");
        assert_eq!(guest.read(second, 3).unwrap(), b"345");
        guest.wasi.fd_close(first).unwrap();
        assert_eq!(guest.read(first, 1), Err(Errno::Badf));
        assert_eq!(guest.read(second, 3).unwrap(), b"678");
        assert_eq!(duplicate(guest, second, 100, false), Ok(100));
        assert_eq!(duplicate(guest, second, 0, false), Ok(4));
    });
}

#[test]
fn a_number_is_taken_from_another_file() {
    both(|guest| {
        let (read, write) = pair(guest, PIPE);
        assert_eq!(duplicate(guest, write, 1, true), Ok(1));
        assert_eq!(guest.write(1, b"to standard output"), Ok(18));
        assert_eq!(guest.read(read, 18).unwrap(), b"to standard output");
        assert!(guest.out.take().is_empty());
        // What the number stood for is closed: here the last writing end.
        guest.wasi.fd_close(write).unwrap();
        assert_eq!(duplicate(guest, 2, 1, true), Ok(1));
        assert_eq!(guest.read(read, 1).unwrap(), b"");
        assert_eq!(duplicate(guest, 2, 2, true), Ok(2));
        assert_eq!(duplicate(guest, 2, 900, true), Ok(900));
    });
}

#[test]
fn bad_numbers_and_pointers_change_nothing() {
    both(|guest| {
        let out = guest.room(8);
        let end = common::SIZE as u32;
        assert_eq!(call!(guest, fd_pair(2, out)), Err(Errno::Inval));
        assert_eq!(call!(guest, fd_pair(0, end - 7)), Err(Errno::Fault));
        assert_eq!(call!(guest, fd_dup(0, 0, 0, end - 3)), Err(Errno::Fault));
        assert_eq!(duplicate(guest, 99, 0, false), Err(Errno::Badf));
        assert_eq!(duplicate(guest, 99, 1, true), Err(Errno::Badf));
        assert_eq!(duplicate(guest, 0, u32::MAX, true), Err(Errno::Badf));
        assert_eq!(duplicate(guest, 0, u32::MAX, false), Err(Errno::Mfile));
        assert_eq!(pair(guest, PIPE), (4, 5), "no number was lost");
    });
}
