//! The answer of a guest to a request: a head, and a body piece by piece.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::pieces::{self, PieceEvent, Progress};
use crate::texts;

/// Maximum size of a guest's head in bytes.
pub const LONGEST_HEAD: usize = 1 << 20;

/// First text of a head whose second text is a traceback.
const FAULT: &str = "fault";

/// The head of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Between 200 and 599.
    pub status: u16,
    /// Names and values.
    pub headers: Vec<(String, String)>,
}

impl Head {
    /// Returns `true` if a response with this status has a body.
    #[must_use]
    pub fn has_body(&self) -> bool {
        !matches!(self.status, 204 | 205 | 304)
    }

    fn parse(bytes: &[u8]) -> Result<Head, AnswerError> {
        let text = str::from_utf8(bytes).map_err(|_| AnswerError::Form("is not text"))?;
        let mut all = texts::split(text);
        let status = all.next().unwrap_or_default();
        if status == FAULT {
            return Err(AnswerError::Raised(all.next().unwrap_or_default().into()));
        }
        let status = status.parse().ok();
        let status = status.filter(|status| (200..=599).contains(status));
        Ok(Head {
            status: status.ok_or(AnswerError::Form("has no valid status"))?,
            headers: texts::pairs(all).ok_or(AnswerError::Form("has a header without a value"))?,
        })
    }
}

/// Why an answer is not complete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AnswerError {
    /// The handler raised: the traceback.
    Raised(String),
    /// It does not have the form of an answer.
    Form(&'static str),
    /// The program or the host ended it: the reason.
    Ended(String),
}

impl fmt::Display for AnswerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AnswerError::Raised(text) | AnswerError::Ended(text) => f.write_str(text),
            AnswerError::Form(reason) => write!(f, "the program's answer {reason}"),
        }
    }
}

/// Reads an answer that arrives in portions of any size.
#[derive(Debug, Default)]
pub struct AnswerReader {
    pieces: pieces::PieceReader,
    stage: Stage,
    /// Received bytes of the head.
    head: Vec<u8>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Stage {
    #[default]
    Head,
    Body,
    /// Bytes that follow are ignored.
    Ended,
}

/// The next part of an answer.
#[derive(Debug, PartialEq, Eq)]
pub enum AnswerEvent<'a> {
    /// Its head.
    Head(Head),
    /// Bytes of its body.
    Body(&'a [u8]),
    /// The answer is complete.
    End,
    /// The answer is incomplete or invalid. Nothing more is read.
    Failed(AnswerError),
}

impl AnswerReader {
    /// Takes the next part from `bytes`; returns `None` if more bytes have to arrive first.
    pub fn next<'a>(&mut self, bytes: &mut &'a [u8]) -> Option<AnswerEvent<'a>> {
        while self.stage != Stage::Ended {
            let step = match (self.stage, self.pieces.next(bytes)?) {
                (_, PieceEvent::CutOff) => AnswerEvent::Failed(AnswerError::Form("is cut off")),
                (Stage::Head, PieceEvent::End) => {
                    AnswerEvent::Failed(AnswerError::Form("has no head"))
                }
                (Stage::Head, PieceEvent::Begin(length)) if length as usize > LONGEST_HEAD => {
                    AnswerEvent::Failed(AnswerError::Form("has a head that is too long"))
                }
                (Stage::Head, PieceEvent::Bytes(bytes, last)) => {
                    self.head.extend_from_slice(bytes);
                    if last == Progress::Partial {
                        continue;
                    }
                    match Head::parse(&core::mem::take(&mut self.head)) {
                        Ok(head) => AnswerEvent::Head(head),
                        Err(broken) => AnswerEvent::Failed(broken),
                    }
                }
                (_, PieceEvent::Begin(_)) => continue,
                (_, PieceEvent::Bytes(bytes, _)) => AnswerEvent::Body(bytes),
                (_, PieceEvent::End) => AnswerEvent::End,
            };
            self.stage = match step {
                AnswerEvent::Head(_) | AnswerEvent::Body(_) => Stage::Body,
                AnswerEvent::End | AnswerEvent::Failed(_) => Stage::Ended,
            };
            return Some(step);
        }
        *bytes = &[];
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pieces::{cut_off, piece};
    use alloc::vec;

    /// Reads an answer that arrives in portions of `size`: the head, the body, and the end.
    fn read(answer: &[u8], size: usize) -> (Option<Head>, Vec<u8>, Option<AnswerEvent<'_>>) {
        let (mut reader, mut head, mut body) = (AnswerReader::default(), None, Vec::new());
        let mut end = None;
        for mut portion in answer.chunks(size) {
            while let Some(step) = reader.next(&mut portion) {
                match step {
                    AnswerEvent::Head(found) => head = Some(found),
                    AnswerEvent::Body(bytes) => body.extend_from_slice(bytes),
                    last => {
                        assert_eq!(end, None, "nothing follows the end");
                        end = Some(last);
                    }
                }
            }
            assert!(portion.is_empty());
        }
        (head, body, end)
    }

    #[test]
    fn an_answer_is_read_from_portions_of_any_size() {
        let answer = [
            piece(b"201\0a\0b\0a\0c"),
            piece(b"one"),
            piece(b"two"),
            piece(b""),
            piece(b"200"),
        ]
        .concat();
        let headers = vec![("a".into(), "b".into()), ("a".into(), "c".into())];
        let head = Some(Head {
            status: 201,
            headers,
        });
        for size in 1..=answer.len() {
            let read = read(&answer, size);
            assert_eq!(
                read,
                (head.clone(), b"onetwo".to_vec(), Some(AnswerEvent::End))
            );
        }
    }

    #[test]
    fn an_answer_that_is_none_says_why() {
        for (head, reason) in [
            (
                &b"fault\0Traceback: x"[..],
                AnswerError::Raised("Traceback: x".into()),
            ),
            (b"fault", AnswerError::Raised(String::new())),
            (b"199", AnswerError::Form("has no valid status")),
            (b"600", AnswerError::Form("has no valid status")),
            (b"-200", AnswerError::Form("has no valid status")),
            (b"99999", AnswerError::Form("has no valid status")),
            (
                b"200\0name",
                AnswerError::Form("has a header without a value"),
            ),
            (b"\xff", AnswerError::Form("is not text")),
        ] {
            let answer = [piece(head), piece(b"x"), piece(b"")].concat();
            let (found, body, end) = read(&answer, 3);
            assert_eq!((found, body), (None, Vec::new()));
            assert_eq!(end, Some(AnswerEvent::Failed(reason)));
        }
        let too_long = (LONGEST_HEAD as u32 + 1).to_le_bytes();
        let broken = |form| Some(AnswerEvent::Failed(AnswerError::Form(form)));
        assert_eq!(read(&too_long, 9).2, broken("has a head that is too long"));
        assert_eq!(read(&piece(b""), 9).2, broken("has no head"));
        assert_eq!(read(&cut_off(), 9).2, broken("is cut off"));
        let cut = [piece(b"200"), piece(b"x"), cut_off().into()].concat();
        let (head, body, end) = read(&cut, 2);
        assert!(head.is_some() && body == b"x");
        assert_eq!(end, broken("is cut off"));
    }
}
