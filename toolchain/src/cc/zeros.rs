//! Runs of zeros, left out of a linked module's data.
//!
//! LLD writes `.bss` into a side module as it would any other segment, and in a program it keeps zeros between data that
//! is not zero. Memory is zero before a module is instantiated: a program's own is fresh, and the loader zeroes what it
//! reserves for a side module. A segment therefore needs no zeros, however many it has; `mem-info` still tells the size.

use std::ops::Range;

use wasm_encoder::{ConstExpr, CustomSection, DataCountSection, DataSection, SectionId};
use wasmparser::{
    BinaryReader, Data, DataKind, DataSectionReader, ImportSectionReader, Operator, TypeRef,
};

use crate::sections::{Edit, Section, edit, sections, without_subsection};

/// Shorter runs stay: a segment of its own takes up to 20 bytes, and time to copy.
const SHORTEST_RUN: usize = 128;

/// The module without long runs of zeros in its data; `None` if there is nothing to leave out, or if the module's segments
/// are not such as to be sure that the zeros mean nothing.
pub fn without_zeros(module: &[u8]) -> Option<Vec<u8>> {
    let all = sections(module).ok()?;
    if is_memory_foreign(&all)? {
        return None;
    }
    let data = all.iter().find(|section| is(section, SectionId::Data))?;
    let has_count = all.iter().any(|section| is(section, SectionId::DataCount));
    let trimmed = Segments::read(data.content)?.trimmed(has_count)?;

    let edited = edit(module, |section| {
        Ok(if is(section, SectionId::Data) {
            Edit::replace(&trimmed)
        } else if is(section, SectionId::DataCount) {
            let count = trimmed.len();
            Edit::replace(&DataCountSection { count })
        } else if section.name == Some(NAME) {
            // The numbers of segments are other ones now.
            Edit::replace(&CustomSection {
                name: NAME.into(),
                data: without_subsection(section.content, SEGMENT_NAMES)?.into(),
            })
        } else {
            Edit::Keep
        })
    });
    edited.ok()
}

fn is(section: &Section<'_>, id: SectionId) -> bool {
    section.id == u8::from(id)
}

/// Returns `true` if memory is imported and is not zeroed for this module; `None` if the imports are damaged.
fn is_memory_foreign(all: &[Section<'_>]) -> Option<bool> {
    if all.iter().any(|section| section.name == Some("dylink.0")) {
        return Some(false);
    }
    let Some(imports) = all.iter().find(|section| is(section, SectionId::Import)) else {
        return Some(false);
    };
    let reader = ImportSectionReader::new(BinaryReader::new(imports.content, 0)).ok()?;
    let mut imports = reader.into_imports();
    Some(imports.any(|import| import.is_ok_and(|import| matches!(import.ty, TypeRef::Memory(_)))))
}

/// The offset of a segment: a constant, plus at most one of the module's two bases.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Start {
    base: Option<u32>,
    constant: u32,
}

impl Start {
    /// As far as LLD writes it; a sum needs extended constant expressions, which LLD uses too.
    fn read(data: &Data<'_>) -> Option<Self> {
        let DataKind::Active {
            memory_index: 0,
            offset_expr,
        } = &data.kind
        else {
            return None;
        };
        let operators = offset_expr.get_operators_reader().into_iter();
        let operators: Vec<_> = operators.collect::<Result<_, _>>().ok()?;
        let (base, constant) = match operators[..] {
            [Operator::I32Const { value }, Operator::End] => (None, value),
            [Operator::GlobalGet { global_index }, Operator::End] => (Some(global_index), 0),
            [
                Operator::GlobalGet { global_index },
                Operator::I32Const { value },
                Operator::I32Add,
                Operator::End,
            ] => (Some(global_index), value),
            _ => return None,
        };
        Some(Self {
            base,
            constant: constant.cast_unsigned(),
        })
    }

    fn expression(self) -> ConstExpr {
        let constant = self.constant.cast_signed();
        match self.base {
            None => ConstExpr::i32_const(constant),
            Some(base) if constant == 0 => ConstExpr::global_get(base),
            Some(base) => ConstExpr::global_get(base)
                .with_i32_const(constant)
                .with_i32_add(),
        }
    }
}

