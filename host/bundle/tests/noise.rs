//! Random bytes from a guest, a client or a damaged bundle: no parser panics, and the size of portions does not matter.

use pymode_bundle::answer::{AnswerEvent, AnswerReader};
use pymode_bundle::program::ProgramRequest;
use pymode_bundle::{BundleSettings, paths, pieces, starts, stub, texts, wire};

/// Reproducible noise (xorshift).
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }

    /// Returns `good` with some bytes changed, removed or added.
    fn damaged(&mut self, good: &[u8]) -> Vec<u8> {
        let mut bytes = good.to_vec();
        for _ in 0..self.below(4) {
            let at = self.below(bytes.len() + 1);
            match self.below(3) {
                0 => bytes.truncate(at),
                1 => bytes.insert(at, self.next() as u8),
                _ => {
                    if let Some(byte) = bytes.get_mut(at) {
                        *byte = self.next() as u8;
                    }
                }
            }
        }
        bytes
    }
}

/// Reads an answer in portions of `size`: its events, and its body.
fn steps(answer: &[u8], size: usize) -> (Vec<String>, Vec<u8>) {
    let (mut reader, mut steps, mut body) = (AnswerReader::default(), Vec::new(), Vec::new());
    for mut portion in answer.chunks(size.max(1)) {
        while let Some(step) = reader.next(&mut portion) {
            match step {
                AnswerEvent::Body(bytes) => body.extend_from_slice(bytes),
                step => steps.push(format!("{step:?}")),
            }
        }
        assert!(portion.is_empty(), "all is taken");
    }
    (steps, body)
}

#[test]
fn an_answer_has_the_same_steps_in_portions_of_any_size() {
    let good = [
        pieces::piece("200\0a\0b\0content-type\0text/plain".as_bytes()),
        pieces::piece(b"some"),
        pieces::piece(b"text"),
        pieces::piece(b""),
    ]
    .concat();
    let mut noise = Noise(7);
    for _ in 0..20_000 {
        let answer = noise.damaged(&good);
        let whole = steps(&answer, answer.len());
        assert_eq!(steps(&answer, noise.below(9) + 1), whole, "{answer:?}");
    }
}

#[test]
fn settings_are_refused_or_come_back_as_they_are() {
    let good = BundleSettings {
        name: "python.wasm".into(),
        environment: Vec::from([("A".into(), "b".into())]),
        notes: "notes".into(),
        ..BundleSettings::default()
    }
    .to_bytes();
    let mut noise = Noise(11);
    for _ in 0..20_000 {
        let bytes = noise.damaged(&good);
        if let Ok(settings) = BundleSettings::from_bytes(&bytes) {
            assert_eq!(settings.to_bytes(), bytes);
        }
    }
}

#[test]
fn frames_end_or_are_refused() {
    let mut good = Vec::new();
    for content in [&b"text"[..], b"", b"path\0content"] {
        wire::put(&mut good, wire::FrameKind::File, &[content]);
    }
    let mut noise = Noise(13);
    for _ in 0..20_000 {
        let bytes = noise.damaged(&good);
        let mut rest = &bytes[..];
        while let Ok(Some((_, content))) = wire::take(&mut rest) {
            let _ = wire::pair(content, 0);
        }
    }
}

#[test]
fn requests_are_refused_or_come_back_as_they_are() {
    let mut good = ProgramRequest {
        args: Vec::from([&b"main"[..]]),
        env: Vec::from([(&b"A"[..], &b"b"[..])]),
        cwd: Some(b"/here"),
        ..ProgramRequest::default()
    };
    good.contents.files.insert(b"a/file", b"text");
    good.contents.modes.insert(b"a/file", 0o755);
    let good = good.to_bytes();
    let mut noise = Noise(19);
    for _ in 0..20_000 {
        let bytes = noise.damaged(&good);
        if let Ok(request) = ProgramRequest::from_bytes(&bytes) {
            let again = request.to_bytes();
            assert_eq!(ProgramRequest::from_bytes(&again), Ok(request));
        }
    }
}

#[test]
fn the_rest_takes_anything() {
    let module = stub::stub(&[7; 32]);
    let section = starts::to_bytes(3, &[10, 300, 70_000]);
    let text = "  File \"/app/entry.py\", line 1\n/app/a.py:3: `/app/b` a\0b\0c";
    let mut noise = Noise(17);
    for _ in 0..20_000 {
        let _ = stub::parse(&noise.damaged(&module));
        let _ = starts::start(&noise.damaged(&section), noise.next() as u32 % 8);
        let bytes = noise.damaged(text.as_bytes());
        let text = String::from_utf8_lossy(&bytes);
        let _ = paths::in_the_project(&text);
        let _ = texts::pairs(texts::split(&text));
    }
}
