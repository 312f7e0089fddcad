//! What the guest hands to `dl_*`.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use common::{Memory, SIZE, both};
use pymode_host::dl::{BadText, text};

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
