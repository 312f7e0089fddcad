//! Arguments of `dl_*` from the guest.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use common::{Memory, SIZE, both};
use pymode_host::Errno;
use pymode_host::dl::{BadText, text, write_addr};

#[test]
fn a_text_is_read_or_the_reason_says_why_not() {
    both(|guest| {
        let at = guest.put("/lib/größe.wasm".as_bytes());
        let bad = guest.put(b"\xff\xfe");
        let read = |at, len| match &mut guest.memory {
            Memory::Slice(bytes) => text(&&mut bytes[..], "dl_open", at, len),
            Memory::Remote(remote) => text(remote, "dl_open", at, len),
        };
        let call = "dl_open";
        let end = SIZE as u32;
        let mut read = read;
        assert_eq!(read(at, 17).as_deref(), Ok("/lib/größe.wasm"));
        assert_eq!(read(at, 0).as_deref(), Ok(""));
        assert_eq!(read(bad, 2), Err(BadText::NotUtf8 { call }));
        assert_eq!(
            read(end - 1, 2),
            Err(BadText::Outside {
                call,
                at: end - 1,
                len: 2
            })
        );
        assert_eq!(
            read(u32::MAX, u32::MAX),
            Err(BadText::Outside {
                call,
                at: u32::MAX,
                len: u32::MAX
            })
        );
        assert_eq!(
            read(0, 1 << 17),
            Err(BadText::TooLong { call, len: 1 << 17 })
        );
        assert!(
            read(end - 1, 2)
                .unwrap_err()
                .to_string()
                .contains("outside of the program's memory")
        );
    });
}

#[test]
fn what_dladdr_says_is_written_if_there_is_room() {
    both(|guest| {
        let words = guest.put(&[0xff; 8]);
        let buffer = guest.put(&[0xff; 8]);
        let end = SIZE as u32;
        let text = b"/a\0f";
        let write = |guest: &mut common::TestGuest, base, at, room| {
            let to = [(base, 7), (words + 4, 9)];
            write_addr(&mut *guest.memory(), to, text, at, room)
        };
        // Too long: nothing is written.
        assert_eq!(write(guest, words, buffer, 3), Ok(4));
        assert_eq!(write(guest, end, buffer, 8), Err(Errno::Fault));
        assert_eq!(write(guest, words, end - 2, 8), Err(Errno::Fault));
        assert_eq!(guest.get(buffer, 8), [0xff; 8]);
        assert_eq!(write(guest, words, buffer, 4), Ok(4));
        assert_eq!(guest.get(buffer, 5), b"/a\0f\xff");
        assert_eq!(guest.get(words, 8), [7, 0, 0, 0, 9, 0, 0, 0]);
    });
}
