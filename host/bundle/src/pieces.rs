//! Messages of requests and answers: pieces with their lengths in front (4 bytes, little-endian), then an empty piece.
//!
//! `_wire.py` is the guest's side.

use alloc::vec::Vec;

/// A length that ends an incomplete message.
pub const CUT_OFF: u32 = u32::MAX;

/// Returns a piece with its length in front. An empty piece ends the message.
#[must_use]
pub fn piece(content: &[u8]) -> Vec<u8> {
    // No memory of ours holds a piece of 4 GB.
    [&(content.len() as u32).to_le_bytes(), content].concat()
}

/// Returns the end of an incomplete message.
#[must_use]
pub fn cut_off() -> [u8; 4] {
    CUT_OFF.to_le_bytes()
}

/// Reads a message that arrives in portions of any size.
#[derive(Debug, Clone, Default)]
pub struct PieceReader {
    /// Received bytes of a length.
    length: [u8; 4],
    /// Number of these bytes.
    known: usize,
    /// Missing bytes of the current piece.
    left: usize,
}

/// The next part of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PieceEvent<'a> {
    /// A piece of this length begins.
    Begin(u32),
    /// Bytes of a piece, and its state after them.
    Bytes(&'a [u8], Progress),
    /// The message is complete.
    End,
    /// The message is cut off.
    CutOff,
}

/// The state of a piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// More bytes of it follow.
    Partial,
    /// It is complete.
    Complete,
}

impl PieceReader {
    /// Takes the next part from `bytes`; returns `None` if more bytes have to arrive first.
    pub fn next<'a>(&mut self, bytes: &mut &'a [u8]) -> Option<PieceEvent<'a>> {
        if self.left > 0 {
            if bytes.is_empty() {
                return None;
            }
            let (now, later) = bytes.split_at(self.left.min(bytes.len()));
            *bytes = later;
            self.left -= now.len();
            let last = match self.left {
                0 => Progress::Complete,
                _ => Progress::Partial,
            };
            return Some(PieceEvent::Bytes(now, last));
        }
        while self.known < self.length.len() {
            let (byte, later) = bytes.split_first()?;
            *bytes = later;
            self.length[self.known] = *byte;
            self.known += 1;
        }
        self.known = 0;
        Some(match u32::from_le_bytes(self.length) {
            0 => PieceEvent::End,
            CUT_OFF => PieceEvent::CutOff,
            length => {
                self.left = length as usize;
                PieceEvent::Begin(length)
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads bytes that arrive in portions of `size`: the pieces, and the end.
    fn read(bytes: &[u8], size: usize) -> (Vec<Vec<u8>>, Option<PieceEvent<'_>>) {
        let (mut reader, mut pieces) = (PieceReader::default(), Vec::new());
        let mut piece = Vec::new();
        for mut portion in bytes.chunks(size) {
            while let Some(part) = reader.next(&mut portion) {
                match part {
                    PieceEvent::Begin(length) => piece.reserve(length.min(100) as usize),
                    PieceEvent::Bytes(bytes, last) => {
                        piece.extend_from_slice(bytes);
                        if last == Progress::Complete {
                            pieces.push(core::mem::take(&mut piece));
                        }
                    }
                    end => return (pieces, Some(end)),
                }
            }
        }
        (pieces, None)
    }

    #[test]
    fn a_message_is_read_from_portions_of_any_size() {
        let message = [piece(b"head"), piece(b"x"), piece(&[7; 300]), piece(b"")].concat();
        let cut = [piece(b"head"), cut_off().to_vec()].concat();
        for size in 1..message.len() + 1 {
            let (pieces, end) = read(&message, size);
            assert_eq!(pieces, [b"head".to_vec(), b"x".to_vec(), [7; 300].into()]);
            assert_eq!(end, Some(PieceEvent::End));
            let (pieces, end) = read(&cut, size);
            assert_eq!(
                (pieces, end),
                ([b"head".to_vec()].into(), Some(PieceEvent::CutOff))
            );
        }
        for end in 0..message.len() {
            assert_eq!(read(&message[..end], 3).1, None, "{end}");
        }
    }
}
