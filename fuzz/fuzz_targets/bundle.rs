#![no_main]

use pymode_bundle::answer::{AnswerEvent, AnswerReader};
use pymode_bundle::program::ProgramRequest;
use pymode_bundle::{BundleSettings, paths, starts, stub, texts, wire};

// Bytes from a guest, a client or a damaged bundle.
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let read = |size| {
        let (mut reader, mut steps, mut body) = (AnswerReader::default(), Vec::new(), Vec::new());
        for mut portion in data.chunks(size) {
            while let Some(step) = reader.next(&mut portion) {
                match step {
                    AnswerEvent::Body(bytes) => body.extend_from_slice(bytes),
                    step => steps.push(format!("{step:?}")),
                }
            }
        }
        (steps, body)
    };
    assert_eq!(read(1), read(7), "the size of portions does not matter");
    if let Ok(settings) = BundleSettings::from_bytes(data) {
        assert_eq!(settings.to_bytes(), data);
    }
    if let Ok(request) = ProgramRequest::from_bytes(data) {
        let again = request.to_bytes();
        assert_eq!(ProgramRequest::from_bytes(&again), Ok(request));
    }
    let mut rest = data;
    while let Ok(Some((_, content))) = wire::take(&mut rest) {
        let _ = wire::pair(content, 0);
    }
    let _ = (stub::parse(data), starts::start(data, 3));
    if let Ok(text) = str::from_utf8(data) {
        let _ = paths::in_the_project(text);
        let _ = texts::pairs(texts::split(text));
    }
});