struct Segments<'m>(Vec<(Start, &'m [u8])>);

impl<'m> Segments<'m> {
    /// All segments of a module, if each has a place that is known and to itself: zeros over another's data would mean
    /// something. A passive segment is copied by code, over whatever is there.
    fn read(section: &'m [u8]) -> Option<Self> {
        let reader = BinaryReader::new(section, 0);
        let mut segments = Vec::new();
        for data in DataSectionReader::new(reader).ok()? {
            let data = data.ok()?;
            segments.push((Start::read(&data)?, data.data));
        }
        let base = segments.first()?.0.base;
        let mut places: Vec<(u64, u64)> = Vec::new();
        for (start, data) in &segments {
            if start.base != base {
                return None;
            }
            let from = u64::from(start.constant);
            places.push((from, from + data.len() as u64));
        }
        places.sort_unstable();
        let apart = places.windows(2).all(|pair| pair[0].1 <= pair[1].0);
        apart.then_some(Self(segments))
    }

    /// `None` if nothing is left out. Where code may name a segment by its number, each keeps it: what is split off goes to
    /// the end, and one of zeros only becomes empty.
    fn trimmed(&self, keeps_numbers: bool) -> Option<DataSection> {
        let mut kept: Vec<(Start, &[u8])> = Vec::new();
        let mut split_off = Vec::new();
        let mut left_out = 0;
        for (start, data) in &self.0 {
            let mut pieces = pieces(data).into_iter().map(|piece| {
                let constant = start.constant.wrapping_add(piece.start as u32);
                (Start { constant, ..*start }, &data[piece])
            });
            let first = pieces.next();
            if keeps_numbers {
                kept.push(first.unwrap_or((*start, &[])));
                split_off.extend(pieces);
            } else {
                kept.extend(first.into_iter().chain(pieces));
            }
            left_out += data.len();
        }
        kept.extend(split_off);
        left_out -= kept.iter().map(|(_, data)| data.len()).sum::<usize>();
        if left_out == 0 {
            return None;
        }
        let mut section = DataSection::new();
        for (start, data) in kept {
            section.active(0, &start.expression(), data.iter().copied());
        }
        Some(section)
    }
}

/// Returns the pieces of `data` between long runs of zeros, without zeros at its ends.
fn pieces(data: &[u8]) -> Vec<Range<usize>> {
    let mut pieces: Vec<Range<usize>> = Vec::new();
    let mut at = 0;
    while let Some(from) = data[at..].iter().position(|byte| *byte != 0) {
        let start = at + from;
        let length = data[start..].iter().position(|byte| *byte == 0);
        let end = length.map_or(data.len(), |length| start + length);
        match pieces.last_mut() {
            Some(last) if start - last.end < SHORTEST_RUN => last.end = end,
            _ => pieces.push(start..end),
        }
        at = end;
    }
    pieces
}

/// The section with names.
const NAME: &str = "name";
/// Its subsection about data segments.
const SEGMENT_NAMES: u8 = 9;

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &[u8] = b"\0asm\x01\0\0\0";
    /// One page of memory of its own.
    const MEMORY: &[u8] = b"\x05\x03\x01\0\x01";
    const FOREIGN: &[u8] = b"\x02\x0f\x01\x03env\x06memory\x02\0\x01";
    const DYLINK: &[u8] = b"\0\x0f\x08dylink.0\x01\x04\x80\x20\0\0";
    const BASE: Option<u32> = Some(0);

    fn segments(all: &[(Option<u32>, u32, Vec<u8>)]) -> Vec<u8> {
        let mut section = DataSection::new();
        for &(base, constant, ref data) in all {
            let start = Start { base, constant };
            section.active(0, &start.expression(), data.iter().copied());
        }
        encoded(&section)
    }

    fn encoded(section: &impl wasm_encoder::Section) -> Vec<u8> {
        let mut bytes = Vec::new();
        section.append_to(&mut bytes);
        bytes
    }

    fn module(sections: &[&[u8]]) -> Vec<u8> {
        [&[HEADER][..], sections].concat().concat()
    }

    fn text(pieces: &[(&[u8], usize)]) -> Vec<u8> {
        let mut data = Vec::new();
        for (bytes, zeros) in pieces {
            data.extend_from_slice(bytes);
            data.resize(data.len() + zeros, 0);
        }
        data
    }

    #[test]
    fn a_long_run_splits_a_segment_and_a_short_one_stays() {
        let data = text(&[(b"", 5), (b"ab", 127), (b"cd", 128), (b"ef", 9)]);
        let before = module(&[MEMORY, &segments(&[(None, 1024, data)])]);
        let kept = [
            (None, 1029, text(&[(b"ab", 127), (b"cd", 0)])),
            (None, 1024 + 5 + 2 + 127 + 2 + 128, b"ef".to_vec()),
        ];
        let after = without_zeros(&before).expect("there are zeros");
        assert_eq!(after, module(&[MEMORY, &segments(&kept)]));
        assert_eq!(without_zeros(&after), None, "once is enough");
    }

    #[test]
    fn a_side_module_has_its_zeros_from_the_loader() {
        let all = [(BASE, 0, b"ab".to_vec()), (BASE, 64, vec![0; 1 << 20])];
        let before = module(&[DYLINK, FOREIGN, &segments(&all)]);
        let after = without_zeros(&before).expect("there are zeros");
        assert_eq!(after, module(&[DYLINK, FOREIGN, &segments(&all[..1])]));
        // Memory that a program gets from elsewhere may hold anything.
        assert_eq!(without_zeros(&module(&[FOREIGN, &segments(&all)])), None);
    }

    #[test]
    fn a_segment_keeps_its_number_where_code_may_name_it() {
        let data = text(&[(b"a", 200), (b"b", 0)]);
        let all = [
            (None, 0, vec![0; 8]),
            (None, 100, data),
            (None, 500, b"c".to_vec()),
        ];
        let counted = |count: u8, all: &[_]| module(&[MEMORY, &[12, 1, count], &segments(all)]);
        let kept = [
            (None, 0, Vec::new()),
            (None, 100, b"a".to_vec()),
            (None, 500, b"c".to_vec()),
            (None, 301, b"b".to_vec()),
        ];
        assert_eq!(without_zeros(&counted(3, &all)), Some(counted(4, &kept)));
    }

    #[test]
    fn zeros_that_mean_something_stay() {
        let over = [(None, 0, b"abcd".to_vec()), (None, 2, vec![0; 300])];
        assert_eq!(without_zeros(&module(&[MEMORY, &segments(&over)])), None);
        let bases = [(None, 0, vec![0; 300]), (BASE, 900, vec![0; 300])];
        assert_eq!(without_zeros(&module(&[MEMORY, &segments(&bases)])), None);
        // A passive segment.
        let mut passive = DataSection::new();
        passive.passive([0; 200]);
        let passive = encoded(&passive);
        assert_eq!(without_zeros(&module(&[MEMORY, &passive])), None);
    }

    #[test]
    fn names_of_segments_go_and_others_stay() {
        let names = b"\0\x10\x04name\0\x03\x02hi\x09\x04\x01\0\x01d";
        let left = b"\0\x0a\x04name\0\x03\x02hi";
        let before = module(&[MEMORY, &segments(&[(None, 0, vec![0; 10])]), names]);
        let after = module(&[MEMORY, &segments(&[]), left]);
        assert_eq!(without_zeros(&before), Some(after));
    }

    #[test]
    fn damage_is_survived() {
        let all = [(None, 8, text(&[(b"ab", 300), (b"c", 5)]))];
        let whole = module(&[MEMORY, &[12, 1, 1], &segments(&all)]);
        for cut in 0..whole.len() {
            without_zeros(&whole[..cut]);
            let mut damaged = whole.clone();
            damaged[cut] ^= 0xff;
            without_zeros(&damaged);
        }
    }
}
